"""Batches through a model: smaller when memory runs out, one by one to find the picture at fault."""

import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

_NO_MEMORY = ("out of memory", "can't allocate memory", "cannot allocate memory")


@dataclass(slots=True)
class Limit:
    """How many pictures one model takes at once; remembered from batch to batch."""

    size: int = 32


@dataclass(frozen=True, slots=True)
class Failed:
    """A single picture the model did not take."""

    error: Exception


def in_batches(
    items: Sequence[T], forward: Callable[[Sequence[T]], Sequence[R]], limit: Limit
) -> Iterator[tuple[Sequence[T], Sequence[R] | Failed]]:
    """``forward`` over all items in batches of at most ``limit.size``.

    Out of memory halves the batch, for the following ones too; any other error makes the batch go
    through one by one. What fails alone comes out as ``Failed``.
    """
    todo = deque([items] if items else [])
    while todo:
        batch = todo.popleft()
        if len(batch) > limit.size:
            todo.extendleft(reversed(list(parts(batch, limit.size))))
            continue
        try:
            results = forward(batch)
        # A model is a plug-in and the picture may be hostile: whatever it raises belongs to that batch.
        except Exception as caught:  # noqa: BLE001
            # Without its traceback, which holds the tensors that filled the memory.
            error = caught.with_traceback(None)
        else:
            yield batch, results
            continue
        exhausted = is_out_of_memory(error)
        if exhausted:
            free_memory()
        if len(batch) == 1:
            yield batch, Failed(error)
        elif exhausted:
            limit.size = len(batch) // 2
            todo.appendleft(batch)
        else:
            todo.extendleft(reversed(list(parts(batch, 1))))


def parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """``items`` in order, at most ``size`` at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a model ran out of memory, on whatever device (``torch.OutOfMemoryError`` and kin)."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _NO_MEMORY)


def free_memory() -> None:
    """Give cached device memory back, where torch is loaded and has any."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
