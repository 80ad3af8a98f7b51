"""What did the user say? An append-only log, and what follows from it."""

from pixsortd.decisions.batches import BatchState
from pixsortd.decisions.curation import Past
from pixsortd.decisions.decisions import NAME, Decisions, last_said
from pixsortd.decisions.projections import Projections

__all__ = ["NAME", "BatchState", "Decisions", "Past", "Projections", "last_said"]
