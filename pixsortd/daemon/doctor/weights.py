"""Are the configured models and metrics on this machine?"""

from collections.abc import Callable, Iterator, Sequence

from pixsortd.analyze.models import ModelEntry, models_list
from pixsortd.config import Settings
from pixsortd.daemon.doctor.finding import Finding, ok, warn

CHECK = "weights"


def weights_are_there(
    settings: Settings, entries: Callable[[Settings], Sequence[ModelEntry]] = models_list
) -> Iterator[Finding]:
    """One finding for each configured space and metric."""
    for entry in entries(settings):
        if entry.configured:
            yield judge(entry)


def judge(entry: ModelEntry) -> Finding:
    """A missing space is stood in for by ``builtin``; a missing metric is only missing."""
    what = f"{entry.kind} {entry.name}"
    if entry.present:
        return ok(CHECK, f"{what} is on this machine")
    if entry.present is None and entry.reason is None:
        return ok(CHECK, f"{what}: whether its weights are here is seen when it is used")
    meanwhile = "; until then `builtin` stands in" if entry.kind == "space" else ""
    why = entry.reason.message if entry.reason else "its weights are not here"
    step = entry.reason.next_step if entry.reason else ""
    return warn(CHECK, f"{what}: {why}{meanwhile}", step or "`pixsortd models list` says more.")
