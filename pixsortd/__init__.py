"""The photo daemon that never loses a file, a name or a decision, and can always tell you why."""

__version__ = "0.1.0"
