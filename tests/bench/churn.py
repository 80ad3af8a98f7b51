"""100 nights: each time 1 % of the photos leave, as many others come, and the whole library is clustered again.

Half of the groups have a name. Nobody answers a waiting line, which is the hardest case for identity: the
clustering may drift away from what the named groups hold. Real embeddings where the test material is there (the
labelled photos with crops and recoloured variants), made ones otherwise or with ``--made``.
"""

import hashlib
from typing import Any

from pixsortd.grouping.rows import Array
from tests.bench._augmented import PHOTOS, WEIGHTS, embeddings
from tests.bench.common import options, result
from tests.bench.recluster10k import made
from tests.unit.nights import Library, Night, nights

NIGHTS = 100
SHARE = 0.01
BOUND = 0.05
"""Share of the photos whose group may change of itself in the worst night: five times of what came and went."""


def main(arguments: list[str]) -> dict[str, Any]:
    """Count what changes and who loses an id."""
    parser = options("churn", __doc__, "1,000 photos, 20 nights")
    parser.add_argument("--made", action="store_true", help="made vectors even where real photos are there")
    parser.add_argument("--photos", type=int, default=4000, help="photos in all; nine tenths are there at a time")
    parser.add_argument("--nights", type=int, default=NIGHTS)
    given = parser.parse_args(arguments)
    count, runs = (1000, 20) if given.quick else (given.photos, given.nights)
    real = not given.made and WEIGHTS.is_file() and (PHOTOS / "labels.csv").is_file()
    vectors: Array = embeddings(count) if real else made(count)[0]
    contents = [
        hashlib.sha256(row.tobytes() + number.to_bytes(4, "big")).digest() for number, row in enumerate(vectors)
    ]
    library = Library(contents, vectors, names=0.5)
    every: list[Night] = []
    figures = nights(library, runs, SHARE, lambda _, night: every.append(night))
    detail: dict[str, Any] = {
        "vectors": "real photos, augmented" if real else "made",
        "photos": len(library.world.photos),
        "nights": runs,
        "share that leaves and that comes each night": SHARE,
        **{name: round(value, 4) for name, value in figures.items()},
        "photos whose group changed, night by night": " ".join(f"{night.churn:.2%}" for night in every),
    }
    worst = max(night.churn for night in every)
    wrong = sum(night.lost + night.renamed + night.again for night in every)
    return result(
        "churn",
        wrong,
        f"0 ids lost or lines on identical input, and <= {BOUND:.0%} changed a night",
        lambda value: value == 0 and worst <= BOUND,
        "ids and lines",
        detail,
    )
