"""What is still to be computed for a photo: a pure comparison of settings, abilities and what is known."""

from collections.abc import Collection, Iterable, Sequence

from pixsortd.config import Settings
from pixsortd.records import Ability, AbilityState, FileRow, FileState, Reason, Record, Space, Wants

BUILTIN = "builtin"
"""The weight-free space that stands in for a configured one that cannot be used."""


class Offer(Record, frozen=True, kw_only=True):
    """What the worker can do of what the settings ask for."""

    spaces: tuple[Space, ...] = ()
    metrics: tuple[str, ...] = ()
    inline: tuple[str, ...] = ()
    """Those of the metrics that cost little while the photo is decoded."""


def configured_spaces(settings: Settings) -> tuple[str, ...]:
    """Names of the spaces the settings ask for, the main one first."""
    return tuple(dict.fromkeys((settings.embed.space, *settings.embed.also)))


def offer(settings: Settings, abilities: Iterable[Ability]) -> Offer:
    """The usable spaces and metrics. ``builtin`` joins whenever the main space cannot be used."""
    ready = {(a.kind, a.name): a for a in abilities if a.state is AbilityState.READY}
    names = list(configured_spaces(settings))
    if ("space", settings.embed.space) not in ready and BUILTIN not in names:
        names.append(BUILTIN)
    found = [ready.get(("space", name)) for name in names]
    metrics = tuple(name for name in settings.score.metrics if ("metric", name) in ready)
    return Offer(
        spaces=tuple(a.space for a in found if a is not None and a.space is not None),
        metrics=metrics,
        inline=tuple(name for name in metrics if ready["metric", name].inline),
    )


def wants(offered: Offer, photo: bool, spaces: Collection[bytes], metrics: Collection[str]) -> Wants:
    """What is offered and not yet known of one content."""
    return Wants(
        photo=not photo,
        spaces=tuple(space.name for space in offered.spaces if space.key not in spaces),
        metrics=tuple(name for name in offered.metrics if name not in metrics),
    )


def readable(files: Iterable[FileRow], roots: Collection[str]) -> FileRow | None:
    """The first of a photo's files that can be read now, with ``roots`` being the online ones."""
    return next((row for row in files if row.root in roots and row.state is FileState.INDEXED), None)


def active_space(settings: Settings, known: Sequence[Space], counts: dict[bytes, int]) -> Space | None:
    """The space that groups and like-search use now.

    The configured one as soon as it covers nearly all photos; until then, while weights are missing
    or vectors are still being filled in, the one that covers most.
    """
    filled = [space for space in known if counts.get(space.key, 0) > 0]
    if not filled:
        return None
    most = max(counts[space.key] for space in filled)
    order = configured_spaces(settings)

    def preference(space: Space) -> tuple[bool, bool, int, str]:
        wanted = space.name == order[0]
        covers = counts[space.key] >= 0.95 * most
        return (wanted and covers, covers and space.name in order, counts[space.key], space.name)

    return max(filled, key=preference)


def told_of(ability: Ability, reason: Reason) -> Reason:
    """Why something cannot be used, with its name."""
    message = f"{ability.kind} {ability.name}: {reason.message}"
    return Reason(code=reason.code, message=message, next_step=reason.next_step)
