"""Broad groups of things, by WordNet ids."""

import tomllib
from itertools import pairwise
from pathlib import Path

import pytest
import timm

from app.studio.collections import groups

SAID = {
    "n02085620": "dogs",  # Chihuahua
    "n02113978": "dogs",  # Mexican hairless, the last of them
    "n02114367": "other mammals",  # timber wolf
    "n01440764": "fish",  # tench
    "n07753592": "food",  # banana
    "n03770679": "vehicles",  # minivan
    "n02676566": "musical instruments",  # acoustic guitar
    "n01855032": "birds",  # red-breasted merganser
    "n02129604": "cats",  # tiger
    "n02391049": "hoofed animals",  # zebra
    "n09472597": "landscapes",  # volcano
    "n04404412": "computers and screens",  # television
    "n03944341": None,  # pinwheel
    "n00000001": None,
    "n99999999": None,
    None: None,
}


@pytest.mark.parametrize(("wordnet", "group"), SAID.items())
def test_an_id_is_of_its_group(wordnet: str | None, group: str | None) -> None:
    assert groups.group(wordnet) == group


def imagenet() -> list[str]:
    """The ids of ImageNet's thousand classes."""
    folder = Path(timm.__file__).parent / "data" / "_info"
    return (folder / "imagenet_synsets.txt").read_text().split()


def test_the_groups_are_made_of_imagenets_classes_and_do_not_overlap() -> None:
    ids = imagenet()
    said: dict[str, str] = tomllib.loads(groups.LIST.read_text("utf-8"))
    spans = sorted(part.partition("-") for text in said.values() for part in text.split())
    assert {end for first, _, last in spans for end in (first, last or first)} <= set(ids)
    assert all((last or first) < after for (first, _, last), (after, _, _) in pairwise(spans))
    found = [groups.group(wordnet) for wordnet in ids]
    assert {name: found.count(name) for name in ("dogs", "birds", "cats")} == {
        "dogs": 118,
        "birds": 59,
        "cats": 13,
    }
    assert min(found.count(name) for name in groups.names()) >= 10
    assert 0.7 < sum(name is not None for name in found) / len(ids) < 0.9


def photos(*said: tuple[str | None, str | None]) -> list[dict[str, str | None]]:
    return [{"label": label, "wordnet": wordnet} for label, wordnet in said]


def test_what_counts_as_the_same_is_what_some_photos_share_and_not_all() -> None:
    beagle, whippet = ("beagle", "n02088364"), ("whippet", "n02091134")
    tench, unknown = ("tench", "n01440764"), (None, None)
    assert groups.ways(photos(beagle, whippet, tench)) == ("group",)
    assert groups.ways(photos(beagle, beagle, tench)) == ("class", "group")
    assert groups.ways(photos(("dog", None), ("dog", None), ("cat", None))) == ("class",)
    assert groups.ways(photos(beagle, tench)) == ()
    assert groups.ways(photos(beagle, whippet)) == ()
    assert groups.ways(photos(unknown, unknown)) == ()
    rows = photos(beagle, tench, whippet, unknown)
    assert groups.numbers(rows, "group") == (0, 1, 0, groups.NONE)
    assert groups.numbers(rows, "class") == (0, 1, 2, groups.NONE)
