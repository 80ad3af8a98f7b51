"""Sorting in the daemon: what lies in the inboxes, what rules say of it, and what is done about it."""
