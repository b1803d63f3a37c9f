"""What commit af088dc left on people's disks still works: data folder, permalinks, scripts.

tests/kept/af088dc.zip was made by that commit's own server: one shared upload, what was asked of it
(asked.json has the addresses, bodies and the hashes of what came), the cookie of who asked, and the
scripts and notebooks that it gave away. Samples were deleted, to keep it small; they come anew at
the start.
"""

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from app.settings import ROOT
from tests.running import Laterna, laterna

KEPT = Path(__file__).with_name("kept") / "af088dc.zip"


@dataclass(frozen=True)
class Old:
    """A server of today on the data of then, and what was asked then."""

    server: Laterna
    folder: Path
    asked: dict[str, Any]

    def client(self) -> httpx.Client:
        """The same person as then."""
        client = self.server.client()
        client.cookies.update(self.asked["cookies"])
        return client


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Old]:
    folder = tmp_path_factory.mktemp("af088dc")
    with zipfile.ZipFile(KEPT) as archive:
        archive.extractall(folder)
    asked = json.loads((folder / "asked.json").read_text("utf-8"))
    with laterna(folder / "data") as server:
        yield Old(server.wait_until_ready(), folder, asked)


def test_all_results_of_then_are_given_as_they_were(old: Old) -> None:
    """What was drawn without being asked for is today asked for: the full range, linear."""
    then = {"scale": "layer", "gamma": "1"}
    with old.client() as client:
        for address, said in old.asked["pages"].items():
            url = httpx.URL(address)
            answer = client.get(url.copy_merge_params(then) if "/layers/" in address else url)
            assert answer.status_code == 200, (address, answer.text)
            if "sha256" in said:
                assert hashlib.sha256(answer.content).hexdigest() == said["sha256"], address


def test_permalinks_of_then_lead_to_the_same_pictures(old: Old) -> None:
    with old.client() as client:
        for known in old.asked["visualizations"]:
            told = client.get(f"/visualizations/{known['id']}.json").json()
            assert told["state"] == "done", told
            assert client.get(f"/visualizations/{known['id']}").status_code == 200
            picture = client.get(f"/visualizations/{known['id']}.png").content
            assert hashlib.sha256(picture).hexdigest() == known["sha256"]


def test_what_is_asked_for_again_is_there_under_the_same_id(old: Old) -> None:
    with old.client() as client:
        for known in old.asked["visualizations"]:
            answer = client.post("/visualizations.json", json=known["body"])
            assert (answer.status_code, answer.json()["id"]) == (200, known["id"]), known["body"]


def test_the_upload_of_then_is_still_its_owners(old: Old) -> None:
    image = old.asked["image"]
    with old.client() as owner, old.server.client() as stranger:
        mine = owner.get("/images.json").json()["images"]
        assert image in [row["id"] for row in mine]
        assert stranger.get(f"/images/{image}.json").status_code == 200, "it was shared"
        assert stranger.delete(f"/images/{image}").status_code == 404


@pytest.mark.parametrize("kind", ["class", "reconstruction"])
def test_a_script_downloaded_then_still_makes_its_picture(
    old: Old, kind: str, tmp_path: Path
) -> None:
    known = next(row for row in old.asked["visualizations"] if row["body"]["kind"] == kind)
    given = []
    with old.client() as client:
        if kind == "reconstruction":
            picture = tmp_path / "picture.png"
            picture.write_bytes(client.get(f"/images/{old.asked['image']}.png").content)
            given = [str(picture)]
        kept = tmp_path / "kept.png"
        kept.write_bytes(client.get(f"/visualizations/{known['id']}.png").content)
    target = tmp_path / "again.png"
    done = subprocess.run(
        [sys.executable, str(old.folder / f"{kind}.script"), *given, str(target)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": "."},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    # Other processors round differently, so not the bytes: no pixel is far from what it was.
    with Image.open(target) as again, Image.open(kept) as before:
        assert again.size == before.size
        pairs = zip(again.convert("L").tobytes(), before.convert("L").tobytes(), strict=True)
        assert sum(abs(a - b) for a, b in pairs) / (again.width * again.height) < 8


@pytest.mark.parametrize("kind", ["grid", "channel", "visualization"])
def test_a_notebook_downloaded_then_still_runs(old: Old, kind: str, tmp_path: Path) -> None:
    """Its own cells compare what they make with what the page said then."""
    runner = (
        "import json, sys\n"
        "names = {'__name__': '__main__'}\n"
        "for cell in json.load(open(sys.argv[1]))['cells']:\n"
        "    if cell['cell_type'] == 'code':\n"
        "        exec(compile(cell['source'], cell['id'], 'exec'), names)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", runner, str(old.folder / f"{kind}.ipynb")],
        cwd=tmp_path,
        env=os.environ | {"LATERNA": str(ROOT), "STEPS": "2"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
