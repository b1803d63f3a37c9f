"""Neighbours among 10,000 photos, asked of the running program over loopback.

python -m benchmarks.neighbours --photos 10000 --layer bn2

The photos are of one pixel each and their vectors are noise, which takes as long as any other; the
index is put where the program would have put it. Each question is of another photo, so that none
is answered from what was made before. `device` is what the device's process takes by itself;
`processor_ms` what all processes of the program work for one question, whoever else is busy.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from app.archive import Archive, Result
from app.settings import Settings
from app.studio import lookup
from app.studio.collections.folders import Collection, Collections
from app.studio.makers import Workshop
from app.studio.recipes import CollectionIndex, KeptVectors, Neighbours, Sources
from app.zoo.catalogue import Catalogue
from app.zoo.keeper import describe
from benchmarks.serving import Server
from benchmarks.timing import quantile

MODEL = "efficientnet-lite0"
MOST_MS = 50.0
ADDRESS = "/collections/{}/models/{}/layers/{}/neighbours.json?photo={}"


def some_photos(folder: Path, count: int) -> Path:
    """A folder with so many photos of one pixel, of ten classes."""
    photos = folder / "many"
    photos.mkdir()
    first = photos / "class 0 0.png"
    Image.new("RGB", (1, 1)).save(first)
    for n in range(1, count):
        os.link(first, photos / f"class {n % 10} {n}.png")
    return photos


def put_index(archive: Archive, found: Collection, layer: str, settings: Settings) -> Result:
    """An index of noise for one layer, kept as the program keeps one."""
    described = describe(Catalogue(settings.models_dir), MODEL)
    width = next(each["shape"][0] for each in described["layers"] if each["name"] == layer)
    recipe = CollectionIndex(
        model=MODEL,
        weights=described["weights"]["sha256"] or "",
        collection=found.name,
        photos=found.digest,
    )
    noise = torch.Generator().manual_seed(0)
    count = len(found.photos)
    parts = {
        f"{layer}.vectors": torch.randn(count, width, generator=noise).half().numpy().tobytes(),
        "pixels.vectors": torch.rand(count, 768, generator=noise).half().numpy().tobytes(),
    }
    facts = {
        "model": MODEL,
        "photos_hash": found.digest,
        "photos": [_row(n, found) for n in range(count)],
        "layers": {layer: {"channels": width}},
        "sheet": {"columns": 116, "tile": 16},
    }
    return archive.keep_result(recipe.key, facts, None, "", None, parts)


def _row(n: int, found: Collection) -> dict[str, Any]:
    member = found.photos[n].member
    row = {"n": n, "name": member.name, "label": member.label, "wordnet": None, "image": ""}
    return row | {"width": 1, "height": 1, "crop": [0, 0, 1, 1]}


def on_the_device(vectors: KeptVectors, layer: str, count: int) -> dict[str, float]:
    """Milliseconds of the maker alone: the first time, with the files to read, and after that."""
    torch.set_num_threads(1)
    workshop = Workshop(Settings(), "cpu")
    sources = Sources(vectors=vectors)
    taken = []
    for photo in range(count):
        recipe = Neighbours(model=MODEL, index="i", layer=layer, photo=photo)
        began = time.perf_counter()
        workshop.make(recipe, lambda made: None, sources)
        taken.append(1000 * (time.perf_counter() - began))
    return {"first_ms": round(taken[0], 1), "median_ms": round(statistics.median(taken[1:]), 1)}


def at_the_server(server: Server, name: str, layer: str, count: int) -> dict[str, float]:
    """Milliseconds from the question to the whole answer."""
    while server.get("/readyz")[0] != 200:
        time.sleep(0.5)
    taken = []
    for photo in range(count):
        if photo == 1:
            worked = processor_seconds(server.process.pid)
        began = time.perf_counter()
        status, body = server.get(ADDRESS.format(name, MODEL, layer, photo))
        taken.append(1000 * (time.perf_counter() - began))
        assert status == 200, body
        assert len(json.loads(body)["by_features"]) == 12
    return {
        "first_ms": round(taken[0], 1),
        "median_ms": round(statistics.median(taken[1:]), 1),
        "p95_ms": round(quantile(taken[1:], 0.95), 1),
        "processor_ms": round(
            1000 * (processor_seconds(server.process.pid) - worked) / (count - 1), 1
        ),
    }


def processor_seconds(pid: int) -> float:
    """What a process and those that it started have worked, which others do not lengthen."""
    found = [pid]
    for process in found:
        for path in Path(f"/proc/{process}/task").glob("*/children"):
            found += [int(child) for child in path.read_text().split()]
    ticks = 0
    for process in found:
        said = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        ticks += int(said[11]) + int(said[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def run(photos: int, layer: str, questions: int) -> dict[str, Any]:
    """All figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = Settings(data_dir=folder / "data", collections=(some_photos(folder, photos),))
        archive = Archive(settings.data_dir, settings.quota_bytes)
        found = Collections(settings, archive).one("many", None)
        index = put_index(archive, found, layer, settings)
        vectors = lookup.kept_vectors(index, archive, layer)
        device = on_the_device(vectors, layer, questions)
        archive.close()
        os.environ["LATERNA_COLLECTIONS"] = str(folder / "many")
        os.environ["LATERNA_IDLE_PICTURES"] = "false"
        server = Server(folder)
        try:
            served = at_the_server(server, "many", layer, questions)
        finally:
            server.process.terminate()
            server.process.wait()
    return {"photos": photos, "layer": layer, "device": device, "server": served}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=10_000)
    parser.add_argument("--layer", default="bn2")
    parser.add_argument("--questions", type=int, default=40)
    given = parser.parse_args()
    figures = run(given.photos, given.layer, given.questions)
    print(json.dumps(figures, indent=2))
    assert figures["server"]["median_ms"] <= MOST_MS, figures
