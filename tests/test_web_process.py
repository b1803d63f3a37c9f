"""The web's process stays without torch and numpy, whatever the device's process tells it."""

from pathlib import Path
from typing import Any

from PIL import Image

from app.studio.recipes import VISUALIZATIONS
from tests.asking import ATLAS, CHANNEL, CLASS, MODEL, REBUILT, STRIP, made
from tests.running import laterna

INDEX = {"kind": "index", "collection": "photos", "model": MODEL}
JOBS: list[dict[str, Any]] = [
    CLASS,
    CHANNEL,
    ATLAS,
    REBUILT,
    STRIP,
    {"kind": "occlusion", "image": "coffee", "class": 967, "window": 112},
    INDEX,
    INDEX | {"kind": "map", "layer": "bn2", "steps": 20},
]
HEAVY = ("libtorch", "numpy", "torchvision", "timm")


def mapped(pid: int) -> list[str]:
    """Which of the heavy packages' files a process has in its memory."""
    lines = Path(f"/proc/{pid}/maps").read_text("utf-8").splitlines()
    return [name for name in HEAVY if any(f"/{name}" in line for line in lines)]


def test_no_job_of_any_kind_brings_torch_into_the_web(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for n in range(4):
        Image.effect_noise((80, 60), 20 * n + 5).convert("RGB").save(folder / f"{n}.png")
    with laterna(
        tmp_path / "data", LATERNA_COLLECTIONS=str(folder), LATERNA_DEVICES="cpu"
    ) as server:
        server.wait_until_ready()
        assert server.process is not None
        with server.client() as client:
            assert {job["kind"] for job in JOBS} == set(VISUALIZATIONS)
            for job in JOBS:
                made(client, job)
                assert mapped(server.process.pid) == [], job["kind"]
            grid = client.get(f"/images/chelsea/models/{MODEL}/layers/bn1.png")
            assert grid.status_code == 200, grid.text
        assert mapped(server.process.pid) == []
        assert any("libtorch" in mapped(child) for child in server.children())
