"""The running program, asked over loopback: start, memory, repeated grids, calm under load, weight.

`python -m benchmarks.serving`: starts `python -m app` itself, on data of its own.
"""

import contextlib
import gzip
import http.client
import itertools
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.timing import quantile

ROOT = Path(__file__).resolve().parent.parent
GRID = "/images/{}/models/{}/layers/{}.png"
PAGE = "/models/efficientnet-lite0"
HEAVY, HEAVY_LAYER = "vgg16-untrained", "features.28"
PAGES = ("/", "/models", PAGE, "/images/chelsea/models/efficientnet-lite0/layers/blocks.2.0")


class Server:
    """`python -m app` on a free port; `seconds` is what it took to answer."""

    def __init__(self, folder: Path) -> None:
        environment = os.environ | {
            "PORT": "0",
            "LATERNA_DATA_DIR": str(folder / "data"),
            "LATERNA_OFFLINE": "true",
        }
        self._log = (folder / "log").open("wb")
        start = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "app"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        assert self.process.stdout is not None
        line = next(line for line in self.process.stdout if line.startswith("Laterna is at"))
        self.host = line.split("//")[1].strip()
        assert self.get("/healthz")[0] == 200
        self.seconds = time.perf_counter() - start

    def get(
        self, address: str, line: http.client.HTTPConnection | None = None
    ) -> tuple[int, bytes]:
        """Status and body, over a connection of one's own or a new one."""
        with (
            contextlib.closing(self.connection())
            if line is None
            else contextlib.nullcontext(line) as on
        ):
            on.request("GET", address)
            answer = on.getresponse()
            return answer.status, answer.read()

    def connection(self) -> http.client.HTTPConnection:
        """A line that stays open."""
        return http.client.HTTPConnection(self.host, timeout=120)

    def resident_mb(self) -> float:
        """Memory of the web process, megabytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text("utf-8")
        found = re.search(r"VmRSS:\s+(\d+)", status)
        return round(int(found[1]) / 1024, 1) if found else 0.0

    def stop(self) -> float:
        """End it; the seconds that took."""
        start = time.perf_counter()
        self.process.terminate()
        self.process.wait(30)
        self._log.close()
        return time.perf_counter() - start


def timed(server: Server, address: str, times: int) -> list[float]:
    """Seconds of each of many answers over one line."""
    with contextlib.closing(server.connection()) as line:
        taken = []
        for _ in range(times):
            start = time.perf_counter()
            status, _ = server.get(address, line)
            taken.append(time.perf_counter() - start)
            assert status == 200, (address, status)
    return taken


@contextlib.contextmanager
def heavy_load(server: Server, askers: int, seeds: Iterator[int]) -> Iterator[list[int]]:
    """Others who ask for grids of VGG-16, each a new one, as long as the block lasts."""
    over = threading.Event()
    made: list[int] = []
    photos = ("chelsea", "coffee", "rocket", "camera", "flower", "palace", "alps", "astronaut")

    def ask() -> None:
        while not over.is_set():
            seed = next(seeds)
            address = GRID.format(photos[seed % 8], HEAVY, HEAVY_LAYER)
            status, _ = server.get(f"{address}?tile={14 + seed // 8}")
            made.append(status)

    threads = [threading.Thread(target=ask) for _ in range(askers)]
    for thread in threads:
        thread.start()
    try:
        yield made
    finally:
        over.set()
        for thread in threads:
            thread.join()


def calm_under_load(server: Server, rounds: int = 4, times: int = 250) -> dict[str, Any]:
    """p99 of a page that needs no device, idle and while grids of VGG-16 are made, in turn."""
    idle: list[float] = []
    busy: list[float] = []
    seeds = itertools.count()
    grids = 0
    server.get(GRID.format("chelsea", HEAVY, HEAVY_LAYER))
    timed(server, PAGE, 50)
    for _ in range(rounds):
        idle += timed(server, PAGE, times)
        with heavy_load(server, 4, seeds) as made:
            time.sleep(0.2)
            busy += timed(server, PAGE, times)
        grids += made.count(200)
    result = {
        name: {"p50_ms": _ms(statistics.median(taken)), "p99_ms": _ms(quantile(taken, 0.99))}
        for name, taken in (("idle", idle), ("while VGG-16 grids are made", busy))
    }
    ratio = round(quantile(busy, 0.99) / quantile(idle, 0.99), 2)
    return result | {"p99 ratio": ratio, "grids made meanwhile": grids}


def weight(server: Server, address: str) -> dict[str, int]:
    """Bytes of a page with its styles and scripts, plain and as gzip would send them."""
    _, page = server.get(address)
    assets = set(re.findall(rb'(?:href|src)="(/static/[^"]+\.(?:css|js))"', page))
    bodies = [page, *(server.get(asset.decode())[1] for asset in assets)]
    return {
        "bytes": sum(map(len, bodies)),
        "gzip": sum(len(gzip.compress(body)) for body in bodies),
    }


def run() -> dict[str, Any]:
    """All figures as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        try:
            early = server.resident_mb()
            while (
                server.get("/readyz")[0] != 200 or b"astronaut" not in server.get("/images.json")[1]
            ):
                time.sleep(0.1)
            idle_memory = server.resident_mb()
            grid = GRID.format("chelsea", "efficientnet-lite0", "blocks.2.0")
            timed(server, grid, 20)
            repeated = timed(server, grid, 300)
            results = {
                "start to first answer, s": round(server.seconds, 2),
                "memory of the web process, MB": {"at start": early, "idle": idle_memory},
                "repeated grid": {
                    "p50_ms": _ms(statistics.median(repeated)),
                    "p99_ms": _ms(quantile(repeated, 0.99)),
                },
                "page that needs no device": calm_under_load(server),
                "weight of pages": {address: weight(server, address) for address in PAGES},
                "memory afterwards, MB": server.resident_mb(),
            }
        finally:
            seconds = server.stop()
        return results | {"stop, s": round(seconds, 2)}


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 2)


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
