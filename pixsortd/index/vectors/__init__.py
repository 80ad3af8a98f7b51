"""Nearest neighbours in one space: tiers by size, and files as caches that must prove themselves.

A small library is compared whole (``flat``). Past a border the bulk of it lies in an ``inverted`` file
that the analyst process trains, and what came since is compared whole beside it.
"""

from pixsortd.index.vectors.search import Origin, Vectors
from pixsortd.index.vectors.tier import BORDER, Shape, dropped, due

__all__ = ["BORDER", "Origin", "Shape", "Vectors", "dropped", "due"]
