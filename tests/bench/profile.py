"""Where each millisecond of a photo goes: a table by stage and a picture of it.

Every stage runs alone and with one thread. What they tell of themselves are shares of the time, which are given in
milliseconds of CPU; ``read and rest`` is what they do not tell of. The commit waits for the disk, and is given by the
clock. ``--out FILE.svg`` draws the table; ``--flame FILE.svg`` has py-spy (``pip install pixsortd[dev]``) look into a
running daemon and its worker, which shows the functions.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.bench import _setup, corpus
from tests.bench._chart import bar
from tests.bench._stages import Stages, be_like_a_worker
from tests.bench._steady import Steady, daemon
from tests.bench.common import options, require_quiet, result

PHOTOS = 48


def main(arguments: list[str]) -> dict[str, Any]:
    """Add up the stages of some photos."""
    parser = options("profile", __doc__, "8 photos")
    parser.add_argument("--space", choices=_setup.SPACES, default="builtin", help="the embedding space")
    parser.add_argument("--megapixels", type=int, default=12)
    parser.add_argument("--corpus", type=Path, help="where the photos are kept between runs")
    parser.add_argument("--out", type=Path, help="draw the table into this SVG")
    parser.add_argument("--flame", type=Path, help="py-spy's flame graph of a daemon at work, into this SVG")
    given = parser.parse_args(arguments)
    be_like_a_worker(1)
    count = 8 if given.quick else PHOTOS
    home = corpus.home(given.corpus)
    base = corpus.photos(home / "photos", 8, given.megapixels)
    tables = _setup.tables(given.space)
    with tempfile.TemporaryDirectory(dir=home) as directory:
        place = Path(directory)
        files = corpus.copies(base, place / "alone", count)
        require_quiet(given.anyway)
        if given.flame is not None:
            flame(given.flame, base, place, tables, 4 * count)
        stages = by_stage(Stages(files, _setup.settings(tables), 1), place / "index", count)
    title = f"{sum(stages.values()):.1f} ms of one core a photo ({given.megapixels} MP JPEG, {given.space})"
    if given.out is not None:
        given.out.write_text(bar(title, stages))
    detail = {
        "milliseconds a photo by stage": stages,
        "space": given.space,
        "metrics": tables["score"]["metrics"],
    }
    answer = result("profile", sum(stages.values()), "none", lambda _: True, "ms a photo on one core", detail)
    return {**answer, "text": table(stages)}


def by_stage(parts: Stages, index: Path, count: int) -> dict[str, float]:
    """Milliseconds a photo by stage, in the order of the way."""
    parts.read(), parts.describe(), parts.forward(32)  # once for what is made at the first call
    began = time.process_time()
    whole = parts.read() + parts.describe() + parts.forward(32)
    cpu = time.process_time() - began
    told = Counter[str]()
    for photo in parts.told:
        told.update(photo)
    told["read and rest"] = max(0.0, whole - told.total())
    seconds = {name: cpu * part / told.total() for name, part in told.items()}
    seconds["commit"] = parts.commit(index)
    return {name: round(1000 * part / count, 2) for name, part in seconds.items()}


def table(stages: dict[str, float]) -> str:
    """Stage, milliseconds and share, as markdown."""
    whole = sum(stages.values())
    lines = [f"| {name} | {ms:.2f} | {ms / whole:.0%} |" for name, ms in stages.items()]
    return "\n".join(
        ["| stage | ms a photo, one core | share |", "|---|---:|---:|", *lines, f"| all | {whole:.2f} | |"]
    )


def flame(out: Path, base: list[Path], place: Path, tables: _setup.Tables, photos: int) -> None:
    """Have py-spy watch a daemon and its worker over one round. Raises ``SystemExit`` where it is not installed."""
    with ExitStack() as stack:
        (place / "photos").mkdir()
        running = stack.enter_context(daemon(place / "daemon", place / "photos", tables))
        steady = Steady(running, place / "photos", base, photos)
        program = shutil.which("py-spy", path=os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()]))
        if program is None:
            raise SystemExit("py-spy is not installed (it is among pixsortd[dev])")
        command = [program, "record", "--subprocesses", "--rate", "200", "--output", str(out)]
        spy = subprocess.Popen([*command, "--pid", str(running.core.pid)], stdout=sys.stderr)
        steady.take_in()
        spy.send_signal(signal.SIGINT)
        spy.wait(60)
