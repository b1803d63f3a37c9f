"""The GPU path, rehearsed: all that a device makes is made on a pretended one, and is the same.

tests/pretended.py says what is pretended; docs/decisions.md, what this leaves unrehearsed.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.studio import recipes
from app.studio.engine import plain
from app.studio.makers import Workshop
from app.studio.recipes import (
    ActivationGrid,
    Atlas,
    ChannelImage,
    ChannelMap,
    ClassImage,
    CollectionIndex,
    Covering,
    Description,
    Filters,
    GradCam,
    JobRecipe,
    KeptVectors,
    LayerStatistics,
    LegendSheet,
    Made,
    Member,
    Neighbours,
    NeighbourShares,
    NeighboursOfPicture,
    Occlusion,
    PhotoMap,
    PhotoPlane,
    Prediction,
    Recipe,
    Reconstruction,
    Smoothness,
    Sources,
    Strip,
    Thumbnails,
)
from app.vision import masks
from tests.pretended import pretended
from tests.studio.makers.synthesis.conftest import DEAD, SHY
from tests.studio.makers.synthesis.driving import opened, watched
from tests.workshops import new_workshop

PHOTOS = 12
#: Facts that say where something was made, when, and how much at a time.
OF_THE_DEVICE = {"device", "device_name", "threads", "instructions", "seconds", "passes_seconds"}
MASK = masks.written(masks.rectangle(20, 20, 30, 40))
TINY: dict[str, Any] = {"model": "tiny"}
PICTURE: dict[str, Any] = TINY | {"image": "a"}
#: layer -> numbers per photo in its vectors.
VECTORS = {"layer1.0": 32, "pixels": 768}

ON_PICTURES = [
    Prediction(**PICTURE),
    *(ActivationGrid(**PICTURE, layer="act1", sort=s) for s in ("index", "max", "mean")),
    ActivationGrid(**PICTURE, layer="act1", scale="channel", tile=9),
    ActivationGrid(**PICTURE, layer="bn1", sort="max", low=-1.0, high=1.0),
    ActivationGrid(**PICTURE, layer="fc", sort="mean"),
    ActivationGrid(model="other", image="a", layer="features.0", sort="max"),
    LegendSheet(**PICTURE, layer="act1", sort="max", ticks=("0", "1")),
    ChannelMap(**PICTURE, layer="act1", channel=DEAD),
    ChannelMap(**PICTURE, layer="bn1", channel=1, scale="channel"),
    LayerStatistics(**PICTURE),
    Thumbnails(**PICTURE),
    GradCam(**PICTURE, layer="layer3.0"),
    GradCam(**PICTURE, layer="layer3.0.conv1", class_=2, look="map"),
    *(Covering(**PICTURE, mask=MASK, fill=f) for f in ("mean", "blur", "noise")),
    Reconstruction(**PICTURE, layer="layer1.0", steps=4),
    Reconstruction(**PICTURE, layer="layer4.0", steps=4),
    Strip(**PICTURE, layers=("act1", "layer4.0"), steps=3),
    Occlusion(**PICTURE, class_=3, window=24),
    Occlusion(**PICTURE, class_=3, window=40, fill="noise", quality="fine"),
]
OF_NETWORKS = [
    Description(**TINY),
    Filters(**TINY, layer="conv1.0"),
    Filters(**TINY, layer="layer1.0.conv1", channel=3),
    Filters(**TINY, layer="layer3.0.conv1"),
    Smoothness(**TINY),
    Smoothness(**TINY, layer="conv1.0"),
    ClassImage(**TINY, class_=1, steps=3),
    ClassImage(**TINY, class_=1, size=96, steps=2, quality="fine"),
    ClassImage(model="other", class_=954, size=64, steps=2),
    ChannelImage(**TINY, layer="layer2.0", channel=7, steps=3, pictures=3),
    ChannelImage(**TINY, layer="layer1.0", channel=4, unit="neuron", size=96, steps=2),
    ChannelImage(**TINY, layer="act1", channel=DEAD, steps=10),
    ChannelImage(**TINY, layer="act1", channel=SHY, steps=10),
    Atlas(**TINY, layer="act1", size=40, steps=3),
]
INDEX: dict[str, Any] = TINY | {"index": "i"}
OF_COLLECTIONS: list[Recipe] = [
    CollectionIndex(**TINY, collection="noise", photos="x"),
    Neighbours(**INDEX, layer="layer1.0", photo=4, count=5),
    NeighboursOfPicture(**INDEX, image="a", layer="layer1.0"),
    NeighbourShares(**INDEX, by="class"),
    PhotoPlane(**INDEX, layer="layer1.0"),
    PhotoMap(**TINY, collection="noise", photos="x", layer="layer1.0", steps=20),
]
ALL: list[Recipe] = [*ON_PICTURES, *OF_NETWORKS, *OF_COLLECTIONS]


@pytest.fixture(scope="module")
def there(models: Path) -> Iterator[Workshop]:
    """A workshop on the pretended device."""
    with pretended() as device:
        yield new_workshop(models, device)


@pytest.fixture(scope="module")
def here(models: Path) -> Workshop:
    """One on the CPU, whatever the device of the tests is."""
    return new_workshop(models, "cpu")


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> tuple[Member, ...]:
    """Photos of noise, one of them broken."""
    folder, numbers = tmp_path_factory.mktemp("photos"), np.random.default_rng(1)
    found = []
    for n in range(PHOTOS):
        path = folder / f"{n:02}.png"
        noise = numbers.integers(0, 256, (9, 7 + n, 3), dtype=np.uint8)
        Image.fromarray(noise).resize((90, 80)).save(path)
        found.append(Member(path.name, str(path), "ab"[n % 2]))
    (folder / "03.png").write_bytes(b"nothing")
    return tuple(found)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> KeptVectors:
    """The vectors of an index of such photos."""
    folder, numbers = tmp_path_factory.mktemp("vectors"), np.random.default_rng(2)
    files = []
    for layer, width in VECTORS.items():
        data = numbers.uniform(size=(PHOTOS, width)).astype("<f2").tobytes()
        path = folder / hashlib.sha256(data).hexdigest()
        path.write_bytes(data)
        files.append((layer, str(path)))
    groups = tuple(n % 2 for n in range(PHOTOS))
    return KeptVectors(photos=PHOTOS, files=tuple(files), missing=(3,), groups=groups)


@pytest.fixture
def sources(photo: str, members: tuple[Member, ...], kept: KeptVectors) -> Sources:
    """Where all that recipes are made from lies."""
    return Sources(photo, members, kept)


def made(workshop: Workshop, recipe: Recipe, sources: Sources) -> Made:
    if isinstance(recipe, JobRecipe):
        result, steps = watched(workshop, recipe, sources=sources)
        assert all(step.preview is None or step.preview() for step in steps)
        return result
    answers: list[Made] = []
    workshop.make(recipe, answers.append, sources)
    return answers[0]


@pytest.mark.parametrize("recipe", ALL, ids=lambda recipe: recipe.title)
def test_the_pretended_gpu_makes_what_the_cpu_makes(
    recipe: Recipe, there: Workshop, here: Workshop, sources: Sources
) -> None:
    ours, theirs = made(here, recipe, sources), made(there, recipe, sources)
    if isinstance(recipe, Atlas):
        return  # more channels at a time there, so each has another noise
    assert _close(told(theirs), told(ours))
    if ours.picture is not None and ours.media == "image/png":
        assert opened(theirs.picture).tobytes() == opened(ours.picture).tobytes()


def told(result: Made) -> dict[str, Any]:
    plain.checked(result)
    return {name: value for name, value in result.facts.items() if name not in OF_THE_DEVICE}


def _close(found: Any, wanted: Any) -> bool:
    """The same but for rounding, which differs with how many photos are looked at in one pass."""
    if isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(
            _close(found[name], value) for name, value in wanted.items()
        )
    if isinstance(wanted, list | tuple):
        return len(found) == len(wanted) and all(map(_close, found, wanted))
    if isinstance(wanted, float):
        return bool(found == pytest.approx(wanted, rel=1e-3, abs=1e-5))
    return bool(found == wanted)


def test_every_kind_of_recipe_is_rehearsed() -> None:
    kinds = {
        recipe
        for recipe in vars(recipes).values()
        if isinstance(recipe, type) and issubclass(recipe, Recipe) and "kind" in vars(recipe)
    }
    assert kinds == {type(recipe) for recipe in ALL}
