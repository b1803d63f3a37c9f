"""Neighbours, shares and planes are made of the vectors that an index keeps."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from app.errors import NotMade, UnknownLayer, UnknownPhoto
from app.studio.makers import Workshop
from app.studio.makers.neighbours import placed
from app.studio.makers.vector_cache import VectorCache, read
from app.studio.recipes import (
    KeptVectors,
    Made,
    Member,
    Neighbours,
    NeighbourShares,
    PhotoMap,
    PhotoPlane,
    Recipe,
    Sources,
)
from tests.studio.makers.synthesis.driving import opened, watched

PHOTOS, GROUPS, MISSING = 40, 4, 6


def kept_as(folder: Path, values: "np.ndarray[Any, Any]") -> str:
    """The path of a file with these vectors, named by its hash."""
    data = values.astype("<f2").tobytes()
    path = folder / hashlib.sha256(data).hexdigest()
    path.write_bytes(data)
    return str(path)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> KeptVectors:
    """Early: noise. Late: groups of a direction each, of any length. Pixels: noise."""
    folder, numbers = tmp_path_factory.mktemp("vectors"), np.random.default_rng(3)
    belongs = np.arange(PHOTOS) % GROUPS
    late = np.eye(GROUPS, 8)[belongs] + 0.1 * numbers.normal(size=(PHOTOS, 8))
    late *= numbers.uniform(0.1, 9, (PHOTOS, 1))
    layers = {
        "early": numbers.normal(size=(PHOTOS, 16)),
        "late": late,
        "pixels": numbers.uniform(size=(PHOTOS, 768)),
    }
    for values in layers.values():
        values[MISSING] = 0
    files = tuple((name, kept_as(folder, values)) for name, values in layers.items())
    groups = tuple(int(n) for n in belongs)
    return KeptVectors(photos=PHOTOS, files=files, missing=(MISSING,), groups=groups)


def made(workshop: Workshop, recipe: Recipe, kept: KeptVectors) -> dict[str, Any]:
    answers: list[Made] = []
    workshop.make(recipe, answers.append, Sources(vectors=kept))
    return answers[0].facts


def vectors(kept: KeptVectors, layer: str) -> "np.ndarray[Any, Any]":
    return np.fromfile(dict(kept.files)[layer], "<f2").reshape(PHOTOS, -1).astype(np.float32)


def test_the_nearest_are_those_that_numpy_finds(workshop: Workshop, kept: KeptVectors) -> None:
    recipe = Neighbours(model="any", index="i", layer="late", photo=9, count=5)
    said = made(workshop, recipe, kept)
    assert said["photos"] == PHOTOS - 1
    own, pixels = vectors(kept, "late"), vectors(kept, "pixels")
    others = [n for n in range(PHOTOS) if n not in (9, MISSING)]
    lengths = np.linalg.norm(own, axis=1)
    cosines = {n: float(own[9] @ own[n] / lengths[9] / lengths[n]) for n in others}
    far = {n: float(np.sqrt(np.mean((pixels[9] - pixels[n]) ** 2))) for n in others}
    rows, by_pixels = said["by_features"], said["by_pixels"]
    assert [row["photo"] for row in rows] == sorted(others, key=lambda n: -cosines[n])[:5]
    assert [row["photo"] for row in by_pixels] == sorted(others, key=lambda n: far[n])[:5]
    assert rows[0]["likeness"] == pytest.approx(cosines[rows[0]["photo"]], abs=1e-4)
    assert -by_pixels[0]["likeness"] == pytest.approx(far[by_pixels[0]["photo"]], abs=1e-4)


def test_shares_are_told_layer_by_layer_beside_pixels_and_chance(
    workshop: Workshop, kept: KeptVectors
) -> None:
    said = made(workshop, NeighbourShares(model="any", index="i", by="group"), kept)
    shares = {row["layer"]: row["share"] for row in said["layers"]}
    assert list(shares) == ["early", "late"]
    assert shares["late"] == 1
    assert said["chance"] == pytest.approx(9 / 38, abs=0.01)
    assert abs(shares["early"] - said["chance"]) < 0.15
    assert abs(said["pixels"] - said["chance"]) < 0.15
    assert (said["asked"], said["photos"]) == (PHOTOS - 1, PHOTOS - 1)


def test_a_plane_has_a_place_for_each_photo_that_could_be_read(
    workshop: Workshop, kept: KeptVectors
) -> None:
    said = made(workshop, PhotoPlane(model="any", index="i", layer="late"), kept)
    places = said["places"]
    assert [n for n, place in enumerate(places) if place is None] == [MISSING]
    reach = np.array([place for place in places if place])
    assert np.abs(reach).max() == 1
    assert reach[:, 0].min() + reach[:, 0].max() == pytest.approx(0, abs=1e-3)
    assert 0 < said["shares"][1] <= said["shares"][0] < 1


def test_tsne_goes_step_by_step_and_brings_groups_together(
    workshop: Workshop, kept: KeptVectors
) -> None:
    recipe = PhotoMap(model="tiny", layer="late", collection="any", photos="x", steps=260)
    members = (Member("own.jpg", "", image="abc"), Member("other.jpg", ""))
    done, steps = watched(workshop, recipe, sources=Sources(members=members, vectors=kept))
    facts, picture = done.facts, done.picture
    assert [step.step for step in steps] == list(range(1, 261))
    assert steps[-1].preview is not None
    assert opened(steps[-1].preview()).size == opened(picture).size
    assert facts["scores"][-1] < 0.5 * facts["scores"][0]
    assert facts["photos"] == [{"image": "abc"}]
    places = {n: np.array(place) for n, place in enumerate(facts["places"]) if place}
    assert len(places) == facts["placed"] == PHOTOS - 1
    right = 0
    for n, place in places.items():
        others = sorted((m for m in places if m != n), key=lambda m: np.hypot(*(places[m] - place)))
        right += others[0] % GROUPS == n % GROUPS
    assert right > 0.9 * len(places)


def test_what_is_not_there_is_said(workshop: Workshop, kept: KeptVectors, tmp_path: Path) -> None:
    def asked(layer: str, photo: int = 0, vectors: KeptVectors = kept) -> None:
        made(workshop, Neighbours(model="any", index="i", layer=layer, photo=photo), vectors)

    with pytest.raises(UnknownLayer):
        asked("nowhere")
    with pytest.raises(UnknownPhoto):
        asked("late", PHOTOS)
    path = Path(kept_as(tmp_path, np.ones((PHOTOS, 8))))
    damaged = KeptVectors(photos=PHOTOS, files=(("late", str(path)), kept.files[-1]))
    path.write_bytes(path.read_bytes()[::-1][:-2] + b"??")
    with pytest.raises(NotMade):
        asked("late", vectors=damaged)
    path.unlink()
    with pytest.raises(NotMade):
        asked("late", vectors=damaged)


def test_the_shelf_keeps_what_fits_and_reads_the_rest_again(kept: KeptVectors) -> None:
    small = VectorCache(budget=PHOTOS * 16 * 4)
    first = small.directions(kept, "early")
    assert small.directions(kept, "early") is first
    small.values(kept, "late")
    assert small.directions(kept, "early") is not first
    assert read(dict(kept.files)["late"], PHOTOS).shape == (PHOTOS, 8)


def test_nobody_has_no_place() -> None:
    assert placed(torch.zeros(0, 2), torch.zeros(0, dtype=torch.int64), 3) == [None] * 3
