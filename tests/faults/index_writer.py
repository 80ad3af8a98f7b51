"""A process that writes to an index until it is killed, saying each durable step on its standard output."""

import random
import sys
from pathlib import Path

from pixsortd.index.store import Store
from pixsortd.records import Back, FileState, Found, Gone, Group, Membership, Missing, Moved, Reason
from tests.unit.index_material import ROOT, analysis, content, stamp

WHY = Reason(code="test", message="because")


def say(what: str, *paths: bytes) -> None:
    """Tell the test, at once."""
    print("".join(f"{what}{path.decode()}\n" for path in paths), end="", flush=True)


def main(directory: Path, seed: int) -> None:
    """Drop, analyse, rename, lose and group photos for ever.

    ``?path`` says that the path is about to change, ``+path`` that it is indexed and ``-path`` that
    it is not there.
    """
    chance = random.Random(seed)
    store = Store.open(directory, map_size=1 << 30)
    print("ready", flush=True)
    made = seed * 100_000
    while True:
        batch = [b"%d/%d" % (chance.randrange(5), made + i) for i in range(chance.randrange(1, 12))]
        store.record(ROOT, [Found(path=path, stamp=stamp(made + i), settled=True) for i, path in enumerate(batch)])
        made += len(batch)
        rows = store.next_batch(64, 10**9, [ROOT])
        say("?", *(row.path for row in rows))
        store.commit([(row, analysis(content(str(row.stamp and row.stamp.inode).encode()))) for row in rows])
        say("+", *(row.path for row in rows))
        for path in chance.sample(batch, chance.randrange(len(batch))):
            row = store.file(ROOT, path)
            assert row is not None
            assert row.stamp is not None
            assert row.state is FileState.INDEXED
            if chance.random() < 0.5:
                say("?", path, b"moved/" + path)
                store.record(ROOT, [Moved(old=path, path=b"moved/" + path, stamp=row.stamp)])
                say("-", path)
                say("+", b"moved/" + path)
            else:
                say("?", path)
                keep = chance.random() < 0.5
                store.record(ROOT, [Missing(path=path, reason=WHY)])
                store.record(ROOT, [Back(path=path, stamp=row.stamp) if keep else Gone(path=path, reason=WHY)])
                say("+" if keep else "-", path)
        member = Membership(group="g", strength=1.0, how="clustered")
        left = [(sha256, None) for sha256 in store.members("g")]
        store.regroup([*left, *((row.sha256, member) for row in rows if row.sha256)], [Group(id="g", size=0)])
        store.meta_set("turn", str(made).encode())
        store.forget(older_than=-1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
