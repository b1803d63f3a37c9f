"""What was asked for of some weights is never made by others."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import timm
import torch

from app.errors import WeightsChanged
from app.settings import Settings
from app.studio.makers import Workshop
from app.studio.recipes import (
    Atlas,
    ChannelImage,
    CollectionIndex,
    Filters,
    JobRecipe,
    LayerStatistics,
    Made,
    PhotoMap,
    Prediction,
    Recipe,
    Sources,
)
from tests.studio.makers.synthesis.conftest import SMALL
from tests.zoo.checkpoints import models_dir, toml

OTHERS = "0" * 64


@pytest.mark.parametrize("weights", [OTHERS, "untrained"])
@pytest.mark.parametrize(
    "kind",
    [
        lambda weights: Prediction(model="tiny", weights=weights, image="a"),
        lambda weights: LayerStatistics(model="tiny", weights=weights, image="a"),
        lambda weights: Filters(model="tiny", weights=weights, layer="conv1.0"),
    ],
)
def test_a_quick_question_says_so(
    workshop: Workshop, photo: str, kind: Callable[[str | None], Recipe], weights: str
) -> None:
    with pytest.raises(WeightsChanged):
        workshop.make(kind(weights), lambda made: None, Sources(picture=photo))
    right = workshop.network("tiny").weights_sha256
    answers: list[Made] = []
    workshop.make(kind(right), answers.append, Sources(picture=photo))
    assert answers


@pytest.mark.parametrize(
    "recipe",
    [
        ChannelImage(model="tiny", weights=OTHERS, layer="layer1.0", channel=1),
        Atlas(model="tiny", weights=OTHERS, layer="conv1.2"),
        CollectionIndex(model="tiny", weights=OTHERS, collection="c", photos="p"),
        PhotoMap(model="tiny", weights=OTHERS, collection="c", photos="p", layer="layer1.0"),
    ],
    ids=lambda recipe: recipe.kind,
)
def test_a_job_says_so(workshop: Workshop, recipe: JobRecipe) -> None:
    with pytest.raises(WeightsChanged):
        next(workshop.steps(recipe, Sources()))


def test_weights_are_loaded_anew_where_others_took_their_size_and_times_over(
    tmp_path: Path,
) -> None:
    folder = models_dir(tmp_path / "models")
    file = folder / "weights" / "own.pth"
    labels = ", ".join(f'"class {n}"' for n in range(10))
    (folder / "weights" / "own.toml").write_text(toml("timm:test_resnet", f"[{labels}]", SMALL))
    network = timm.create_model("test_resnet", num_classes=10)
    torch.save(network.state_dict(), file)
    workshop = Workshop(Settings(data_dir=tmp_path / "data", models_dir=folder), "cpu")
    before, found = workshop.network("own").weights_sha256, file.stat()
    with torch.no_grad():
        next(network.parameters()).add_(1)
    torch.save(network.state_dict(), tmp_path / "own.pth")
    os.utime(tmp_path / "own.pth", ns=(found.st_atime_ns, found.st_mtime_ns))
    (tmp_path / "own.pth").replace(file)
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (found.st_size, found.st_mtime_ns)
    recipe: Recipe = Filters(model="own", weights=before or "", layer="conv1.0")
    with pytest.raises(WeightsChanged):
        workshop.make(recipe, lambda made: None)
    assert workshop.network("own").weights_sha256 != before
