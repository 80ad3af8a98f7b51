"""Pipeline efficiency: the sum of the stages' own best costs by what the whole costs, on the same cores; at least 0.90.

A stage's best cost is the wall time a photo when nothing else runs and the stage has all cores for itself: read and
hash from the page cache in all threads; decode with thumbnail, model input and the scores that are computed there,
in all threads; the models (embedding and the other scores) at their best batch size; durable commits of 64. The whole
is a running daemon in its steady state, from the first commit of a directory to its last score, over pipes and
with everything it does besides. Where the models run on a GPU they can overlap with the rest, so that the ideal is
the larger of the two instead of their sum. Whole and stages take turns; the value is the median of the rounds.
"""

import os
import statistics
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.bench import _setup, corpus
from tests.bench._stages import Stages, be_like_a_worker, best_batch
from tests.bench._steady import Steady, daemon
from tests.bench.common import options, require_quiet, result

BASE = 24
ALONE = 96
"""Photos that the stages alone are measured with."""


def main(arguments: list[str]) -> dict[str, Any]:
    """Measure the whole and the stages in turn."""
    parser = options("efficiency", __doc__, "one short round")
    parser.add_argument("--space", choices=_setup.SPACES, default="builtin", help="the embedding space")
    parser.add_argument("--megapixels", type=int, default=12)
    parser.add_argument("--photos", type=int, default=192, help="through the daemon in a round")
    parser.add_argument("--corpus", type=Path, help="where the photos are kept between runs")
    given = parser.parse_args(arguments)
    cores = len(os.sched_getaffinity(0))
    be_like_a_worker(cores)
    photos, alone, rounds = (64, 32, 1) if given.quick else (given.photos, ALONE, 5)
    home = corpus.home(given.corpus)
    base = corpus.photos(home / "photos", 8 if given.quick else BASE, given.megapixels)
    tables = _setup.tables(given.space)
    wholes, stages = list[float](), list[dict[str, float]]()
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=home)))
        parts = Stages(corpus.copies(base, place / "alone", alone), _setup.settings(tables), cores)
        (place / "photos").mkdir()
        running = stack.enter_context(daemon(place / "daemon", place / "photos", tables))
        whole = Steady(running, place / "photos", base, photos)
        require_quiet(given.anyway)
        batch = 0
        for turn in range(rounds):
            found = {"read and hash": parts.read(), "decode and describe": parts.describe()}
            batch = batch or best_batch(parts.forward)
            found["models"] = parts.forward(batch)
            found["commit"] = parts.commit(place / f"index-{turn}")
            stages.append({name: seconds / alone for name, seconds in found.items()})
            wholes.append(whole())
    ratios = [ideal(found, parts.device) / seconds for found, seconds in zip(stages, wholes, strict=True)]
    detail = {
        "milliseconds a photo, the whole": round(1000 * statistics.median(wholes), 2),
        "milliseconds a photo, at best": round(1000 * statistics.median(ideal(one, parts.device) for one in stages), 2),
        **{f"of these, {name}": round(1000 * statistics.median(one[name] for one in stages), 2) for name in stages[0]},
        "rounds": [round(ratio, 3) for ratio in ratios],
        "best batch": batch,
        "device": parts.device,
        "space": given.space,
        "metrics": tables["score"]["metrics"],
        "photos": f"{given.megapixels} MP, {photos} a round",
    }
    return result("efficiency", statistics.median(ratios), ">= 0.90, aim 0.97", lambda v: v >= 0.90, "ratio", detail)


def ideal(stages: dict[str, float], device: str) -> float:
    """What a photo costs when no time is lost between the stages."""
    models = stages["models"]
    rest = sum(stages.values()) - models
    return models + rest if device == "cpu" else max(models, rest)
