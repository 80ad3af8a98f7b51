"""Batches: named sets of photos with parameters and groups of their own, all of it kept as decisions."""

from pixsortd.daemon.batches.analyses import Analyses
from pixsortd.daemon.batches.book import Batches

__all__ = ["Analyses", "Batches"]
