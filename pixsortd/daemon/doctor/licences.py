"""Terms of use that are not this project's own MIT."""

from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version

from pixsortd.analyze.metrics.pyiqa_registry import LICENSE as PYIQA
from pixsortd.analyze.models import metric_terms
from pixsortd.config import Settings
from pixsortd.daemon.doctor.finding import Finding, ok, warn

Installed = Callable[[str], str | None]


def installed(package: str) -> str | None:
    """The version of an installed package, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def licences_are_known(settings: Settings, find: Installed = installed) -> Iterator[Finding]:
    """What is installed or configured here under terms of its own."""
    terms = {name: metric_terms(name) for name in settings.score.metrics}
    theirs = [name for name, of in terms.items() if of.code == PYIQA]
    if theirs and (found := find("pyiqa")):
        yield ok(
            "licences",
            f"pyiqa {found} is PolyForm Noncommercial; it is loaded in the worker to compute {', '.join(theirs)}",
            "For commercial use leave them out of score.metrics and uninstall it; everything but its metrics goes on.",
        )
    for words in sorted({one for of in terms.values() for one in of.files} - {PYIQA}):
        yield ok("licences", f"the parameters of {', '.join(n for n in terms if words in terms[n].files)}: {words}")
    spaces = [settings.embed.space, *settings.embed.also]
    models = [settings.spaces[name].model if name in settings.spaces else name for name in spaces]
    if any("dinov3" in model for model in models):
        yield warn(
            "licences",
            "dinov3 weights come under Meta's DINOv3 License, to be accepted before the download",
            "Accept it on the model's page at huggingface.co, then `pixsortd models pull dinov3`.",
        )
    if found := find("pillow-heif"):
        yield ok(
            "licences",
            f"pillow-heif {found} is installed; its wheels carry x265 and are GPLv2",
            "It is only a matter for who passes on copies of the whole.",
        )
    yield ok("licences", "pixsortd itself is MIT")


def heic_can_be_read(_: Settings, find: Installed = installed) -> Iterator[Finding]:
    """HEIC needs an extra."""
    if find("pillow-heif"):
        yield ok("formats", "HEIC can be read")
    else:
        yield warn(
            "formats",
            "HEIC photos are put into quarantine",
            "`pip install 'pixsortd[heif]'`, if its GPLv2 wheels suit you.",
        )
