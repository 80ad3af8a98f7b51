"""The steps from older formats of the index to the present one."""

from collections.abc import Callable

from pixsortd.errors import IndexDamaged
from pixsortd.index import lineup, lots
from pixsortd.index.engine import Edit, Engine
from pixsortd.index.schema import VERSION, refuse_newer

STEPS: dict[int, Callable[[Edit], None]] = {1: lots.count_anew, 2: lineup.line_up}
"""For each older version the step that makes the next one of it, in one transaction."""


def migrate(engine: Engine, found: int) -> None:
    """Take an index from version ``found`` to ``VERSION``, each step durable on its own.

    Raises ``IndexTooNew`` for a version above ours, ``IndexDamaged`` for one too old for any step.
    """
    refuse_newer(found)
    for version in range(found, VERSION):
        if version not in STEPS:
            raise IndexDamaged(
                f"there is no way from index format {version} to {VERSION}",
                next_step="Move the index directory away: it is made anew from the photos.",
            )
        with engine.write() as edit:
            STEPS[version](edit)
            edit.set_version(version + 1)
