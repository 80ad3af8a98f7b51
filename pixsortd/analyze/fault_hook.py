"""The one hook for fault tests: a photo whose name asks for it takes its process down.

Nothing happens unless the environment of the worker sets one of

``PIXSORTD_TEST_CRASH=TEXT``
    abort, as a native decoder would, when a file with TEXT in its path is decoded;
``PIXSORTD_TEST_HANG=TEXT``
    never come back from decoding it.
"""

import os
import time


def obey(path: bytes) -> None:
    """Crash or hang if a fault test asked for it on this path."""
    if _asked("PIXSORTD_TEST_CRASH", path):
        os.abort()
    if _asked("PIXSORTD_TEST_HANG", path):
        time.sleep(86_400)


def _asked(variable: str, path: bytes) -> bool:
    text = os.environ.get(variable)
    return bool(text) and os.fsencode(text or "") in path
