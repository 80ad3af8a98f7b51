"""Groups over time: formed, edited, proposed, and brought back from the decisions."""

from pixsortd.daemon.grouping.arrivals import Arrivals
from pixsortd.daemon.grouping.book import Book
from pixsortd.daemon.grouping.curator import Curator
from pixsortd.daemon.grouping.grouper import Grouper
from pixsortd.daemon.grouping.levels import DaemonLevels
from pixsortd.daemon.grouping.likeness import LearnedLikeness
from pixsortd.daemon.grouping.outcome import Outcomes
from pixsortd.daemon.grouping.why import GroupingReasons

__all__ = ["Arrivals", "Book", "Curator", "DaemonLevels", "Grouper", "GroupingReasons", "LearnedLikeness", "Outcomes"]
