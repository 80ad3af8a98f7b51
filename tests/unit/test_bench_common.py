"""The tools of the benchmarks: turns, ratios, and a machine that must be quiet."""

import os
import subprocess
import sys
import time

import pytest

from tests.bench import common
from tests.bench.common import Busy, Watch, interleaved, median_ratio, require_quiet, result

SPIN = "import time\nprint('spinning', flush=True)\nend = time.time() + 60\nwhile time.time() < end: pass"


@pytest.fixture
def spinning():
    """A process of ours that keeps a core busy."""
    child = subprocess.Popen([sys.executable, "-c", SPIN], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    yield child
    child.kill()
    child.wait()
    child.stdout.close()


@pytest.fixture
def measurement(monkeypatch):
    """No measurement has begun."""
    monkeypatch.setattr(common._Measurement, "watch", None)
    monkeypatch.setattr(common._Measurement, "anyway", False)


def test_contenders_begin_in_turn():
    order = []

    def contender(name, seconds):
        return lambda: order.append(name) or seconds

    times = interleaved({"a": contender("a", 1.0), "b": contender("b", 2.0), "c": contender("c", 3.0)}, rounds=4)
    assert "".join(order) == "abc" + "bca" + "cab" + "abc"
    assert times == {"a": [1.0] * 4, "b": [2.0] * 4, "c": [3.0] * 4}


def test_ratio_is_the_median_of_the_rounds():
    times = {"ours": [1.0, 1.0, 2.0], "theirs": [10.0, 40.0, 40.0]}
    assert median_ratio(times, "theirs", "ours") == 20.0
    assert median_ratio(times, "ours", "ours") == 1.0


def test_what_our_own_tree_does_is_not_the_others_doing(spinning):
    ours, everybody = common._ours(), common._everybody()
    deadline = time.monotonic() + 30
    while common._ours() - ours < 0.5 and time.monotonic() < deadline:
        time.sleep(0.05)
    used = common._ours() - ours
    assert used >= 0.5
    assert common._everybody() - everybody >= used - 0.1


def test_time_of_an_ended_child_stays_ours(spinning):
    deadline = time.monotonic() + 30
    before = common._ours()
    while common._ours() - before < 0.3 and time.monotonic() < deadline:
        time.sleep(0.05)
    used = common._ours()
    spinning.kill()
    spinning.wait()
    assert common._ours() >= used - 0.05


def test_busy_stranger_is_refused(monkeypatch, measurement, spinning):
    monkeypatch.setattr(common, "WINDOW", 1.0)
    monkeypatch.setattr(common, "OTHERS", 0.1 / (os.cpu_count() or 1))
    # The child counts as a stranger's when only this very process counts as ours.
    monkeypatch.setattr(common, "_ours", lambda: sum(os.times()[:2]))
    with pytest.raises(Busy) as refusal:
        require_quiet(False)
    assert refusal.value.code == 3
    assert "--anyway" in refusal.value.words
    require_quiet(True)
    found = result("n", 1.0, "t", lambda v: v == 1, "x", {})
    assert found["quiet"] is False
    assert found["holds"] is True


def test_machine_that_gets_busy_later_is_refused_too(monkeypatch, measurement):
    others = iter([0.0, 0.0, 0.0, 1000.0])
    monkeypatch.setattr(common, "WINDOW", 0.01)
    monkeypatch.setattr(common, "_others", lambda: next(others))
    require_quiet(False)
    with pytest.raises(Busy):
        result("n", 1.0, "t", lambda v: True, "x", {})


def test_quiet_machine_is_said_to_be(monkeypatch, measurement):
    monkeypatch.setattr(common, "WINDOW", 0.01)
    monkeypatch.setattr(common, "_others", lambda: 0.0)
    require_quiet(False)
    assert result("n", 1.0, "t", lambda v: True, "x", {})["quiet"] is True
    assert Watch().share() == 0.0


def test_program_that_asks_nobody_says_so(measurement):
    assert result("n", 1.0, "t", lambda v: False, "x", {"a": 1}) | {"load": 0, "machine": 0} == {
        "name": "n",
        "value": 1.0,
        "target": "t",
        "holds": False,
        "unit": "x",
        "machine": 0,
        "load": 0,
        "quiet": None,
        "others": None,
        "detail": {"a": 1},
    }
