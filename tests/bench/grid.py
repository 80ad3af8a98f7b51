"""The page's grid over a hundred thousand photos: first pictures, frame times, nodes and memory.

Drives the system's Chromium over a library made by ``python -m tests.bench library`` (made on the spot
without ``--library``). Frame times are the distances between animation frames while the list is
scrolled by the wheel (about as one reads, and flung) and by dragging the scrubber; ``idle`` are those of
the same page at rest, which is the best this machine can do. ``--minutes 10`` is the long form of the soak.
"""

import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from playwright.sync_api import CDPSession, Page, sync_playwright

from tests.bench import library
from tests.bench.common import options, require_quiet, result
from tests.harness import Daemon

SLOW, FAST = 1_200, 12_000
"""Pixels a second: reading along, and flinging."""
WATCH = """() => {
  window.frames_ = []
  let last = performance.now()
  const frame = (now) => {
    window.frames_.push(now - last)
    last = now
    requestAnimationFrame(frame)
  }
  requestAnimationFrame(frame)
}"""
SETTLED = """() => {
  const list = document.querySelector('[role=listbox]')?.closest('.scroller').getBoundingClientRect()
  if (!list) return false
  const seen = [...document.querySelectorAll('[role=option]')].filter((one) => {
    const box = one.getBoundingClientRect()
    return box.bottom > list.top && box.top < list.bottom
  })
  const images = seen.map((one) => one.querySelector('img'))
  return images.length > 8 && images.every((image) => image && image.complete && image.naturalWidth > 0)
}"""


class Lookout:
    """One page under measurement."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.cdp: CDPSession = page.context.new_cdp_session(page)
        self.nodes = 0

    def settled(self) -> float:
        """Seconds until every photo in view shows its picture."""
        begin = time.perf_counter()
        self.page.wait_for_function(SETTLED, polling="raf", timeout=60_000)
        return time.perf_counter() - begin

    def frames(self) -> list[float]:
        """Milliseconds between the frames since the last call, the first of them left out."""
        self.count()
        found: list[float] = self.page.evaluate("() => window.frames_.splice(0)")
        return found[1:]

    def count(self) -> None:
        """Take note of how many elements there are."""
        self.nodes = max(self.nodes, self.page.evaluate("() => document.querySelectorAll('*').length"))

    def heap(self) -> float:
        """Megabytes of JavaScript that are in use after collecting what is not."""
        self.cdp.send("HeapProfiler.collectGarbage")
        return float(self.cdp.send("Runtime.getHeapUsage")["usedSize"]) / 1e6

    def wheel(self, pixels: int, speed: int) -> list[float]:
        """Scroll down (negative: up) as a hand on the wheel does; the frames meanwhile."""
        self.frames()
        self.cdp.send(
            "Input.synthesizeScrollGesture",
            {"x": 500, "y": 500, "yDistance": -pixels, "speed": speed, "gestureSourceType": "mouse"},
        )
        return self.frames()

    def scrub(self, steps: int) -> list[float]:
        """Drag the scrubber from the top to the bottom and back; the frames meanwhile."""
        box = self.page.get_by_role("slider").bounding_box()
        assert box is not None
        x, top, way = box["x"] + box["width"] / 2, box["y"] + 20, box["height"] - 40
        self.page.mouse.move(x, top)
        self.page.mouse.down()
        self.frames()
        for step in [*range(steps + 1), *range(steps, -1, -1)]:
            self.page.mouse.move(x, top + way * step / steps)
            if step % 10 == 0:
                self.count()
        found = self.frames()
        self.page.mouse.up()
        return found


def spread(frames: Sequence[float]) -> tuple[float, float, float]:
    """Median, 95th percentile and worst, in milliseconds."""
    return round(statistics.median(frames), 1), round(statistics.quantiles(frames, n=20)[18], 1), round(max(frames), 1)


def soak(lookout: Lookout, seconds: float) -> list[float]:
    """Scroll and jump about for so long; megabytes in use once a minute."""
    heaps, end, due = [lookout.heap()], time.monotonic() + seconds, time.monotonic() + min(60, seconds / 2)
    down = True
    while time.monotonic() < end:
        for _ in range(4):
            lookout.wheel(24_000 if down else -24_000, FAST)
        lookout.scrub(60)
        down = not down
        if time.monotonic() > due:
            heaps.append(lookout.heap())
            due += 60
    return [*heaps, lookout.heap()]


def main(arguments: list[str]) -> dict[str, Any]:
    """Measure one page from its first paint to its soak."""
    parser = options("grid", __doc__, "2,000 photos, a quarter of a minute")
    parser.add_argument("--library", type=Path, help="a made library; one is made in a temporary place without")
    parser.add_argument("--photos", type=int, default=100_000, help="how many to make")
    parser.add_argument("--minutes", type=float, default=2, help="how long to scroll about")
    given = parser.parse_args(arguments)
    photos, minutes = (2_000, 0.25) if given.quick else (given.photos, given.minutes)
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        raise SystemExit("no Chromium on this machine")
    with ExitStack() as stack:
        place = given.library
        if place is None:
            place = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "made"
            library.make(place, photos)
        daemon = stack.enter_context(Daemon(place, [place / "photos"], library.SETTINGS))
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        stack.callback(browser.close)
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        lookout = Lookout(page)
        require_quiet(given.anyway)
        begin = time.perf_counter()
        page.goto(daemon.url, wait_until="commit")
        lookout.settled()
        first = time.perf_counter() - begin
        page.evaluate(WATCH)
        page.wait_for_timeout(2_000)
        idle = lookout.frames()
        total = page.evaluate("() => document.querySelector('[role=option]').getAttribute('aria-setsize')")
        slow = lookout.wheel(SLOW * 8, SLOW)
        fast = [frame for _ in range(4) for frame in lookout.wheel(FAST * 2, FAST)]
        after = lookout.settled()
        scrub = lookout.scrub(120)
        landed = lookout.settled()
        heaps = soak(lookout, minutes * 60)
    detail = {
        "photos": int(total),
        "first view of pictures s": round(first, 2),
        "idle p50 / p95 / worst ms": spread(idle),
        f"wheel {SLOW} px/s p50 / p95 / worst ms": spread(slow),
        f"wheel {FAST} px/s p50 / p95 / worst ms": spread(fast),
        "scrubbing p50 / p95 / worst ms": spread(scrub),
        "pictures there after flinging / scrubbing s": (round(after, 2), round(landed, 2)),
        "elements at most": lookout.nodes,
        f"megabytes of JavaScript over {minutes} min": [round(heap, 1) for heap in heaps],
        "browser": "Chromium, software rendering",
    }
    return result("grid", spread(slow)[1], "<= 34", lambda v: v <= 34, "ms (p95 of a frame)", detail)
