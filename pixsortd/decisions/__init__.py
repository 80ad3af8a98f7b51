"""What did the user say? An append-only log and its replay."""

from pixsortd.decisions.log import Decisions

__all__ = ["Decisions"]
