"""The processes: the only place where concrete rooms meet."""
