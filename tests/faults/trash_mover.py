"""Discards, restores and purges at random until killed: the child process of the trash's kill tests.

Arguments: the directory of the root and the journal, a seed, the kind of file system to act on.
"""

import hashlib
import os
import random
import sys
from pathlib import Path

from pixsortd.records import FileStamp, Place
from pixsortd.sorting.mover import Mover
from pixsortd.sorting.plans import Wanted
from pixsortd.sorting.trash import Trash
from tests.faults.faulty_disk import WAYS, disk_that, never
from tests.faults.trash_stage import PHOTOS, allow


def wanted(root: Path, path: Path) -> Wanted:
    return Wanted(
        place=Place(base=os.fsencode(root), path=os.fsencode(path.relative_to(root))),
        stamp=FileStamp.of(path.stat()),
        image=hashlib.sha256(path.read_bytes()).digest(),
    )


def main(home: Path, seed: int, way: str) -> None:
    chance, root = random.Random(seed), home / "root"
    with disk_that(never, WAYS[way]):
        trash = Trash(Mover(home / "journal", lambda moves: None), PHOTOS)
        print("ready", flush=True)  # so that recovery is killed too
        trash.mover.recover([os.fsencode(root)])
        while True:
            present = sorted(
                path
                for path in root.rglob("*.jpg")
                # An empty file is what an earlier kill left of a name just taken, and no photo.
                if path.parent.name != ".pixsortd-trash" and path.stat().st_size
            )
            items = [item.id for item in trash.contents.all()]
            if present and chance.random() < 0.5:
                some = chance.sample(present, min(len(present), chance.randint(1, 8)))
                cut = chance.randint(1, len(some))
                trash.discard([[wanted(root, path) for path in some[:cut]], *[[wanted(root, p)] for p in some[cut:]]])
            elif items and chance.random() < 0.9:
                trash.restore(chance.sample(items, min(len(items), chance.randint(1, 8))), allow)
            elif items:
                item = trash.contents.get(chance.choice(items))
                assert item is not None
                print("purge", os.fsdecode(item.origin.name), flush=True)
                trash.purge([item.id], allow)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
