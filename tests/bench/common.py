"""What every benchmark shares: options, a quiet machine, contenders in turn, the shape of a result, made libraries."""

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil

from tests.conftest import write_photo

OTHERS = 0.15
"""Share of the machine's cores that processes of others may use while something is measured."""
WINDOW = 2.0
"""Seconds over which the machine is watched before a measurement."""

Holds = Callable[[float], bool]


class Busy(SystemExit):
    """The machine is doing something else: no ratio is printed. Exit status 3."""

    def __init__(self, words: str) -> None:
        super().__init__(3)
        self.words = words


class Watch:
    """What processes other than this one and its descendants do with the machine's cores, since it was made."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._used = _others()

    def share(self) -> float:
        """Their part of all cores, 0 to 1. Time stolen by a neighbouring machine is theirs."""
        elapsed = time.monotonic() - self._began
        return max(0.0, _others() - self._used) / (elapsed * (psutil.cpu_count() or 1)) if elapsed else 0.0


class _Measurement:
    """The measurement this process is made for."""

    watch: Watch | None = None
    anyway = False


def options(name: str, doc: str | None, quick: str) -> argparse.ArgumentParser:
    """A parser with the options that every program has; ``quick`` says what its smaller form is."""
    parser = argparse.ArgumentParser(prog=name, description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=quick)
    parser.add_argument("--anyway", action="store_true", help="measure on a busy machine too, and say so")
    return parser


def require_quiet(anyway: bool) -> None:
    """Watch the machine for two seconds; raises ``Busy`` when others use more than 15 % of its cores.

    From here to ``result`` the others are watched as well. ``anyway`` measures all the same and marks the result.
    """
    _Measurement.anyway = anyway
    if not anyway:
        watch = Watch()
        time.sleep(WINDOW)
        _refuse(watch.share())
    _Measurement.watch = Watch()


def interleaved(contenders: Mapping[str, Callable[[], float]], rounds: int = 5) -> dict[str, list[float]]:
    """Each contender's own seconds, round by round; who begins moves on by one each round."""
    names = list(contenders)
    times: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        start = turn % len(names)
        for name in names[start:] + names[:start]:
            times[name].append(contenders[name]())
    return times


def median_ratio(times: Mapping[str, list[float]], of: str, over: str) -> float:
    """The median of the rounds' ratios, seconds ``of`` one by seconds of the one it is held ``over``."""
    return statistics.median(one / other for one, other in zip(times[of], times[over], strict=True))


def result(name: str, value: float, target: str, holds: Holds, unit: str, detail: Mapping[str, Any]) -> dict[str, Any]:
    """One measurement in the form that all programs here print; raises ``Busy`` if the machine did not stay quiet.

    ``quiet`` is False if it was measured on a busy machine and None if the program did not ask for a quiet one.
    """
    others = None if _Measurement.watch is None else _Measurement.watch.share()
    if others is not None and not _Measurement.anyway:
        _refuse(others)
    return {
        "name": name,
        "value": value,
        "target": target,
        "holds": bool(holds(value)),
        "unit": unit,
        "machine": machine(),
        "load": [round(load, 2) for load in os.getloadavg()],
        "quiet": None if others is None else not _Measurement.anyway,
        "others": None if others is None else round(others, 3),
        "detail": dict(detail),
    }


def machine() -> str:
    """Processor, cores and memory, as far as they can be read."""
    model = platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return f"{model}, {os.cpu_count()} cores, {pages / 2**30:.0f} GiB, Python {platform.python_version()}"


def library(root: Path, count: int, size: tuple[int, int] = (320, 240)) -> Path:
    """``count`` made photos in directories of 100; every tenth scene repeats, so that there are groups."""
    for number in range(count):
        write_photo(root / f"{number // 100:04}" / f"{number:06}.jpg", seed=number, size=size)
    return root


def _refuse(share: float) -> None:
    if share > OTHERS:
        raise Busy(
            f"other processes use {share:.0%} of the cores (at most {OTHERS:.0%} may be); "
            "wait until the machine is quiet, or measure all the same with --anyway"
        )


def _others() -> float:
    """CPU seconds of everybody but us, since the machine started."""
    return _everybody() - _ours()


def _everybody() -> float:
    times = psutil.cpu_times()
    return float(sum(getattr(times, kind, 0.0) for kind in ("user", "nice", "system", "irq", "softirq", "steal")))


def _ours() -> float:
    """CPU seconds of this process and its descendants. Those that ended are in their parents' sums."""
    me, total = psutil.Process(), 0.0
    for process in (me, *me.children(recursive=True)):
        try:
            total += sum(process.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue  # it was ended and waited for meanwhile
    return total
