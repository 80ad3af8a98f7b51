"""The state directory without its daemon: what commands ask of it, check in it and mend in it."""
