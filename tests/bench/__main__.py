"""``python -m tests.bench NAME [--json] [--quick] [--anyway]``: one measurement, printed as one object."""

import argparse
import importlib
import json
import pkgutil
import sys

import structlog

import tests.bench
from tests.bench.common import Busy

PARTS = {"common", "corpus"}
"""What the programs share, in modules beside them."""


def main() -> int:
    """Run one benchmark by its module's name; 0 unless it could not be measured, 3 on a busy machine."""
    names = [module.name for module in pkgutil.iter_modules(tests.bench.__path__) if module.name[0] != "_"]
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("name", choices=sorted(set(names) - PARTS))
    parser.add_argument("--json", action="store_true", help="print the object as JSON on one line")
    given, rest = parser.parse_known_args()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))  # standard output is the result's
    try:
        result = importlib.import_module(f"tests.bench.{given.name}").main(rest)
    except Busy as busy:
        print(f"not measured: {busy.words}", file=sys.stderr)
        return 3
    if given.json:
        print(json.dumps(result))
        return 0
    held = "holds" if result["holds"] else "DOES NOT HOLD"
    print(f"{result['name']}: {result['value']:.4g} {result['unit']} (target {result['target']}: {held})")
    if "text" in result:
        print(result["text"])
    for key, value in result["detail"].items():
        print(f"  {key}: {value}")
    quiet = {True: "quiet", False: "NOT QUIET", None: "not watched"}[result["quiet"]]
    print(f"  machine: {result['machine']}; load {result['load']}; {quiet}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
