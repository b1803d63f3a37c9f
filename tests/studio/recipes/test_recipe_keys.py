"""Keys of recipes are addresses that people keep: no renaming may change one."""

from typing import Any

import pytest

from app.studio import recipes
from app.studio.recipes import OfPicture, Recipe

MODEL, WEIGHTS = "efficientnet-lite0", "5f" * 32
PHOTOS, INDEX = "ab" * 32, "cd" * 32
#: Of each kind at least one, with the key that commit af088dc gave it.
KNOWN: list[tuple[type[Recipe], dict[str, Any], str]] = [
    (
        recipes.Description,
        {"model": MODEL, "weights": WEIGHTS},
        "7e196d679d19768241b564e029baf9ec61cf71cc698f2361c7c7f562d33d2723",
    ),
    (
        recipes.Prediction,
        {"model": MODEL, "weights": WEIGHTS, "image": "chelsea"},
        "1ef40420697ef2010a06cf2ba1c11cc81cd6667127daa2dbc33a09e07ff5fb9e",
    ),
    (
        recipes.ActivationGrid,
        {"model": MODEL, "weights": WEIGHTS, "image": "chelsea", "layer": "blocks.2.0"},
        "07d855df69dc2d6179b5ee835cdf4aaf4a1fd37d7f183c91481020e4a6e11b90",
    ),
    (
        recipes.ActivationGrid,
        {
            "model": MODEL,
            "weights": WEIGHTS,
            "image": "chelsea",
            "layer": "blocks.2.0",
            "scale": "channel",
            "sort": "max",
            "colors": "viridis",
            "tile": 64,
            "low": -1.5,
            "high": 2.5,
        },
        "c2638604fae4fd1d6401b144a209040976f70843cdd09b9dae0becf308f9d711",
    ),
    (
        recipes.LegendSheet,
        {
            "model": MODEL,
            "weights": WEIGHTS,
            "image": "chelsea",
            "layer": "bn2",
            "heading": "bn2",
            "lines": ("a", "b"),
            "ticks": ("0", "6"),
            "words": "w",
        },
        "7c9f6f10946345c62e8eef28ab26524707e2f014e9d1ea6bb49d0c92c816969c",
    ),
    (
        recipes.LayerStatistics,
        {"model": MODEL, "weights": WEIGHTS, "image": "chelsea"},
        "789b65bbd6e9231f4182ce41eeff1b485436995df9f7bda604f50e605789d654",
    ),
    (
        recipes.ChannelMap,
        {"model": MODEL, "weights": WEIGHTS, "image": "chelsea", "layer": "bn1", "channel": 3},
        "999ae21c400f682ba50ad0182235c7ff56eb3bd12f053f3d3cf3d24b2d7dfc2a",
    ),
    (
        recipes.GradCam,
        {
            "model": MODEL,
            "weights": WEIGHTS,
            "image": "chelsea",
            "layer": "bn2",
            "class_": 281,
            "look": "map",
        },
        "873f823e8809de788630a9d925fdfd80720e87a6b8503a61cd508d3d444044ad",
    ),
    (
        recipes.Covering,
        {
            "model": MODEL,
            "weights": WEIGHTS,
            "image": "chelsea",
            "mask": "00ff",
            "fill": "noise",
            "seed": 4,
        },
        "87d4fb9c115872fb2fcfaac1990e69877ad38f0952a2f9e96c3b30a8d315e52c",
    ),
    (
        recipes.Thumbnails,
        {"model": MODEL, "weights": WEIGHTS, "image": "chelsea"},
        "30d46d1538f54c0d33c92dd5aa44838afd502604ebc2e5fa4e373aae648b0a4e",
    ),
    (
        recipes.Filters,
        {"model": MODEL, "weights": WEIGHTS, "layer": "conv_stem", "channel": 2, "reach": 0.25},
        "3c403e85a6ffe13bec4d4651199301f6eb81646d2fb791b5d7b96881d1129efd",
    ),
    (
        recipes.Smoothness,
        {"model": MODEL, "weights": WEIGHTS},
        "54ebec296858552914e75ae1dea1c694021dfb234ff1153ff70d45d52bca4cb5",
    ),
    (
        recipes.ClassImage,
        {"model": MODEL, "weights": WEIGHTS, "class_": 954},
        "28bfdf40b2c39ac25a41f91a889ce88c4ec241d6d9946cb411cfd4ca8805c54c",
    ),
    (
        recipes.ClassImage,
        {"model": MODEL, "class_": 954, "quality": "fine", "size": 299, "steps": 64, "seed": 7},
        "802044c48cc3f1d6d09517505ac41b1696ed0da370bb323f6d123479509d830d",
    ),
    (
        recipes.ChannelImage,
        {
            "model": MODEL,
            "weights": WEIGHTS,
            "layer": "bn1",
            "channel": 5,
            "unit": "neuron",
            "pictures": 4,
        },
        "7cc3e5210853bcbb88c9a5614a491e2aacf9420d458bfc0e0a33c22efadc9af6",
    ),
    (
        recipes.Atlas,
        {"model": MODEL, "weights": WEIGHTS, "layer": "bn1"},
        "968754a0e99212c7d78c1dddc861ccde450f6f76661b653a3631efbe31fb295f",
    ),
    (
        recipes.Reconstruction,
        {"model": MODEL, "weights": WEIGHTS, "image": "chelsea", "layer": "bn1"},
        "4a5eb402c4be7896cde9aee1f00cbbe4b516754aafa7673c16b96703f5eeb441",
    ),
    (
        recipes.Strip,
        {"model": MODEL, "weights": WEIGHTS, "image": "chelsea", "layers": ("bn1", "blocks.0.0")},
        "6b621d5a2ac0ea1b31c6acb715f0bc5d84abe5e127722bde16f065329c558b55",
    ),
    (
        recipes.Occlusion,
        {
            "model": MODEL,
            "weights": WEIGHTS,
            "image": "chelsea",
            "class_": 281,
            "window": 32,
            "fill": "blur",
        },
        "c3838abb079b989ef54ecbe485b216e7ca0cea6910e2788427bcd4dac55be176",
    ),
    (
        recipes.CollectionIndex,
        {"model": MODEL, "weights": WEIGHTS, "collection": "photos", "photos": PHOTOS},
        "78b966dd594aa53908ff9685cdf2adf8a5ef34889f98218e13a44f10ec8d4868",
    ),
    (
        recipes.CollectionIndex,
        {
            "model": MODEL,
            "weights": WEIGHTS,
            "collection": "uploads",
            "photos": PHOTOS,
            "whose": "me",
        },
        "07fb8ddeb059e9b3c8e91fcfa8aba432fdf828ba405cec434f16b5546f023c03",
    ),
    (
        recipes.Neighbours,
        {"model": MODEL, "weights": WEIGHTS, "index": INDEX, "layer": "bn2", "photo": 3},
        "3ae36cc934a39d02330cdf1c54bd83b007ee7a2d274dddd0f94e0473ef5373b1",
    ),
    (
        recipes.NeighboursOfPicture,
        {"model": MODEL, "weights": WEIGHTS, "index": INDEX, "image": "chelsea", "layer": "bn2"},
        "6a31bd9af3df7b8bc628411020f51d8144b77f9c3ad53edf13165e2d25cb77c6",
    ),
    (
        recipes.NeighbourShares,
        {"model": MODEL, "weights": WEIGHTS, "index": INDEX, "by": "group"},
        "09273bec12c5dada6ee012aa325ef6074fd048b0c01bd2ecce5df437082877c9",
    ),
    (
        recipes.PhotoPlane,
        {"model": MODEL, "weights": WEIGHTS, "index": INDEX, "layer": "bn2"},
        "11debb932295f851f4781159eafb039321765a14195001df036a0cce51819e01",
    ),
    (
        recipes.PhotoMap,
        {
            "model": MODEL,
            "weights": WEIGHTS,
            "collection": "photos",
            "photos": PHOTOS,
            "layer": "bn2",
            "quality": "fine",
        },
        "a2146afb8bf86170be8d304e2fcb3f243482afaf39e5837db2b6c3bf6a17b26d",
    ),
]


@pytest.mark.parametrize(
    ("kind", "values", "key"), KNOWN, ids=[f"{kind.__name__}-{key[:6]}" for kind, _, key in KNOWN]
)
def test_a_recipe_keeps_its_key(kind: type[Recipe], values: dict[str, Any], key: str) -> None:
    made = kind(**values)
    assert made.key == key
    assert not [name for name in vars(made) if name in ("source", "members", "kept")]
    if issubclass(kind, OfPicture):  # as scripts say that were downloaded from that commit
        assert kind(**values, source="wherever.png").key == key


def test_every_kind_that_is_kept_is_among_them() -> None:
    kinds = {
        one for one in vars(recipes).values() if isinstance(one, type) and issubclass(one, Recipe)
    }
    assert {one for one in kinds if "kind" in vars(one)} == {kind for kind, _, _ in KNOWN}
