"""Ten thousand hostile names under every policy: nothing is overwritten, nothing is lost, and all of it comes back."""

import os
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pixsortd.config import SortRule
from pixsortd.records import Action, Companion, FileStamp, OnConflict, OnSame, Place, Plan, Subject
from pixsortd.sorting import names
from pixsortd.sorting.planning import Terms, inverse, plan
from pixsortd.sorting.planning import World as Looks
from pixsortd.sorting.rules import Choice, digest_of
from tests.unit.planning_stage import INBOX, LIBRARY, Directory, File, Memory, follow, sha, terms

PARTS = [
    *(bytes([byte]) for byte in b"aA1.-_ \n\t'\"*?[$;|&<>\\~#%\x01\x7f"),
    *(b"\xff", b"\xc3", b"\xed\xa0\x80", b" (2)", b"x" * 120, b".jpg", b".xmp"),
    *(part.encode() for part in ("é", "e\u0301", "É", "ß", "ss", "İ", "i\u0307", "ﬁ", "fi", "Å", "\u212b", "가", "😀")),
]
ENDS = [b".jpg", b".JPG", b".jpeg", b".png", b".xmp", b".mov", b""]
CONTENTS = [b"one", b"two", b"three", b"longer", b"five"]
INTO = [b"", b"Trip/", b"trip/", b"new/", b"NEW/"]
RULES = [
    SortRule(name=f"{action}-{conflict}-{same}", to="/library/", action=action, conflict=conflict, same=same)
    for action in Action
    if action is not Action.LEAVE
    for conflict in OnConflict
    for same in OnSame
]


def name_of(parts: Sequence[bytes], end: bytes) -> bytes:
    """A name that a file can have."""
    name = b"".join(parts)[: 255 - len(end)] + end
    return name if name not in (b"", b".", b"..") else b"-"


def is_name(name: bytes) -> bool:
    """Whether a file can have a name, and a rule can give it."""
    return not {0x2F, 0} & {*name} and name not in (b".", b"..") and not name.startswith(b".pixsortd-")


NAMES = st.builds(name_of, st.lists(st.sampled_from(PARTS), max_size=6), st.sampled_from(ENDS)) | st.binary(
    min_size=1, max_size=255
).filter(is_name)


def chosen_of(
    place: Place,
    stamp: FileStamp,
    content: bytes,
    beside: Sequence[Companion],
    rule: SortRule,
    goal: bytes,
    base: bytes,
) -> tuple[Subject, list[Choice]]:
    """A file and the one rule that takes it."""
    subject = Subject(
        place=place, stamp=stamp, image=sha(content), companions=tuple(beside), composite=float(stamp.mtime_ns % 4)
    )
    destination = Place(base=base, path=goal + place.name)
    return subject, [Choice(rule=rule, digest=digest_of(rule), destination=destination)]


World = tuple[Memory, list[tuple[Subject, list[Choice]]]]


def world_of(pool: Sequence[bytes], seed: int) -> World:
    """A library with files in two directories, and twenty files of an inbox that are to go there or near."""
    disk, chance = Memory(), random.Random(seed)
    for name in chance.choices(pool, k=chance.randint(0, 20)):
        path = LIBRARY + chance.choice([b"/", b"/Trip/"]) + name
        if path not in disk.files and name != b"Trip":
            content = disk.put(path, chance.choice(CONTENTS), mtime=chance.randint(0, 3)).content
            disk.composites[content] = chance.randint(0, 3)
            if chance.random() < 0.1:
                disk.pending.add(path)
    chosen = []
    for number, name in enumerate(chance.choices(pool, k=20)):
        # Each in a directory of its own, so that all of them can have one name.
        place, content = Place(base=INBOX, path=b"%d/" % number + name), chance.choice(CONTENTS)
        stamp = disk.put(place.absolute, content, mtime=chance.randint(0, 3)).stamp
        beside = []
        for end in chance.sample([b".xmp", b".MOV", b".jpg.xmp"], k=chance.choice([0, 0, 0, 1, 2])):
            companion = place.beside((name.rpartition(b".")[0] or name)[:200] + end)
            if companion.absolute not in disk.files:
                seen = disk.put(companion.absolute, b"beside %d" % number).stamp
                beside.append(Companion(place=companion, stamp=seen))
        rule, goal = chance.choice(RULES), chance.choice(INTO)
        chosen.append(chosen_of(place, stamp, content, beside, rule, goal, LIBRARY))
    return disk, chosen


WORLDS = st.builds(world_of, st.lists(NAMES, min_size=1, max_size=12), st.integers(0, 2**32))


def check_plan(found: Plan, chosen: Sequence[tuple[Subject, list[Choice]]], on: Looks, said: Terms) -> None:
    """What must hold of every plan, whatever the disk."""
    assert Counter(
        [one.place for one in found.unmoved]
        + [step.files[0].source for step in found.steps if step.files[0].source.base == chosen[0][0].place.base]
        + [step.displaced[0].source for step in found.steps if step.action is Action.HARDLINK and step.displaced]
    ) >= Counter(subject.place for subject, _ in chosen), "every file is told of"
    assert len({step.id for step in found.steps}) == len(found.steps)
    fresh: dict[bytes, list[bytes]] = {}
    for step in found.steps:
        units = [one.destination for one in step.files if not one.destination.in_trash]
        for place in units:
            assert len(place.name) <= names.LONGEST
            directory = place.absolute.rpartition(b"/")[0]
            fresh.setdefault(directory, []).append(place.name)
        leaving = {one.source.name for one in step.displaced}
        for place in units:
            entries = on.listing(place.base, place.directory)
            there = {names.folded(entry.name) for entry in entries if entry.name not in leaving}
            assert names.folded(place.name) not in there, "no name is taken that people take for another"
    spelled: dict[str, bytes] = {}
    for directory, taken in fresh.items():
        assert spelled.setdefault(names.folded(directory), directory) == directory
        assert len(set(taken)) == len(taken)
    assert plan(random.Random(1).sample(chosen, len(chosen)), on, said) == found, "the order is no matter"


@settings(max_examples=500, suppress_health_check=list(HealthCheck))
@given(world=WORLDS)
def test_hostile_names_under_every_policy(world: World) -> None:
    """20 files each time: 10,000 names."""
    disk, chosen = world
    said = terms(*RULES)
    found = plan(chosen, disk, said)
    check_plan(found, chosen, disk, said)
    before = dict(disk.files)
    follow(disk, found.steps)  # refuses to overwrite, or to touch anything but what was planned
    after = dict(disk.files)
    assert not regular(before) - regular(after), "nothing is lost"
    undo = inverse(found, found.steps, disk, at=2.0)
    assert undo.unmoved == ()
    follow(disk, undo.steps)
    assert disk.files == before
    redo = inverse(undo, undo.steps, disk, at=3.0)
    assert redo.unmoved == ()
    follow(disk, redo.steps)
    assert regular(disk.files) == regular(after)
    assert set(disk.files) == set(after)


def regular(files: Mapping[bytes, File]) -> Counter[tuple[bytes, int]]:
    return Counter((file.content, file.stamp.mtime_ns) for file in files.values() if not file.target)


def test_ten_thousand_real_files(tmp_path: Path) -> None:
    """On this file system, with every action and policy, and names that people take for one another."""
    disk, chance = Directory(tmp_path), random.Random(20)
    pool = sorted({name_of(chance.choices(PARTS, k=chance.randint(0, 6)), chance.choice(ENDS)) for _ in range(1500)})
    for name in pool[::3]:
        for directory in (b"/", b"/Trip/"):
            content = b"%d" % chance.randrange(3000)
            disk.put(disk.library + directory + name, content, mtime=chance.randrange(4) * 10**9)
    chosen, count = [], 0
    while count < 10_000:
        name, directory = chance.choice(pool), b"%d/" % count
        content, mtime = b"%d" % chance.randrange(3000), chance.randrange(4) * 10**9
        place = Place(base=disk.inbox, path=directory + name)
        stamp = disk.put(place.absolute, content, mtime=mtime)
        beside = []
        if chance.random() < 0.2 and name.rpartition(b".")[2] != b"xmp":
            sidecar = place.beside((name.rpartition(b".")[0] or name)[:251] + b".xmp")
            stamp_beside = disk.put(sidecar.absolute, b"beside %d" % count, mtime=mtime)
            beside.append(Companion(place=sidecar, stamp=stamp_beside))
        chosen.append(chosen_of(place, stamp, content, beside, chance.choice(RULES), chance.choice(INTO), disk.library))
        count += 1 + len(beside)
    before = disk.seen()
    inodes = {path: os.lstat(path).st_ino for path in before}
    found = plan(chosen, disk, terms(*RULES))
    assert {step.action for step in found.steps} == set(Action) - {Action.LEAVE}
    assert any(step.displaced for step in found.steps)
    assert len({one.why for one in found.unmoved}) > 100
    follow(disk, found.steps)
    after = disk.seen()
    assert not _regular(before) - _regular(after)
    undo = inverse(found, found.steps, disk, at=2.0)
    assert undo.unmoved == ()
    follow(disk, undo.steps)
    assert disk.seen() == before
    assert {path: os.lstat(path).st_ino for path in before} == inodes


def _regular(seen: dict[bytes, tuple[bytes, int, int, bytes]]) -> Counter[tuple[bytes, int, int]]:
    return Counter((content, mtime, mode) for content, mtime, mode, target in seen.values() if not target)
