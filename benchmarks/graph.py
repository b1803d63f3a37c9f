"""The drawn network in Chromium: from the click to the drawing, and frames while it is moved.

`python -m benchmarks.graph`: starts `python -m app` itself, on data of its own. Each network is
opened from its own page: once when nothing is known of it (its layers are traced then), and
`--rounds` times after that. DenseNet-121 is moved with everything in it unfolded.
"""

import argparse
import json
import shutil
import statistics
import tempfile
import time
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.serving import Server
from benchmarks.timing import quantile
from tests.browser.conftest import ARGUMENTS

CATALOGUE = Path(__file__).resolve().parent.parent / "models" / "catalogue.toml"
MOVED = "densenet121"
#: Frames in a second of a screen that Chromium draws for, and drags that are measured.
FULL, DRAGS = 60, 12
#: Collects the times of all frames until it is told to stop.
WATCH = """() => {
  window.frames_ = [];
  const next = (time) => { frames_.push(time); window.watching = requestAnimationFrame(next); };
  requestAnimationFrame(next);
}"""
STOP = "() => { cancelAnimationFrame(window.watching); return window.frames_; }"


def opened(page: Page, host: str, model: str) -> float:
    """Milliseconds from the click on a network's page until its drawing stands there."""
    page.goto(f"http://{host}/models/{model}", wait_until="networkidle")
    start = time.perf_counter()
    page.click(f'a[href="/models/{model}/graph"]')
    page.wait_for_selector("#graph[data-drawn]")
    return 1000 * (time.perf_counter() - start)


def openings(browser: Browser, host: str, rounds: int) -> dict[str, dict[str, float]]:
    """Per network: the median with what is kept, and the drawing's own part of it."""
    names = [entry["name"] for entry in tomllib.loads(CATALOGUE.read_text("utf-8"))["network"]]
    found = {}
    for name in names:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(60_000)
        times = [opened(page, host, name) for _ in range(rounds)]
        found[name] = {
            "click_to_drawn_ms": round(statistics.median(times)),
            "slowest_ms": round(max(times)),
            "layout_and_drawing_ms": round(page.evaluate("drawing.drawnIn")),
        }
        page.close()
    return found


def moving(browser: Browser, host: str) -> dict[str, Any]:
    """Frames while DenseNet-121, unfolded, is dragged up and down by the mouse."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    opened(page, host, MOVED)
    while page.evaluate("drawing.open.size") < page.evaluate(
        "[...drawing.tree.items.values()].filter((item) => item.members).length"
    ):
        page.click("[data-do=unfold]")
    box = page.locator("#graph").bounding_box()
    assert box is not None
    x, top, bottom = box["x"] + 200, box["y"] + 40, box["y"] + box["height"] - 40
    page.evaluate(WATCH)
    for _ in range(DRAGS):
        page.mouse.move(x, bottom)
        page.mouse.down()
        page.mouse.move(x, top, steps=40)
        page.mouse.up()
    frames: list[float] = page.evaluate(STOP)
    lasted = [after - before for before, after in pairwise(frames)]
    return {
        "boxes": page.evaluate("drawing.placed.size"),
        "pixels_moved": page.evaluate("stage.scrollTop"),
        "frames_per_second": round(1000 * len(lasted) / sum(lasted), 1),
        "p99_frame_ms": round(quantile(lasted, 0.99), 1),
        "frames_dropped": sum(1 for one in lasted if one > 1.5 * 1000 / FULL),
        "frames": len(lasted),
    }


def run(rounds: int = 3) -> dict[str, Any]:
    """All figures."""
    executable = shutil.which("chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = Server(Path(folder))
        browser = playwright.chromium.launch(executable_path=executable, args=list(ARGUMENTS))
        try:
            while server.get("/readyz")[0] != 200:
                time.sleep(0.2)
            first = {}
            for entry in tomllib.loads(CATALOGUE.read_text("utf-8"))["network"]:
                start = time.perf_counter()
                assert server.get(f"/models/{entry['name']}/graph.json")[0] == 200
                first[entry["name"]] = round(1000 * (time.perf_counter() - start))
            return {
                "traced_once_ms": first,
                "opened": openings(browser, server.host, rounds),
                "moved": moving(browser, server.host),
            }
        finally:
            browser.close()
            server.stop()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    print(json.dumps(run(parser.parse_args().rounds), indent=2))


if __name__ == "__main__":
    main()
