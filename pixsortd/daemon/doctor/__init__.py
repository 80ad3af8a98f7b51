"""Looks at this machine and says what will get in the daemon's way, before it does.

Each check is a generator of findings over the settings; what it judges is a pure function of what
it measured. Nothing is changed anywhere, but for a probe file in the state directory that is
removed at once. A check that fails itself is a finding, not the end of the others.
"""
