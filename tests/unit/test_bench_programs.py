"""Every promised ratio has its program, in the common form; tables and pictures of the results."""

import importlib
import inspect
import json
import re
import xml.etree.ElementTree as ET

import pytest

from tests.bench import all as every
from tests.bench import efficiency
from tests.bench._chart import bar
from tests.bench._memory import Peaks
from tests.bench.profile import table

COUNTS = {"churn", "reads"}
"""Programs whose figure is no time, so that a busy machine does not matter."""
RESULT = {"target": ">= 2", "machine": "a machine", "load": [0.5, 0.4, 0.3], "unit": "x", "quiet": True}


@pytest.mark.parametrize("name", every.PROGRAMS)
def test_every_ratio_has_its_program(name, capsys):
    program = importlib.import_module(f"tests.bench.{name}")
    assert program.__doc__
    with pytest.raises(SystemExit) as ended:
        program.main(["--help"])
    assert ended.value.code == 0
    options = capsys.readouterr().out
    assert "--quick" in options
    assert "--anyway" in options
    source = inspect.getsource(program)
    assert name in COUNTS or "require_quiet(" in source
    assert re.search(rf'result\(\s*"{name}"', source)


def test_table_has_a_row_for_each_program():
    found = {
        "decode": RESULT | {"value": 6.54321, "holds": True},
        "quality": RESULT | {"value": 1.5, "holds": False, "quiet": False},
        "search": {"failed": "exit status 3: not measured: other processes use 60% of the cores"},
    }
    lines = every.table(found).splitlines()
    assert lines[2].endswith("| >= 2 | 6.543 x | yes |")
    assert lines[3].endswith("| 1.5 x (busy machine) | **no** |")
    assert lines[4].endswith("| not measured |")
    assert lines[-1] == "a machine; load 0.5 to 0.5"


def test_program_that_fails_is_a_row(monkeypatch):
    def run(command, **_):
        assert command[2:] == ["tests.bench", "decode", "--json", "--quick"]
        return type("Done", (), {"returncode": 3, "stdout": "", "stderr": "some\nnot measured: busy\n"})

    monkeypatch.setattr(every.subprocess, "run", run)
    assert every.measured("decode", ["--quick"]) == {"failed": "exit status 3: not measured: busy"}


def test_results_come_back(monkeypatch):
    monkeypatch.setattr(every, "measured", lambda name, passed: RESULT | {"value": 1.0, "holds": name == "decode"})
    answer = every.main(["--only", "decode,quality"])
    assert (answer["value"], answer["holds"]) == (1, False)
    json.dumps(answer)
    with pytest.raises(SystemExit):
        every.main(["--only", "nothing"])


def test_on_a_gpu_the_ideal_is_the_longer_of_two():
    stages = {"read and hash": 1.0, "decode and describe": 2.0, "models": 5.0, "commit": 0.5}
    assert efficiency.ideal(stages, "cpu") == 8.5
    assert efficiency.ideal(stages, "cuda") == 5.0
    assert efficiency.ideal({**stages, "models": 2.0}, "cuda") == 3.5


def test_picture_is_to_scale_and_escaped():
    drawn = ET.fromstring(bar("a < b", {"decode": 30.0, "score:<x>": 10.0}))
    wide = [float(one.get("width")) for one in drawn.findall(".//{*}rect") if one.get("height") == "72"]
    assert wide[0] == pytest.approx(3 * wide[1], abs=0.2)
    words = [one.text for one in drawn.findall(".//{*}text")]
    assert words[0] == "a < b"
    assert "decode: 30.00 ms (75%)" in words
    assert "score:<x>: 10.00 ms (25%)" in words


def test_table_of_stages_adds_up():
    lines = table({"decode": 30.0, "commit": 10.0}).splitlines()
    assert lines[2] == "| decode | 30.00 | 75% |"
    assert lines[-1] == "| all | 40.00 | |"


def test_own_peak_is_seen():
    import psutil

    peaks = Peaks()
    peaks.look(psutil.Process(), "core")
    assert peaks.bytes["core"] >= psutil.Process().memory_info().rss * 0.9
    assert 0 < peaks.own["core"] <= peaks.bytes["core"]
