"""``python -m tests.bench NAME [--json] [--quick]``: one measurement, printed as one object."""

import argparse
import importlib
import json
import pkgutil
import sys

import tests.bench


def main() -> int:
    """Run one benchmark by its module's name; 0 unless it could not be measured."""
    names = sorted(module.name for module in pkgutil.iter_modules(tests.bench.__path__) if module.name[0] != "_")
    names.remove("common")
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("name", choices=names)
    parser.add_argument("--json", action="store_true", help="print the object as JSON on one line")
    given, rest = parser.parse_known_args()
    result = importlib.import_module(f"tests.bench.{given.name}").main(rest)
    if given.json:
        print(json.dumps(result))
        return 0
    held = "holds" if result["holds"] else "DOES NOT HOLD"
    print(f"{result['name']}: {result['value']:.4g} {result['unit']} (target {result['target']}: {held})")
    for key, value in result["detail"].items():
        print(f"  {key}: {value}")
    print(f"  machine: {result['machine']}; load {result['load']}", file=sys.stderr)
    return 0


sys.exit(main())
