"""Every ratio the project promises, program after program, each in a process of its own, as one table.

``--only NAME,NAME`` runs some of them; the table is markdown. A program that could not be measured, on a busy machine
for instance, has a row that says so.
"""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from tests.bench.common import options, result

PROGRAMS: Mapping[str, str] = {
    "ingest": "ingest against the naive pipeline, 12 MP",
    "efficiency": "pipeline efficiency: the stages' own best costs / end to end",
    "decode": "decode + thumbnail + model input against Pillow's full decode + two resizes",
    "quality": "NIQE + BRISQUE + PIQE against pyiqa at the same input size",
    "recluster10k": "recluster 10k x 512 against the `hdbscan` package",
    "recluster100k": "recluster 100k x 512, one core",
    "search": "search in 100k against numpy's brute force",
    "rescan": "no-change restart scan against `find` with stat",
    "idle": "idle core's memory and wake-ups",
    "latency": "list p99 during full ingest and recluster / idle",
    "reads": "bytes read per photo byte on a first scan",
    "sorting": "from dropped to sorted, one file, 95th percentile",
    "levels": "a level or cut of 100,000 photos",
    "churn": "ids and named photos lost in 100 reclusters with 1 % coming and going",
}
"""What each measures, in the order of the table."""


def main(arguments: list[str]) -> dict[str, Any]:
    """Run them and count those that hold."""
    parser = options("all", __doc__, "each in its smaller form")
    parser.add_argument("--only", help="some of them, comma between")
    given = parser.parse_args(arguments)
    names = given.only.split(",") if given.only else list(PROGRAMS)
    unknown = set(names) - PROGRAMS.keys()
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    passed = [option for option, wanted in (("--quick", given.quick), ("--anyway", given.anyway)) if wanted]
    found = {name: measured(name, passed) for name in names}
    held = sum(bool(one.get("holds")) for one in found.values())
    answer = result("all", held, f"{len(names)} hold", lambda v: v == len(names), "hold", {"results": found})
    return {**answer, "text": table(found)}


def measured(name: str, passed: Sequence[str]) -> dict[str, Any]:
    """One program's result, or ``{"failed": words}``."""
    print(f"{time.strftime('%H:%M:%S')} {name}", file=sys.stderr)
    command = [sys.executable, "-m", "tests.bench", name, "--json", *passed]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer
    last = (done.stderr.strip().splitlines() or ["no words"])[-1]
    return {"failed": f"exit status {done.returncode}: {last}"}


def table(found: Mapping[str, Mapping[str, Any]]) -> str:
    """As markdown, the machine below it."""
    lines = ["| ratio | target | measured | holds |", "|---|---|---:|---|"]
    for name, one in found.items():
        if "failed" in one:
            lines.append(f"| {PROGRAMS[name]} | | {one['failed']} | not measured |")
        else:
            holds = "yes" if one["holds"] else "**no**"
            disturbed = " (busy machine)" if one["quiet"] is False else ""
            value = f"{one['value']:.4g} {one['unit']}{disturbed}"
            lines.append(f"| {PROGRAMS[name]} | {one['target']} | {value} | {holds} |")
    machines = dict.fromkeys(one["machine"] for one in found.values() if "machine" in one)
    loads = [one["load"][0] for one in found.values() if "load" in one]
    span = f"; load {min(loads)} to {max(loads)}" if loads else ""
    return "\n".join([*lines, "", f"{'; '.join(machines)}{span}"])
