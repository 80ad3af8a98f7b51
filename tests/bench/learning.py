"""What is learned from a user's corrections: held-out pair accuracy and adjusted Rand before and after.

A made user knows the labels of real photos and puts right, one photo at a time and in an order by chance, what
the default clustering got wrong. After 20, 50 and 100 corrections (or all, where fewer are needed) the learned
likeness is judged as the daemon judges it, and the photos are grouped anew with it; the corrections themselves
are not applied, so that the index tells of the likeness alone. Beside it the index over the photos that no
correction was about. The same edits about photos by chance must be refused: how often they were is the figure.
"""

import itertools
import statistics
import time
from typing import Any

import numpy as np

from pixsortd.grouping.judging import learned
from pixsortd.grouping.learning import centre_of, fitted, pairs_of
from pixsortd.grouping.lessons import lessons
from pixsortd.grouping.rows import Array, unit
from pixsortd.records import LearningState, PlacePhotos
from tests.bench._corrections import Library, shuffled
from tests.bench._mixtures import BACKBONES, Mixture, photos
from tests.bench.common import options, require_quiet, result
from tests.bench.groups import agreement, default
from tests.conftest import SHARED

COUNTS = (20, 50, 100)
ORDERS = 3
MEANINGLESS = 4
"""Times that the same edits are made about other photos, for each order and count."""


def main(arguments: list[str]) -> dict[str, Any]:
    """Embed the photos as the daemon does and let the made user correct their groups."""
    parser = options("learning", __doc__, "one order of corrections, 50 of them, one space")
    given = parser.parse_args(arguments)
    if not (SHARED / "photos" / "labels.csv").is_file():
        raise SystemExit("no labelled photos beside the project (../shared/data or PIXSORTD_TEST_DATA)")
    require_quiet(given.anyway)
    spaces = (*(space for space, (_, weights) in BACKBONES.items() if weights.is_file()), "builtin")
    detail: dict[str, Any] = {}
    refused: list[bool] = []
    for space, whole in photos("photos", spaces[-1:] if given.quick else spaces).items():
        detail |= {f"{space}: {key}": value for key, value in told(whole, refused, given.quick).items()}
    detail["meaningless edits judged"] = len(refused)
    share = float(np.mean(refused))
    return result("learning", share, ">= 0.95 refused", lambda value: value >= 0.95, "of meaningless edits", detail)


def told(whole: Mixture, refused: list[bool], quick: bool) -> dict[str, Any]:
    """All figures of one space; ``refused`` gets whether each set of meaningless edits was."""
    vectors, names = whole
    contents = [row.to_bytes(32) for row in range(len(names))]
    labels = dict(zip(contents, names.tolist(), strict=True))
    found = default(vectors)
    figures: dict[str, Any] = {"0 corrections: adjusted Rand": agreement(found, names)["adjusted Rand"]}
    for count in COUNTS[1:2] if quick else COUNTS:
        runs = []
        for seed in range(1 if quick else ORDERS):
            edits = list(itertools.islice(Library(contents, found, labels).corrections(seed), count))
            runs.append(_run(contents, vectors, names, found, edits))
            for draw in range(MEANINGLESS):
                void = learned(contents, vectors, lessons(shuffled(edits, contents, draw)), None)
                refused.append(void.learning.state is not LearningState.ON)
        figures |= {
            f"{count} corrections: {key}": round(statistics.median(run[key] for run in runs), 4) for key in runs[0]
        }
    return figures


def _run(contents: list[bytes], vectors: Array, names: Array, found: Array, edits: list[PlacePhotos]) -> dict[str, Any]:
    """One order of corrections."""
    given = lessons(edits)
    began = time.process_time()
    outcome = learned(contents, vectors, given, None)
    seconds = time.process_time() - began
    told = outcome.learning
    used = outcome.likeness is not None
    mapped = outcome.likeness.applied(vectors) if outcome.likeness is not None else vectors
    centre = centre_of(vectors)
    forced = fitted(unit(unit(vectors) - centre), pairs_of(contents, given), centre).applied(vectors)
    corrected = {photo for edit in edits for photo in edit.photos}
    rest = np.array([photo not in corrected for photo in contents])
    after, anyway = default(mapped) if used else found, default(forced)
    return {
        "corrections made": len(edits),
        "held-out accuracy, plain": told.plain or 0.0,
        "held-out accuracy, learned": told.learned or 0.0,
        "held-out pairs": told.held_out,
        "used": int(used),
        "adjusted Rand by the rule": agreement(after, names)["adjusted Rand"],
        "adjusted Rand if it were always used": agreement(anyway, names)["adjusted Rand"],
        "adjusted Rand of the uncorrected, before": agreement(found[rest], names[rest])["adjusted Rand"],
        "adjusted Rand of the uncorrected, by the rule": agreement(after[rest], names[rest])["adjusted Rand"],
        "CPU seconds": seconds,
    }
