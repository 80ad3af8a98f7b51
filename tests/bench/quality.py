"""NIQE + BRISQUE + PIQE of ours against pyiqa's, photo by photo on the same pixels: CPU seconds of one thread.

Photos are made (seeded, camera-like) unless there are real ones: those of the test material, or of ``--photos``.
Without the published parameter files, files of the right shape are made: such scores say nothing, but cost the same.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pixsortd.analyze.metrics import brisque, iqa, niqe, piqe
from pixsortd.analyze.ports import Array, Picture, PictureMetric
from pixsortd.analyze.thumbnail import fitted
from tests.bench.common import interleaved, median_ratio, options, require_quiet, result
from tests.conftest import SHARED, draw

LONG_SIDE = 512
FILES = {"niqe": "niqe_modelparameters.mat", "brisque": "brisque_svm_weights.pth"}
FAMILIES = {"niqe": niqe.family, "brisque": brisque.family, "piqe": piqe.family}
TARGET, RANKS = 4.0, 0.98


def main(arguments: Sequence[str] = ()) -> dict[str, Any]:
    """The ratio of the sums of the three; holds if the scores also rank alike."""
    parser = options("tests.bench quality", __doc__, "12 photos, 3 rounds")
    parser.add_argument("--photos", type=Path, default=SHARED / "bursts", help="a directory of photos")
    parser.add_argument(
        "--parameters", type=Path, default=SHARED / "weights", help="parameter files of NIQE and BRISQUE"
    )
    given = parser.parse_args(arguments)
    _one_thread()
    with tempfile.TemporaryDirectory() as made:
        parameters = given.parameters if given.parameters.is_dir() else _made_parameters(Path(made))
        ours = {name: _ours(name, parameters) for name in FAMILIES}
        theirs = {name: _theirs(name, parameters) for name in FAMILIES}
    photos = list(_photos(given.photos, 12 if given.quick else 30))
    scores = {
        name: (
            np.array([ours[name].measure(Picture(photo)) for photo in photos]),
            np.array(list(map(theirs[name], photos))),
        )
        for name in FAMILIES
    }
    # A worker has decoded photos before it scores them: memory that it gave back is kept at hand for the next arrays.
    draw(0, (2000, 1500))
    require_quiet(given.anyway)
    contenders = {
        "ours": lambda: _cpu_seconds(lambda: [_all_ours(ours, photo) for photo in photos]),
        "pyiqa": lambda: _cpu_seconds(lambda: [score(photo) for score in theirs.values() for photo in photos]),
        **{name: _each_of_ours(metric, photos) for name, metric in ours.items()},
        **{f"pyiqa:{name}": _each_of_theirs(score, photos) for name, score in theirs.items()},
    }
    times = interleaved(contenders, 3 if given.quick else 5)
    ratio = median_ratio(times, "pyiqa", "ours")
    ranks = {name: round(_spearman(*pair), 4) for name, pair in scores.items()}
    detail = {
        "photos": len(photos),
        "ms a photo": {name: round(statistics.median(of) * 1000 / len(photos), 2) for name, of in times.items()},
        "rank correlation": ranks,
        "largest difference": {name: round(float(np.nanmax(np.abs(a - b))), 3) for name, (a, b) in scores.items()},
        "median difference": {name: round(float(np.nanmedian(np.abs(a - b))), 4) for name, (a, b) in scores.items()},
        "photos a second with 1 thread, with 2": [round(_rate(ours, photos, threads), 1) for threads in (1, 2)],
    }
    alike = given.parameters.is_dir() and min(ranks.values()) >= RANKS
    words = f">= {TARGET:g}, rank correlation >= {RANKS:g}"
    return result("quality", ratio, words, lambda value: value >= TARGET and alike, "times as fast as pyiqa", detail)


def _one_thread() -> None:
    """For every contender; as numpy's matrices have in a worker."""
    import torch
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
    torch.set_num_threads(1)


def _photos(directory: Path, count: int) -> Iterator[Array]:
    """Real photos, or made ones, no larger than what is scored."""
    files = sorted(directory.rglob("*.jpg"))[:: max(1, sum(1 for _ in directory.rglob("*.jpg")) // count)][:count]
    for image in map(Image.open, files) if files else (draw(seed, (800, 600)) for seed in range(count)):
        yield np.asarray(image.convert("RGB").resize(fitted(image.size, LONG_SIDE), Image.Resampling.BICUBIC))


def _ours(name: str, parameters: Path) -> PictureMetric:
    file = FILES.get(name)
    return FAMILIES[name].load(name, str(parameters / file) if file else None, LONG_SIDE, "cpu")


def _theirs(name: str, parameters: Path) -> Callable[[Array], float]:
    metric = iqa.family.load(name, str(parameters / FILES[name]) if name in FILES else None, LONG_SIDE, "cpu")

    def score(photo: Array) -> float:
        return metric.score(np.moveaxis(photo, 2, 0)[None].astype(np.float32) / np.float32(255))[0]

    return score


def _all_ours(metrics: dict[str, PictureMetric], photo: Array) -> list[float]:
    picture = Picture(photo)
    return [metric.measure(picture) for metric in metrics.values()]


def _each_of_ours(metric: PictureMetric, photos: list[Array]) -> Callable[[], float]:
    """One metric by itself, which then makes all its maps for itself."""
    return lambda: _cpu_seconds(lambda: [metric.measure(Picture(photo)) for photo in photos])


def _each_of_theirs(score: Callable[[Array], float], photos: list[Array]) -> Callable[[], float]:
    return lambda: _cpu_seconds(lambda: [score(photo) for photo in photos])


def _cpu_seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _rate(metrics: dict[str, PictureMetric], photos: list[Array], threads: int) -> float:
    """Photos a second by the clock, as decode threads score them."""
    with ThreadPoolExecutor(threads) as pool:
        began = time.perf_counter()
        list(pool.map(lambda photo: _all_ours(metrics, photo), photos * 4))
        return len(photos) * 4 / (time.perf_counter() - began)


def _spearman(ours: Array, theirs: Array) -> float:
    from scipy.stats import spearmanr

    known = np.isfinite(ours) & np.isfinite(theirs)
    return float(spearmanr(ours[known], theirs[known]).statistic)


def _made_parameters(directory: Path) -> Path:
    import torch
    from scipy.io import savemat

    random = np.random.default_rng(0)
    root = random.normal(0, 0.3, (36, 36))
    savemat(directory / FILES["niqe"], {"mu_prisparam": random.random((1, 36)), "cov_prisparam": root @ root.T})
    vectors = torch.from_numpy(random.uniform(-1, 1, (774, 36))).float()
    torch.save((torch.from_numpy(random.normal(0, 100, 774)).float(), vectors), directory / FILES["brisque"])
    return directory
