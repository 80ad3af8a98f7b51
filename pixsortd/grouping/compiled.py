"""The compiled part of ``hdbscan`` that makes clusters of merges, without the rest of the package.

Importing the package brings scikit-learn and more along: a second and a half, longer than grouping
ten thousand photos takes. This part needs numpy alone.
"""

import importlib
import importlib.util
import sys
from types import ModuleType


def _part(name: str) -> ModuleType:
    """A module of the package, whose own ``__init__`` is passed by unless it has run already."""
    whole = f"hdbscan.{name}"
    if "hdbscan" in sys.modules or whole in sys.modules:
        return importlib.import_module(whole)
    spec = importlib.util.find_spec("hdbscan")
    if spec is None:
        raise ModuleNotFoundError("hdbscan is not installed", name="hdbscan")
    stand_in = ModuleType("hdbscan")
    stand_in.__path__ = list(spec.submodule_search_locations or ())
    sys.modules["hdbscan"] = stand_in
    try:
        return importlib.import_module(whole)
    finally:
        del sys.modules["hdbscan"]  # so that whoever wants the package gets all of it


_tree = _part("_hdbscan_tree")

condense_tree = _tree.condense_tree
compute_stability = _tree.compute_stability
get_clusters = _tree.get_clusters
