"""An inbox, a library and steps between them; what the disk holds before and after each: sorting's fault tests."""

import errno
import hashlib
import os
import stat
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from pixsortd.errors import PixsortdError
from pixsortd.records import Action, FileStamp, Place, Plan, PlannedFile, PlanStep, StepState
from pixsortd.sorting.disk import TRASH as TRASH_NAME
from pixsortd.sorting.journal import Move
from pixsortd.sorting.mover import Mover
from pixsortd.sorting.planning import Entry, Known, Volume, inverse
from pixsortd.sorting.planning.identity import named_plan, named_step
from pixsortd.sorting.sorter import Sorter

TRASH = os.fsdecode(TRASH_NAME)


class Seen(NamedTuple):
    """What is at a path."""

    kind: int
    content: bytes
    """A link's target."""
    mtime_ns: int
    """0 of a link."""
    mode: int


Look = Mapping[str, Seen]
"""By path."""


class Deed(NamedTuple):
    """A step in short: (from, to) each, relative to the stage's home."""

    action: Action
    files: tuple[tuple[str, str], ...]
    displaced: tuple[tuple[str, str], ...] = ()


def trashed(path: str, parcel: int, number: int = 0) -> tuple[str, str]:
    """A file, and what it is called in the trash of its root."""
    root, _, rest = path.partition("/")
    front = f"{parcel:016x}" + (f".{number}" if number else "")
    return path, f"{root}/{TRASH}/{front}-{rest.rpartition('/')[2]}"


def moved(*files: tuple[str, str], displaced: Sequence[tuple[str, str]] = ()) -> Deed:
    """A move."""
    return Deed(Action.MOVE, files, tuple(displaced))


class Roots:
    """The inbox ``in`` and the library ``lib``, wherever they are."""

    def __init__(self, home: Path, far: Path | None = None) -> None:
        """``far`` is where the library is instead of in ``home``, such as on another device."""
        self.home = home
        self.paths = {"in": home / "in", "lib": (far or home) / "lib"}
        for path in self.paths.values():
            path.mkdir(parents=True, exist_ok=True)
        self._known: dict[tuple[int, int, int], bytes] = {}

    @property
    def bases(self) -> list[bytes]:
        """Both, as places name them."""
        return [os.fsencode(path) for path in self.paths.values()]

    def path(self, name: str) -> Path:
        """Where ``in/...`` or ``lib/...`` is."""
        root, _, rest = name.partition("/")
        return self.paths[root] / rest

    def place(self, name: str) -> Place:
        """The same as a place."""
        root, _, rest = name.partition("/")
        return Place(base=os.fsencode(self.paths[root]), path=os.fsencode(rest))

    def name(self, place: Place) -> str:
        """The other way round."""
        root = next(name for name, path in self.paths.items() if os.fsencode(path) == place.base)
        return f"{root}/{os.fsdecode(place.path)}"

    def write(self, name: str, content: bytes | None = None) -> None:
        """A file whose content is all its own, unless it is given; size and time are those of all others."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(hashlib.sha256(os.fsencode(name)).digest() * 20 if content is None else content)
        path.chmod(0o640)
        os.utime(path, ns=(10**18, 10**18 + 7))

    def planned(self, source: str, destination: str) -> PlannedFile:
        """A file as it is now, and where it is to go."""
        path = self.path(source)
        seen = path.lstat()
        known = stat.S_ISREG(seen.st_mode)
        return PlannedFile(
            source=self.place(source),
            destination=self.place(destination),
            stamp=FileStamp.of(seen),
            sha256=hashlib.sha256(path.read_bytes()).digest() if known else None,
        )

    def step(self, deed: Deed) -> PlanStep:
        """The step for files as they are now."""
        files = tuple(self.planned(*pair) for pair in deed.files)
        return named_step(
            PlanStep(
                id="",
                image=files[0].sha256 or b"",
                rule="rule",
                action=deed.action,
                files=files,
                displaced=tuple(self.planned(*pair) for pair in deed.displaced),
            )
        )

    # --- what planning asks ------------------------------------------------------------------------

    def listing(self, base: bytes, directory: bytes) -> Sequence[Entry]:
        try:
            found = list(os.scandir(Place(base=base, path=directory).absolute if directory else base))
        except FileNotFoundError:
            return ()
        return [
            Entry(
                name=one.name,
                stamp=FileStamp.of(one.stat(follow_symlinks=False)) if one.is_file(follow_symlinks=False) else None,
                directory=one.is_dir(follow_symlinks=False),
                target=os.readlink(one.path) if one.is_symlink() else b"",
            )
            for one in found
        ]

    def known(self, place: Place, stamp: FileStamp) -> Known:
        key = (stamp.device, stamp.inode, stamp.ctime_ns)
        if key not in self._known:
            self._known[key] = hashlib.sha256(Path(os.fsdecode(place.absolute)).read_bytes()).digest()
        return Known(sha256=self._known[key])

    def volume(self, base: bytes, directory: bytes) -> Volume:
        return Volume(device=os.stat(base).st_dev, free=10**12)

    def holding(self, image: bytes) -> Sequence[Place]:
        return [
            place
            for name, seen in self.look().items()
            if seen.kind == stat.S_IFREG and hashlib.sha256(seen.content).digest() == image
            if not (place := self.place(name)).in_trash
        ]

    def look(self) -> dict[str, Seen]:
        """All that is below the two roots, but directories."""
        return {
            f"{root}/{path.relative_to(below)}": _seen(path)
            for root, below in self.paths.items()
            for path in below.rglob("*")
            if path.is_symlink() or not path.is_dir()
        }

    def directories(self) -> set[str]:
        """All directories below the two roots, but those of the trash."""
        return {
            f"{root}/{path.relative_to(below)}"
            for root, below in self.paths.items()
            for path in below.rglob("*")
            if path.is_dir() and path.name != TRASH
        }


def plan_of(steps: Sequence[PlanStep]) -> Plan:
    """A plan of these steps."""
    return named_plan(Plan(id="", at=1e9, root="in", steps=tuple(steps)))


class Stage(Roots):
    """The two roots, and what sorts between them."""

    def __init__(self, home: Path, far: Path | None = None) -> None:
        super().__init__(home, far)
        self.told: list[Move] = []
        """What the index would have heard."""
        self.open()

    def open(self) -> None:
        """Open the journal, as after a restart; nothing is recovered yet."""
        self.mover = Mover(self.home / "journal", self.told.extend)
        self.sorter = Sorter(self.mover)

    def close(self) -> None:
        """Close the journal."""
        self.mover.close()

    def recover(self) -> None:
        """Bring what was interrupted to its old or new state."""
        self.mover.recover(self.bases)

    def restart(self) -> None:
        """Close and open the journal, and recover."""
        self.close()
        self.open()
        self.recover()

    def approve(self, plan: Plan) -> str:
        """Approve a plan; the id of its run."""
        return self.sorter.approve(plan, by="you", digests={"rule": "digest"})

    def apply(self, run: str) -> Mapping[str, PixsortdError | None]:
        """Do what is still open of a run; why each step was not done, by its id."""
        return self.sorter.apply(
            run, quiet=_quiet, refuse=_never, floor=0, progress=lambda done, of: None, stop=lambda: False
        )

    def inverse(self, run: str) -> Plan:
        """The plan that takes back what a run has done."""
        return inverse(self.sorter.plan_of(run), self.sorter.done_steps(run), self, at=2e9)

    def done(self, run: str) -> list[bool]:
        """Which steps of a run are done, as the journal has it."""
        return [told.state is StepState.DONE for told in self.sorter.steps_of(run)]


@contextmanager
def _quiet(_bases: Collection[bytes]) -> Iterator[None]:
    yield


def _never(_step: PlanStep) -> PixsortdError | None:
    return None


def names_of(roots: Roots, step: PlanStep) -> set[str]:
    """Every path that a step is about."""
    files = (*step.files, *step.displaced, *step.returned)
    return {roots.name(place) for file in files for place in (file.source, file.destination)}


def after(roots: Roots, step: PlanStep, before: Look) -> dict[str, Seen]:
    """What a step makes of what was there."""
    found = dict(before)
    kept = [(roots.name(one.destination), found.pop(roots.name(one.source))) for one in step.displaced]
    for one in step.files:
        source, destination = roots.name(one.source), roots.name(one.destination)
        if step.back:
            del found[source]
        elif step.action is Action.SYMLINK:
            found[destination] = Seen(stat.S_IFLNK, one.source.absolute, 0, 0o777)
        elif step.action is Action.MOVE:
            kept.append((destination, found.pop(source)))
        else:
            kept.append((destination, (dict(kept) | found)[source]))
    kept += [(roots.name(one.destination), found.pop(roots.name(one.source))) for one in step.returned]
    for name, seen in kept:
        assert name not in found, f"{name} would be overwritten"
        found[name] = seen
    return found


def done_steps(roots: Roots, steps: Sequence[PlanStep], before: Look, now: Look) -> list[bool]:
    """Which steps are wholly done; the others are not done at all, and nothing else has changed."""
    answers, concerned = [], set[str]()
    for step in steps:
        names = names_of(roots, step)
        concerned |= names
        old, found = _only(before, names), _only(now, names)
        new = after(roots, step, old)
        assert found in (old, new), f"{step.action}: neither old nor new: {sorted(found)}; old: {sorted(old)}"
        answers.append(found == new)
    bystanders = before.keys() - concerned
    assert _only(now, now.keys() - concerned) == _only(before, bystanders), "something else was touched"
    return answers


def held(roots: Roots) -> dict[bytes, int]:
    """How many regular files there are of each content."""
    counts: dict[bytes, int] = {}
    for seen in _regular(roots):
        counts[seen.content] = counts.get(seen.content, 0) + 1
    return counts


def _regular(roots: Roots) -> Iterator[Seen]:
    return (seen for seen in roots.look().values() if seen.kind == stat.S_IFREG)


def _only(look: Look, names: set[str]) -> dict[str, Seen]:
    return {name: seen for name, seen in look.items() if name in names}


def _seen(path: Path) -> Seen:
    seen = path.lstat()
    kind = stat.S_IFMT(seen.st_mode)
    if kind == stat.S_IFLNK:
        return Seen(kind, os.fsencode(os.readlink(path)), 0, 0o777)
    return Seen(kind, path.read_bytes(), seen.st_mtime_ns, stat.S_IMODE(seen.st_mode))


UNIT = ("IMG_1.jpg", "IMG_1.xmp", "IMG_1.jpg.xmp")
ODD = os.fsdecode(b"\xff\xfe new\nline -.jpg")
LONG = "n" * 251 + ".jpg"
SCENARIOS: dict[str, tuple[Deed, ...]] = {
    "move": (moved(("in/a.jpg", "lib/there/a.jpg")),),
    "move far down": (moved(("in/a.jpg", "lib/2024/05/trip/a.jpg")),),
    "move a unit": (moved(*((f"in/{name}", f"lib/2024/{name}") for name in UNIT)),),
    "move and rename": (moved(("in/IMG_1.jpg", "lib/there/x (2).jpg"), ("in/IMG_1.xmp", "lib/there/x (2).xmp")),),
    "move two": (moved(("in/a.jpg", "lib/x/a.jpg")), moved(("in/deep/b.jpg", "lib/y/b.jpg"))),
    "move odd names": (moved((f"in/{ODD}", f"lib/o/{ODD}")), moved((f"in/-/{LONG}", f"lib/-/{LONG}"))),
    "take the place": (moved(("in/x.jpg", "lib/there/x.jpg"), displaced=[trashed("lib/there/x.jpg", 1)]),),
    "take a unit's place": (
        moved(
            *((f"in/{name}", f"lib/there/{name}") for name in UNIT),
            displaced=[trashed(f"lib/there/{name}", 2, number) for number, name in enumerate(UNIT)],
        ),
    ),
    "take a twin's place": (
        moved(("in/twin.jpg", "lib/there/twin.jpg"), displaced=[trashed("lib/there/twin.jpg", 7)]),
    ),
    "take its own link's place": (
        moved(("in/linked.jpg", "lib/there/linked.jpg"), displaced=[trashed("lib/there/linked.jpg", 8)]),
    ),
    "give way": (moved(trashed("in/x.jpg", 3)),),
    "copy": (Deed(Action.COPY, (("in/a.jpg", "lib/2024/a.jpg"),)),),
    "copy a unit": (Deed(Action.COPY, tuple((f"in/{name}", f"lib/2024/{name}") for name in UNIT)),),
    "copy into a place": (Deed(Action.COPY, (("in/x.jpg", "lib/there/x.jpg"),), (trashed("lib/there/x.jpg", 4),)),),
    "hardlink": (Deed(Action.HARDLINK, (("in/a.jpg", "lib/2024/a.jpg"),)),),
    "hardlink a unit": (Deed(Action.HARDLINK, tuple((f"in/{name}", f"lib/2024/{name}") for name in UNIT)),),
    "link to the same": (
        Deed(Action.HARDLINK, (("lib/there/x.jpg", "lib/there/x (2).jpg"),), (trashed("in/x.jpg", 5),)),
    ),
    "reflink": (Deed(Action.REFLINK, (("in/a.jpg", "lib/2024/a.jpg"),)),),
    "reflink a unit": (Deed(Action.REFLINK, tuple((f"in/{name}", f"lib/2024/{name}") for name in UNIT)),),
    "symlink": (Deed(Action.SYMLINK, (("in/a.jpg", "lib/2024/a.jpg"),)),),
    "all at once": (
        moved(*((f"in/{name}", f"lib/2024/{name}") for name in UNIT)),
        moved(("in/x.jpg", "lib/there/x.jpg"), displaced=[trashed("lib/there/x.jpg", 6)]),
        Deed(Action.COPY, (("in/a.jpg", "lib/2024/a.jpg"),)),
        Deed(Action.SYMLINK, (("in/deep/b.jpg", "lib/2024/b.jpg"),)),
    ),
}
"""What is done, by name; every scenario is done, taken back, and done again by taking that back."""

FILES = (
    *(f"in/{name}" for name in (*UNIT, "a.jpg", "deep/b.jpg", "x.jpg", ODD, f"-/{LONG}", "stays.jpg")),
    *(f"lib/there/{name}" for name in (*UNIT, "x.jpg", "y.jpg")),
)


def fill(roots: Roots) -> None:
    """All files that the scenarios need, and some that they must leave alone."""
    for name in FILES:
        roots.write(name)
    for name in ("in/twin.jpg", "lib/there/twin.jpg"):
        roots.write(name, b"the same " * 70)
    roots.write("in/linked.jpg")
    try:
        os.link(roots.path("in/linked.jpg"), roots.path("lib/there/linked.jpg"))
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        roots.write("lib/there/linked.jpg")
