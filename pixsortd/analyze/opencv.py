"""The one place that makes ``import pyiqa`` work on a machine without a display's libraries.

pyiqa imports OpenCV for reading image files, which it is never asked to do here; OpenCV's compiled
part needs libGL, GLib and libxcb, which a small server or a container does not have.
"""

import importlib
import sys
from types import ModuleType


def make_importable() -> bool:
    """Import ``cv2``, or put an empty module in its place; whether it is the real one.

    Idempotent; to be called before the first import of pyiqa. A metric that does use OpenCV then
    fails while it is loaded, with the missing name in its reason.
    """
    try:
        return importlib.import_module("cv2").__spec__ is not None
    except ImportError:
        sys.modules["cv2"] = ModuleType("cv2")
        return False
