"""Is this index sound? Asked in a process of its own, for a broken file may kill whoever maps it.

``python -m pixsortd.index.probe DIRECTORY`` checks the structure without LMDB's help first (every
page reached once, every key in order, free and used pages apart), then reads every record and
its checksum. It prints one line for people and ends with the ``Verdict`` as its exit status;
death by a signal means damaged as well.
"""

import os
import subprocess
import sys
from enum import IntEnum
from pathlib import Path

import lmdb
import lmdb.verify

import pixsortd
from pixsortd.errors import IndexDamaged, IndexTooNew
from pixsortd.index import clean, schema
from pixsortd.index.codec import unseal
from pixsortd.index.engine import DATA, View
from pixsortd.index.schema import Table
from pixsortd.records import Record


class Verdict(IntEnum):
    """Exit statuses of the probe."""

    SOUND = 0
    ABSENT = 10
    DAMAGED = 11
    TOO_NEW = 12
    OLDER = 13
    """Sound, but of a format that has to be migrated."""


class Probed(Record, frozen=True, kw_only=True):
    """What the probe said."""

    verdict: Verdict
    message: str = ""


def probe(directory: Path) -> Probed:
    """Examine the index in ``directory``, in a child process unless it is as a clean shutdown left it."""
    if clean.is_clean(directory / DATA):
        return Probed(verdict=Verdict.SOUND, message="unchanged since it was closed")
    # A checkout that is not installed must be found by the child as well.
    places = [os.fspath(Path(pixsortd.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    child = subprocess.run(
        [sys.executable, "-m", "pixsortd.index.probe", os.fspath(directory)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, places))},
    )
    said = (child.stdout.strip() or child.stderr.strip()).splitlines()
    try:
        return Probed(verdict=Verdict(child.returncode), message=said[-1] if said else "")
    except ValueError:
        how = f"signal {-child.returncode}" if child.returncode < 0 else f"status {child.returncode}"
        return Probed(verdict=Verdict.DAMAGED, message=f"reading it ended the probe with {how}")


def examine(directory: Path) -> Probed:
    """Examine the index in this process, which damage may end."""
    data = directory / DATA
    if not data.exists():
        return Probed(verdict=Verdict.ABSENT, message="there is no index")
    if not data.stat().st_size:
        return Probed(verdict=Verdict.DAMAGED, message="the index file is empty")
    try:
        problems = lmdb.verify.verify(os.fspath(data))
        if problems:
            return Probed(verdict=Verdict.DAMAGED, message=f"{len(problems)} faults, first: {problems[0]}")
        return _read_all(directory)
    except IndexTooNew as error:
        return Probed(verdict=Verdict.TOO_NEW, message=error.message)
    except (IndexDamaged, lmdb.Error, lmdb.verify.VerifyError, OSError) as error:
        return Probed(verdict=Verdict.DAMAGED, message=str(error))


def _read_all(directory: Path) -> Probed:
    with (
        lmdb.open(os.fspath(directory), readonly=True, lock=False, create=False, max_dbs=len(Table) + 4) as env,
        env.begin() as txn,
    ):
        if not txn.stat()["entries"]:
            return Probed(verdict=Verdict.ABSENT, message="the index was never finished")
        present = [table for table in Table if txn.get(table.encode()) is not None]
        tables = {table: env.open_db(table.encode(), txn=txn, create=False) for table in present}
        version = View(txn, tables).version if Table.META in tables else 0
        schema.refuse_newer(version)
        records = 0
        for table, database in tables.items():
            for key, value in txn.cursor(db=database):
                unseal(table, key, value)
                records += 1
    if version < schema.VERSION:
        return Probed(verdict=Verdict.OLDER, message=f"format {version}, {records} records")
    if len(present) < len(Table):
        return Probed(verdict=Verdict.DAMAGED, message="tables are missing")
    return Probed(verdict=Verdict.SOUND, message=f"{records} records")


def main() -> int:
    """The child process."""
    found = examine(Path(sys.argv[1]))
    sys.stdout.write(found.message + "\n")
    return found.verdict


if __name__ == "__main__":
    sys.exit(main())
