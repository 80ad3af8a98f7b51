"""``python -m pixsortd.index.vectors.analyst``: one inverted tier, made in a process of its own.

Reads one request (msgpack) from standard input and the vectors from the index, writes the file, and
says on standard output, a line of JSON each, how far it is and how it ended.
"""

import os
import sys
from pathlib import Path
from typing import BinaryIO

import faiss
import msgspec

from pixsortd.analyst import own_output
from pixsortd.errors import IndexProblem, PixsortdError
from pixsortd.index.durable import write_whole
from pixsortd.index.store import Store
from pixsortd.index.vectors.build import Progress, built
from pixsortd.index.vectors.inverted import TUNED
from pixsortd.index.vectors.request import Trained, TrainFailure, TrainMessage, TrainProgress, TrainRequest, line


def main() -> int:
    """Answer the request on standard input; the exit status says whether it could be done."""
    out = own_output()
    return serve(sys.stdin.buffer, out)


def serve(source: BinaryIO, sink: BinaryIO) -> int:
    """Answer one request; 0 when the file was written, 1 when it could not be."""

    def say(message: TrainMessage) -> None:
        sink.write(line(message))
        sink.flush()

    try:
        request = msgspec.msgpack.decode(source.read(), type=TrainRequest)
        os.nice(request.niceness)
        faiss.omp_set_num_threads(max(1, request.threads))
        say(
            Trained(
                vectors=train(request, lambda done, total, what: say(TrainProgress(done=done, total=total, what=what)))
            )
        )
    except MemoryError:
        say(TrainFailure(message="there is not enough memory to train the search on this many photos"))
    except PixsortdError as error:
        say(TrainFailure(message=str(error)))
    except Exception as error:  # noqa: BLE001 - the parent must hear of whatever numpy or FAISS raise
        import traceback

        traceback.print_exc()
        say(TrainFailure(message=f"{type(error).__name__}: {error}"))
    else:
        return 0
    return 1


def train(request: TrainRequest, progress: Progress) -> int:
    """Write the file; how many vectors are in it. Raises ``IndexProblem`` and what numpy and FAISS raise."""
    progress(0, 4, "reading the vectors")
    store = Store.open(Path(request.index), map_size=request.map_size, readonly=True)
    try:
        epoch, _ = store.search_state(request.space)
        found = store.numbered_vectors(request.space)
    finally:
        store.close()
    if len(found.numbers) <= TUNED:
        raise IndexProblem(f"{len(found.numbers)} vectors are too few to train a search on")
    parts = built(request.space, epoch, found.numbers, found.vectors, progress)
    write_whole(Path(request.target), parts, durable=True)
    return len(found.numbers)


if __name__ == "__main__":
    sys.exit(main())
