"""What steps and plans are called: the same deeds have the same name, whenever and in whatever order they are found."""

import hashlib
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from pixsortd.records import TRASH, Plan, PlannedFile, PlanStep


def named_step(step: PlanStep) -> PlanStep:
    """The step with its id, which says what is done to which content."""
    parts = [step.action.encode(), b"back" if step.back else b"", step.image]
    for files in (step.files, step.displaced, step.returned):
        parts += _deeds(files)
    return replace(step, id=_digest(parts, 8))


def named_plan(plan: Plan) -> Plan:
    """The plan with its id, which says what its steps are."""
    parts = [plan.root.encode(), plan.undoes.encode(), *(step.id.encode() for step in plan.steps)]
    return replace(plan, id=_digest(parts, 12))


def parcel_id(step: str, source: PlannedFile) -> str:
    """What a file that a step sends to the trash is called there; new each time, as the file's times are."""
    stamp = source.stamp
    parts = [step.encode(), *_deeds([source]), f"{stamp.inode} {stamp.mtime_ns} {stamp.ctime_ns}".encode()]
    return _digest(parts, 8)


def _deeds(files: Sequence[PlannedFile]) -> list[bytes]:
    parts = [str(len(files)).encode()]
    for file in files:
        # What a file is called in the trash depends on its times, and is no matter.
        discarded = file.destination.in_trash
        parts += [file.source.absolute, TRASH if discarded else file.destination.absolute, file.sha256 or b""]
    return parts


def _digest(parts: Iterable[bytes], size: int) -> str:
    digest = hashlib.blake2b(digest_size=size)
    for part in parts:
        digest.update(len(part).to_bytes(4, "big") + part)
    return digest.hexdigest()
