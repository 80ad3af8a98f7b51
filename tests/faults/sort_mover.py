"""Sorts, takes back, and takes that back at random until killed: the child process of sorting's kill tests.

Arguments: the directory of the inbox and the journal, where the library is, a seed, the kind of file system.
"""

import random
import sys
from pathlib import Path

from pixsortd.records import Action, PlanState
from tests.faults.faulty_disk import WAYS, disk_that, never
from tests.faults.sort_stage import TRASH, Deed, Stage, plan_of


def deed(stage: Stage, photo: Path, chance: random.Random) -> Deed:
    """Something to be done with a photo of the inbox and its sidecar."""
    unit = [photo, photo.with_suffix(".xmp")]
    action = chance.choice([Action.MOVE] * 6 + [Action.COPY, Action.HARDLINK, Action.REFLINK, Action.SYMLINK])
    below = f"lib/d{chance.randrange(5)}/{chance.choice(('', 'x/', 'x/y/'))}"
    number = f"-{chance.randrange(10**9)}"
    displaced = []
    if chance.random() < 0.3 and action in (Action.MOVE, Action.COPY):
        there = sorted(stage.path("lib").rglob("*.jpg"))
        theirs = [path for path in there if path.parent.name != TRASH and not path.is_symlink()]
        if theirs:  # it takes the place of another one
            rival = chance.choice(theirs)
            below = f"lib/{rival.parent.relative_to(stage.path('lib'))}/".replace("/./", "/")
            number = rival.stem.removeprefix(photo.stem)
            parcel = f"{chance.getrandbits(64):016x}"
            family = [one for one in (rival, rival.with_suffix(".xmp")) if one.is_file() and not one.is_symlink()]
            displaced = [
                (f"{below}{one.name}", f"lib/{TRASH}/{parcel}{f'.{at}' if at else ''}-{one.name}")
                for at, one in enumerate(family)
            ]
            return Deed(
                action,
                tuple((f"in/{one.name}", f"{below}{rival.stem}{one.suffix}") for one in unit),
                tuple(displaced),
            )
    return Deed(action, tuple((f"in/{one.name}", f"{below}{one.stem}{number}{one.suffix}") for one in unit))


def main(home: Path, far: Path, seed: int, way: str) -> None:
    chance = random.Random(seed)
    with disk_that(never, WAYS[way]):
        print("ready", flush=True)  # so that opening the journal and recovery are killed too
        stage = Stage(home, far)
        stage.recover()
        for run in stage.sorter.unfinished():
            stage.apply(run)
        while True:
            photos = sorted(stage.path("in").glob("*.jpg"))
            records, _ = stage.sorter.history(None, 12)
            able = [one.id for one in records if one.done > one.undone and one.state is not PlanState.APPLYING]
            if able and chance.random() < 0.45:
                plan = stage.inverse(chance.choice(able))
            elif photos:
                some = chance.sample(photos, min(len(photos), chance.randint(1, 8)))
                deeds = {pair[1]: one for one in (deed(stage, photo, chance) for photo in some) for pair in one.files}
                plan = plan_of([stage.step(one) for one in dict.fromkeys(deeds.values())])
            if plan.steps:
                stage.apply(stage.approve(plan))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
