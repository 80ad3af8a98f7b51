"""What the user does to groups. Each command is one edit, and `undo` takes it back."""

from collections.abc import Sequence

import click

from pixsortd.cli import shell
from pixsortd.cli.groups import told

_group = click.argument("group")
_photos = click.argument("photos", metavar="FILE|ID...", nargs=-1, required=True)


def _ids(session: shell.Session, named: Sequence[str]) -> list[str]:
    from pixsortd.cli.photos import image_ids

    return image_ids(session.daemon, named)


def _chosen(session: shell.Session, wanted: str) -> str:
    from pixsortd.cli.choice import group_id

    return group_id(session.daemon, wanted)


def _members(session: shell.Session, group: str, how: str, photos: Sequence[str]) -> None:
    told.edited(session, session.daemon.change_members(_chosen(session, group), how, _ids(session, photos)))


@click.command(cls=shell.Reading)
@click.argument("into", metavar="GROUP")
@click.argument("others", metavar="OTHER...", nargs=-1, required=True)
@shell.pass_session
def merge(session: shell.Session, into: str, others: tuple[str, ...]) -> None:
    """Make OTHER groups part of GROUP, which keeps its id and name."""
    from pixsortd.cli.choice import group_ids

    first, *rest = group_ids(session.daemon, (into, *others))
    told.edited(session, session.daemon.merge_groups(first, rest))


@click.command(cls=shell.Reading)
@_group
@click.argument("photos", metavar="[FILE|ID]...", nargs=-1)
@shell.pass_session
def split(session: shell.Session, group: str, photos: tuple[str, ...]) -> None:
    """Make a new group of these members, or without any of the smaller of the two parts that likeness shows."""
    chosen = _ids(session, photos) if photos else None
    told.edited(session, session.daemon.split_group(_chosen(session, group), chosen))


@click.command(cls=shell.Reading)
@_photos
@shell.pass_session
def found(session: shell.Session, photos: tuple[str, ...]) -> None:
    """Make a new group of photos, wherever they are now. They stay in it through every re-forming."""
    told.edited(session, session.daemon.found_group(_ids(session, photos)))


@click.command(cls=shell.Reading)
@_group
@_photos
@click.option("--out", "leave", is_flag=True, help="Take them out of the group instead, into no group.")
@shell.pass_session
def move(session: shell.Session, group: str, photos: tuple[str, ...], leave: bool) -> None:
    """Move photos into a group, wherever they are now. They stay there through every re-forming."""
    _members(session, group, "remove" if leave else "add", photos)


@click.command(cls=shell.Reading)
@_group
@_photos
@shell.pass_session
def bar(session: shell.Session, group: str, photos: tuple[str, ...]) -> None:
    """Keep photos out of a group for ever; those that are in it leave it."""
    _members(session, group, "bar", photos)


@click.command(cls=shell.Reading)
@_photos
@shell.pass_session
def pin(session: shell.Session, photos: tuple[str, ...]) -> None:
    """Keep photos in the groups they are in now: one edit a group."""
    from pixsortd.cli.photos import passport
    from pixsortd.errors import Conflict

    homes: dict[str, list[str]] = {}
    for text in photos:
        found = passport(session.daemon, text)
        if found["membership"] is None:
            raise Conflict(
                f"{text} is in no group to be kept in", next_step="`pixsortd groups move GROUP ...` puts it into one."
            )
        homes.setdefault(found["membership"]["group"], []).append(found["image"]["id"])
    for group, members in homes.items():
        told.edited(session, session.daemon.change_members(group, "add", members))


@click.command(cls=shell.Reading)
@_photos
@shell.pass_session
def release(session: shell.Session, photos: tuple[str, ...]) -> None:
    """Take back pins, bars and relations of photos; they stay where they are until a clustering moves them."""
    told.edited(session, session.daemon.release(_ids(session, photos)))


@click.command(cls=shell.Reading)
@_group
@shell.pass_session
def lock(session: shell.Session, group: str) -> None:
    """Let nobody but you change who is in a group."""
    told.edited(session, session.daemon.lock_group(_chosen(session, group), True))


@click.command(cls=shell.Reading)
@_group
@shell.pass_session
def unlock(session: shell.Session, group: str) -> None:
    """Open a locked group again."""
    told.edited(session, session.daemon.lock_group(_chosen(session, group), False))


@click.command(cls=shell.Reading)
@click.argument("relation", type=click.Choice(("together", "apart", "distinct")))
@_photos
@shell.pass_session
def relate(session: shell.Session, relation: str, photos: tuple[str, ...]) -> None:
    """Say that photos belong `together`, that no two belong together (`apart`), or are no duplicates (`distinct`)."""
    told.edited(session, session.daemon.relate(_ids(session, photos), relation))


COMMANDS = (found, merge, split, move, bar, pin, release, lock, unlock, relate)
