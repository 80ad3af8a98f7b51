"""When inboxes are looked at, what waits under which id, and what the audit counts."""

import hashlib
import os
from pathlib import Path

from pixsortd.daemon.sorting.audit import Audit, concerned
from pixsortd.daemon.sorting.drafts import Drafts, part, record, with_steps
from pixsortd.daemon.sorting.due import PATIENCE, Due
from pixsortd.daemon.sorting.restless import NEVER_SETTLES, Restless
from pixsortd.records import (
    Action,
    FileRow,
    FileStamp,
    FileState,
    Found,
    Gone,
    Place,
    Plan,
    PlannedFile,
    PlanStep,
    Reason,
    Role,
    RootRecord,
    root_id,
)


def test_an_inbox_is_looked_at_once_it_rests_and_after_a_while_anyway() -> None:
    due = Due()
    assert (due.next(), due.take(0)) == (None, None)
    due.touch("a", 0, 2)
    due.touch("b", 1, 2)
    assert (due.take(1.9), due.take(2), due.take(2.9), due.take(3)) == (None, "a", None, "b")
    now = 0.0
    while "a" not in due or due.take(now) is None:
        due.touch("a", now, 2)
        now += 0.5
    assert now == PATIENCE * 2
    due.touch("a", 100, 2)
    due.drop("a")
    assert due.take(1000) is None


def stamp(path: Path) -> FileStamp:
    return FileStamp.of(path.stat())


def step(name: str, source: Path, destination: Path, action: Action = Action.MOVE) -> PlanStep:
    content = hashlib.sha256(source.read_bytes()).digest()
    file = PlannedFile(
        source=Place(base=os.fsencode(source.parent), path=os.fsencode(source.name)),
        destination=Place(base=os.fsencode(destination.parent), path=os.fsencode(destination.name)),
        stamp=stamp(source),
        sha256=content,
    )
    return PlanStep(id=name, image=content, rule=f"rule {name}", action=action, files=(file,), waits="ask")


def test_what_waits_is_known_by_its_steps(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "b").write_bytes(b"b")
    steps = [step(name, tmp_path / name, tmp_path / f"{name}2") for name in "ab"]
    drafts = Drafts()
    both = with_steps(Plan(id="", at=1.0, root="r"), steps)
    assert drafts.put("r", both)
    assert not drafts.put("r", both), "no news"
    one = part(both, {"a"})
    assert one.id != both.id
    assert drafts.put("r", one)
    assert (drafts.get(both.id), drafts.get(one.id), drafts.root_of(both.id)) == (None, one, "r")
    assert drafts.waiting() == {"rule a": 1}
    assert (record(one).steps, record(one).bytes) == (1, 1)
    assert drafts.put("r", None)
    assert drafts.all() == []
    assert drafts.root_of("never") is None


class Shelf:
    """An index of one root."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.base = os.fsencode(root)

    def online(self) -> dict[str, bytes]:
        return {root_id(self.base): self.base}

    def locations(self, sha256: bytes) -> list[FileRow]:
        return [
            FileRow(
                root=root_id(self.base),
                path=os.fsencode(path.name),
                state=FileState.INDEXED,
                stamp=stamp(path),
                sha256=sha256,
            )
            for path in self.root.iterdir()
            if hashlib.sha256(path.read_bytes()).digest() == sha256
        ]


def test_the_audit_sees_what_is_lost_what_stays_behind_and_nothing_else(tmp_path: Path) -> None:
    shelf, trash = Shelf(tmp_path), dict[bytes, int]()
    audit = Audit(shelf, shelf.online, lambda image: trash.get(image, 0))
    source, moved = tmp_path / "a", tmp_path / "b"
    source.write_bytes(b"one")
    move, copy = step("m", source, moved), step("c", source, moved, Action.COPY)
    before = audit.counted(concerned([move]))
    assert list(before.values()) == [1]
    (wrong,) = audit.judge("p", before, [move])
    assert wrong.image == move.image, "it is where it was"
    (wrong,) = audit.judge("p", before, [copy])
    assert (wrong.expected, wrong.found) == (2, 1)
    source.rename(moved)
    assert audit.judge("p", before, [move]) == []
    source.write_bytes(b"one")
    assert audit.judge("p", before, [copy]) == []
    moved.unlink()
    source.unlink()
    assert len(audit.judge("p", before, [move])) == 1
    trash[move.image] = 1
    assert audit.judge("p", before, [move]) == [], "it is in the trash"
    assert (audit.plans, audit.failures) == (6, 3)
    assert [one.code for one in audit.notices()] == ["sort-audit"]


def test_files_that_never_rest_are_told_until_they_do() -> None:
    restless, inbox = Restless(), RootRecord(id=root_id(b"/in"), path=b"/in", role=Role.INBOX)
    seen = FileStamp(size=1, mtime_ns=1, ctime_ns=1, inode=1, device=1)
    why = Reason(code=NEVER_SETTLES, message="it changes all the time")
    restless.hear(inbox, [Found(path=b"a.jpg", stamp=seen, settled=False, reason=why)])
    assert [one.code for one in restless.notices()] == ["inbox-restless"]
    restless.hear(inbox, [Gone(path=b"a.jpg", reason=why)])
    assert restless.count() == 0
