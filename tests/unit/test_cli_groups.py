"""Editing groups and settling proposals from the command line, against the real API over a library in memory."""

import msgspec
import pytest

from pixsortd import records
from pixsortd.records import GroupChange, GroupChangeKind
from tests.api.fake_library import FakeLibrary
from tests.unit.test_cli_commands import Ask, ask, home, library, lines

__all__ = ["ask", "home", "library"]

BEACH, WOOD = "g1", "g0123456789"


@pytest.fixture
def photos(library: FakeLibrary) -> list[str]:
    """The first in the beach, the second in the wood, the third in no group; all of it as at the start."""
    library.named[BEACH] = records.Group(id=BEACH, size=1, name="Beach")
    library.named[WOOD] = records.Group(id=WOOD, size=1, name="Wood")
    for image, group in zip(library.entries, (BEACH, WOOD, None), strict=True):
        place = group and records.Membership(group=group, strength=1.0, how="clustered")
        library.entries[image] = msgspec.structs.replace(library.entries[image], membership=place)
    library.curation.past.clear()
    library.curation.said.clear()
    library.curation.changes.clear()
    return [one.hex() for one in library.entries]


def homes(library: FakeLibrary) -> list[str | None]:
    """Where the photos are."""
    return [one.membership and one.membership.group for one in library.entries.values()]


def test_moving_by_name_id_and_path_and_undoing(ask: Ask, library: FakeLibrary, photos: list[str]) -> None:
    told = ask("groups", "move", "Beach", photos[2], library.folder / 'sjön "1".jpg').stderr
    assert "Put 2 photos" in told
    assert "`pixsortd groups undo e0` takes it back" in told
    assert homes(library) == [BEACH, BEACH, BEACH]
    told = ask("groups", "undo", "e0").stderr
    assert "1 photo was moved since and stays" in told
    assert homes(library) == [BEACH, WOOD, None]
    assert "undone already" in ask("groups", "undo", "e0", code=1).stderr
    assert "no edit with that id" in ask("groups", "undo", "e7", code=6).stderr


def test_taking_out_and_barring(ask: Ask, library: FakeLibrary, photos: list[str]) -> None:
    (answer,) = lines(ask("groups", "move", "--out", BEACH, photos[0], "--json"))
    assert (answer["edit"], answer["left"]) == ("e0", [])
    assert homes(library) == [None, WOOD, None]
    ask("groups", "bar", "Wood", photos[1])
    assert homes(library) == [None, None, None]
    assert "not in this group" in ask("groups", "move", "--out", BEACH, photos[0], code=2).stderr


def test_pinning_where_they_are(ask: Ask, library: FakeLibrary, photos: list[str]) -> None:
    assert ask("groups", "pin", *photos[:2], "--quiet").output == ""
    assert [entry.groups for entry in library.curation.past] == [(WOOD,), (BEACH,)]
    refused = ask("groups", "pin", photos[2], code=1).stderr
    assert "in no group to be kept in" in refused
    assert "groups move" in refused
    assert len(library.curation.past) == 2


def test_merging_and_splitting(ask: Ask, library: FakeLibrary, photos: list[str]) -> None:
    assert "Merged 2 groups" in ask("groups", "merge", "Beach", "Wood").stderr
    assert homes(library) == [BEACH, BEACH, None]
    (answer,) = lines(ask("groups", "split", BEACH, photos[1], "--json"))
    assert [one["id"] for one in answer["groups"]] == [BEACH, "g1s"]
    refused = ask("groups", "split", BEACH, code=1).stderr
    assert "no two parts" in refused
    assert "Choose the photos yourself" in refused
    assert "merged into itself" in ask("groups", "merge", BEACH, BEACH, code=2).stderr
    del library.named["g1s"]


def test_locking(ask: Ask, library: FakeLibrary, photos: list[str]) -> None:
    assert "Locked" in ask("groups", "lock", "Wood").stderr
    assert "locked" in ask("groups").stdout
    again = ask("groups", "lock", "Wood").stderr
    assert "It is so already" in again
    assert "undo" not in again
    assert "Opened" in ask("groups", "unlock", "Wood").stderr
    assert not library.named[WOOD].locked


def test_relations_and_taking_everything_back(ask: Ask, library: FakeLibrary, photos: list[str]) -> None:
    ask("groups", "relate", "apart", *photos[:2])
    ask("groups", "release", photos[0])
    assert [said[0] for said in library.curation.said] == ["relate", "release"]
    assert "Invalid value" in ask("groups", "relate", "friends", *photos[:2], code=2).stderr
    assert "does not fit" in ask("groups", "relate", "apart", photos[0], code=2).stderr


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("move", "Nowhere", "ab" * 32), 6, "there is no group Nowhere"),
        (("move", "gaaaaaaaaaa", "ab" * 32), 6, "no group with that id"),
        (("move", BEACH, "ab" * 32), 6, "no photo with that id"),
        (("move", BEACH), 2, "Missing argument"),
        (("merge", BEACH), 2, "Missing argument"),
        (("lock", "Twice"), 2, "Use an id: g2, g3"),
        (("accept",), 2, "Give lines"),
        (("accept", "c1", "--all"), 2, "Give lines"),
        (("refuse", "c1", "c2", "--photo", "ab" * 32), 2, "exactly one line"),
        (("refuse", "c1"), 6, "no waiting line"),
        (("proposal", "c1"), 6, "no waiting line"),
        (("undo", WOOD), 6, "no edit with that id"),
    ],
)
def test_mistakes_are_told_and_change_nothing(
    ask: Ask, library: FakeLibrary, photos: list[str], words: tuple[str, ...], code: int, told: str
) -> None:
    library.named |= {one: records.Group(id=one, size=0, name="Twice") for one in ("g2", "g3")}
    assert told in ask("groups", *words, code=code).stderr
    assert (library.curation.past, homes(library)) == ([], [BEACH, WOOD, None])
    del library.named["g2"], library.named["g3"]


def test_the_history(ask: Ask, library: FakeLibrary, photos: list[str]) -> None:
    for one in photos:
        ask("groups", "release", one)
    ask("groups", "undo", "e0")
    table = ask("groups", "edits").stdout.splitlines()
    assert [row.split()[0] for row in table] == ["edit", "e3", "e2", "e1", "e0"]
    assert "undone" in table[-1]
    assert [one["edit"] for one in lines(ask("groups", "edits", "--limit", 2, "--json"))] == ["e3", "e2"]
    assert len(lines(ask("groups", "edits", "--all", "--json"))) == 4


@pytest.fixture
def waiting(library: FakeLibrary, photos: list[str]) -> list[str]:
    """The first two leave their groups for one another's, the third joins the wood; ids of the lines."""
    beach, wood, none = library.entries
    ways = {"c1": (beach, BEACH, WOOD), "c2": (wood, WOOD, BEACH), "c3": (none, None, WOOD)}
    for change, (image, group, to) in ways.items():
        library.curation.changes[change] = GroupChange(
            id=change,
            kind=GroupChangeKind.MOVE if group else GroupChangeKind.JOIN,
            photos=(image,),
            group=group,
            to=to,
            waits=True,
            why="Beach\x1b has a name",
            unsteady=change == "c1",
        )
    return list(ways)


def test_a_proposal_is_shown(ask: Ask, photos: list[str], waiting: list[str]) -> None:
    shown = ask("groups", "proposal")
    assert "3 lines wait; 0 of 0 photos changed" in shown.stderr
    assert "together and apart" in shown.stderr
    first, second, third = shown.stdout.splitlines()[1:]
    assert "go from Beach to Wood" in first
    assert "back and forth lately" in first
    assert "\\x1b" in second
    assert "join Wood" in third
    assert ask("groups", "proposal", "c1").stdout.split() == [photos[0]]
    assert len(lines(ask("groups", "proposal", "--json"))[0]["items"]) == 3
    assert "waiting" in ask("groups").stdout


def test_there_is_no_proposal_yet(ask: Ask, photos: list[str]) -> None:
    assert "No clustering has been done yet" in ask("groups", "proposal").stderr


def test_lines_are_accepted_and_refused(ask: Ask, library: FakeLibrary, photos: list[str], waiting: list[str]) -> None:
    (settled,) = lines(ask("groups", "accept", "c1", "--photo", photos[0], "--json"))
    assert (settled["id"], settled["edit"]["summary"], settled["reason"]) == ("c1", "Accepted", None)
    assert homes(library) == [WOOD, WOOD, None]
    result = ask("groups", "refuse", "c1", "c2", code=1)
    assert "c1: There is no waiting line" in result.stderr
    assert "1 of 2 lines could not be settled" in result.stderr
    assert "Accepted" in ask("groups", "accept", "--all").stderr
    assert homes(library) == [WOOD, WOOD, WOOD]
    assert ask("groups", "accept", "--all", "--json").stdout == ""


def test_a_group_tells_where_it_comes_from(ask: Ask, library: FakeLibrary, photos: list[str]) -> None:
    steps = (
        records.Lineage(event=records.LineageEvent.BORN, at=1.0),
        records.Lineage(event=records.LineageEvent.MERGED, other="g9", at=2.0),
    )
    library.named[WOOD] = msgspec.structs.replace(library.named[WOOD], lineage=steps, state=records.GroupState.RESTING)
    told = ask("groups", "show", "Wood").stderr
    assert "formed" in told
    assert "g9 went into it" in told
    assert "not found by the last clustering" in told


def test_levels_and_cuts(ask: Ask, library: FakeLibrary, photos: list[str]) -> None:
    told = ask("groups", "levels").output
    assert "near-duplicate" in told
    assert "likeness of 0.5 and more, at most 30 s apart" in told
    assert "v1" in ask("groups", "cut", "burst").output
    (answer,) = lines(ask("groups", "cut", "0.25", "--json"))
    assert (answer["id"], answer["size"]) == ("v1", 3)
    assert [one["id"] for one in lines(ask("groups", "cut", "scene", "v1", "--json"))] == photos
    assert len(ask("groups", "cut", "scene", "v1", "--limit", "2").output.splitlines()) == 2
    assert "neither a level" in ask("groups", "cut", "sunsets", code=2).stderr
    assert "no such group" in ask("groups", "cut", "scene", "v2", code=6).stderr
    library.levels.kept = False
    assert "`pixsortd groups recluster` makes it" in ask("groups", "levels").stderr
    assert "No tree is kept" in ask("groups", "cut", "0.5", code=1).stderr
    library.levels.kept = True


def test_what_was_learned_and_its_switch(ask: Ask, library: FakeLibrary) -> None:
    assert ask("groups", "learning").stdout.startswith("on: It is used.")
    assert lines(ask("groups", "learning", "--json"))[0]["learned"] == 0.8
    assert ask("groups", "learning", "--off").stdout.startswith("off: You switched it off.")
    assert library.likeness.said is False
    assert ask("groups", "learning", "--on").stdout.startswith("on: ")
    assert library.likeness.said is None
