"""What did the user say? An append-only log and its replay."""
