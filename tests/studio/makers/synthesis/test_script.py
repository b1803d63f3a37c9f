"""The script that a page gives away makes the same bytes in an interpreter of its own."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from app.studio.exports.script import script
from app.studio.makers import Workshop
from app.studio.recipes import ClassImage, Reconstruction, Visualization
from tests.studio.makers.synthesis.driving import made
from tests.zoo.checkpoints import ROOT


def run(text: str, folder: Path, models: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script as its first lines say."""
    program = folder / "again.py"
    program.write_text(text, "utf-8")
    return subprocess.run(
        [sys.executable, str(program), *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": ".", "LATERNA_MODELS_DIR": str(models)},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("kind", ["class", "reconstruction"])
def test_it_makes_the_same_bytes(
    kind: str, workshop: Workshop, models: Path, photo: str, tmp_path: Path
) -> None:
    weights = workshop.network("efficientnet-lite0").weights_sha256 or ""
    recipe: Visualization = ClassImage(
        model="efficientnet-lite0", weights=weights, class_=954, size=96, steps=3
    )
    given = []
    if kind == "reconstruction":
        recipe = Reconstruction(
            model="tiny",
            definition=workshop.network("tiny").entry.definition,
            image="secret-name",
            source=photo,
            layer="layer1.0",
            steps=4,
        )
        given = [photo]
    result = made(workshop, recipe)
    versions = result.facts["versions"] | {"timm": "0.0.1"}
    text = script(recipe, result.facts | {"versions": versions})
    assert "secret-name" not in text
    assert photo not in text
    target = tmp_path / "again.png"
    done = run(text, tmp_path, models, *given, str(target))
    assert done.returncode == 0, done.stderr
    assert "it was 0.0.1: bytes may differ" in done.stderr
    assert target.read_bytes() == result.picture


def test_it_stops_where_the_weights_differ(
    workshop: Workshop, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = ClassImage(model="tiny", class_=1, steps=2)
    facts = made(workshop, recipe).facts | {"weights_sha256": "0" * 64}
    program, target = tmp_path / "again.py", tmp_path / "again.png"
    program.write_text(script(recipe, facts), "utf-8")
    monkeypatch.setenv("LATERNA_MODELS_DIR", str(models))
    monkeypatch.setattr(sys, "argv", [str(program), str(target)])
    with pytest.raises(SystemExit, match="weights of tiny differ"):
        runpy.run_path(str(program))
    assert not target.exists()
