"""A process that edits groups and applies clusterings until it is killed, saying each durable step."""

import random
import sys
from array import array
from contextlib import suppress
from pathlib import Path

from pixsortd.daemon.grouping import Book, Curator, Outcomes
from pixsortd.decisions import Decisions
from pixsortd.errors import Conflict, InvalidRequest, NotFound
from pixsortd.grouping.request import FoundGroup, Reply
from pixsortd.index.store import Store
from pixsortd.records import Relation
from tests.unit.index_material import SPACE, content

PHOTOS = sorted(content(b"%d" % i) for i in range(60))
CONTENTS = b"".join(PHOTOS)


def found(groups: dict[str, list[int]]) -> Reply:
    """A clustering that finds these rows in these groups."""
    return Reply(
        groups=tuple(
            FoundGroup(
                id=group,
                rows=array("i", rows).tobytes(),
                strengths=array("f", [0.5] * len(rows)).tobytes(),
                nearest=array("i", rows).tobytes(),
                similarities=array("f", [0.5] * len(rows)).tobytes(),
                exemplars=tuple(PHOTOS[row] for row in rows[:3]),
                floor=0.5,
                cohesion=0.5,
            )
            for group, rows in groups.items()
            if rows
        )
    )


class Editor:
    """Edits at random over one index and one log."""

    def __init__(self, home: Path, seed: int) -> None:
        self.chance = random.Random(seed)
        self.store = Store.open(home / "index", map_size=1 << 30)
        self.decisions = Decisions.open(home / "decisions")
        self.book = Book(self.store, self.decisions, lambda: None)
        self.book.restore()
        self.curator = Curator(self.store, self.decisions, self.book, lambda _: None)
        self.outcomes = Outcomes(self.store, self.book)

    def some(self, photos: list[bytes], most: int = 4) -> list[bytes]:
        return self.chance.sample(photos, min(len(photos), self.chance.randint(1, most)))

    def edit(self) -> str | None:
        """One edit, whichever it is; its id, None where it was refused or had nothing to do."""
        groups = [group.id for group in self.store.groups()]
        group = self.chance.choice(groups)
        members = self.store.members(group)
        lines = [line.id for line in self.curator.proposal().proposal.changes]
        past = self.curator.edits(None, 12).items
        choices = [
            lambda: self.curator.rename(group, self.chance.choice([None, "Beach", "Harbour"])),
            lambda: self.curator.lock(group, self.chance.random() < 0.3),
            lambda: self.curator.place(group, self.some(PHOTOS)),
            lambda: self.curator.remove(group, self.some(members)),
            lambda: self.curator.bar(group, self.some(PHOTOS)),
            lambda: self.curator.relate(self.some(PHOTOS), self.chance.choice(list(Relation))),
            lambda: self.curator.release(self.some(PHOTOS, 20)),
            lambda: self.curator.split(group, self.some(members)),
            lambda: self.curator.merge(group, [self.chance.choice(groups)]),
            lambda: self.curator.undo(self.chance.choice(past).edit),
            lambda: self.curator.settle(self.chance.choice(lines), self.chance.random() < 0.6),
        ]
        with suppress(NotFound, Conflict, InvalidRequest, ValueError, IndexError):
            return self.chance.choice(choices)().edit
        return None

    def cluster(self) -> None:
        """A clustering that finds something near what there is, and applies it as far as it may."""
        present = self.store.group_ids()
        groups: dict[str, list[int]] = {}
        names = sorted({*present.values(), f"g{self.chance.randrange(9)}"})
        for row, photo in enumerate(PHOTOS):
            group = present.get(photo) if self.chance.random() < 0.8 else self.chance.choice([None, *names])
            if group is not None:
                groups.setdefault(group, []).append(row)
        self.outcomes.apply(found(groups), CONTENTS, SPACE, len(PHOTOS))

    def close(self) -> None:
        self.decisions.close()
        self.store.close()


def main(home: Path, seed: int, clusterings: bool) -> None:
    """Edit for ever, and now and then cluster; ``+edit`` says that an edit is kept, ``#`` that a clustering is."""
    editor = Editor(home, seed)
    print("ready", flush=True)
    while True:
        if clusterings and editor.chance.random() < 0.2:
            editor.cluster()
            print("#", flush=True)
        else:
            edit = editor.edit()
            print(f"+{edit}" if edit else "-", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "cluster")
