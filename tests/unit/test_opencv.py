"""pyiqa works where OpenCV's own libraries are missing."""

import importlib
import subprocess
import sys

SCORE = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name == "cv2":
            raise ImportError("libGL.so.1: cannot open shared object file", name="cv2")

sys.meta_path.insert(0, Missing())
import numpy as np
from pixsortd.analyze.metrics.iqa import family
metric = family.load("piqe", None, 512, "cpu")
pixels = np.random.default_rng(1).random((1, 3, 256, 256), dtype=np.float32)
print(sys.modules["cv2"].__spec__, *metric.score(pixels))
"""


def test_a_metric_is_computed_without_opencv():
    done = subprocess.run([sys.executable, "-c", SCORE], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    stand_in, score = done.stdout.split()[-2:]
    assert stand_in == "None"
    assert 0 < float(score) < 100


def test_a_working_opencv_is_left_alone():
    script = (
        "from pixsortd.analyze import opencv; import sys; print(opencv.make_importable(), opencv.make_importable())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    real = importlib.util.find_spec("cv2") is not None
    assert done.stdout.split() == [str(real)] * 2 or not real
