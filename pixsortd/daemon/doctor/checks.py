"""All checks, and how they are run."""

from collections.abc import Callable, Iterator

from pixsortd.config import Settings
from pixsortd.daemon.doctor import device, directories, licences, storage, surroundings, weights
from pixsortd.daemon.doctor.finding import Finding, Level

Check = Callable[[Settings], Iterator[Finding]]

CHECKS: tuple[Check, ...] = (
    storage.state_directory_is_usable,
    directories.roots_can_be_watched,
    surroundings.files_may_be_opened,
    surroundings.clock_is_sane,
    surroundings.page_is_built,
    device.device_is_there,
    weights.weights_are_there,
    licences.licences_are_known,
    licences.heic_can_be_read,
)


def examine(settings: Settings, checks: tuple[Check, ...] = CHECKS) -> Iterator[Finding]:
    """Run every check, yielding findings as they come."""
    for check in checks:
        try:
            yield from check(settings)
        except Exception as error:  # noqa: BLE001 - a strange machine must not hide what the other checks find
            name = check.__name__.replace("_", " ")
            message = f"the check “{name}” itself failed ({type(error).__name__}: {error})"
            yield Finding(check="doctor", level=Level.WARN, message=message)
