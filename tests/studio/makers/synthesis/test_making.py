"""Every kind is made step by step, the same each time, and says truly how it was made."""

import io
import json
from dataclasses import replace
from typing import Any

import pytest
import torch
from PIL import Image, ImageSequence

from app import __version__
from app.errors import (
    LaternaError,
    NotFiniteStep,
    UnknownChannel,
    UnknownClass,
    UnknownImage,
    UnknownLayer,
    WrongField,
)
from app.studio.makers import Workshop
from app.studio.makers.synthesis.facts import thinned
from app.studio.recipes import (
    Atlas,
    ChannelImage,
    ClassImage,
    JobRecipe,
    Reconstruction,
    Strip,
    Visualization,
    visualization,
)
from tests.studio.makers.synthesis.driving import made, opened, texts, watched
from tests.zoo.checkpoints import ROOT

LITE0 = "efficientnet-lite0"


def recipe(kind: str, photo: str) -> Visualization:
    """A small one of each kind."""
    of_picture = {"image": "secret-name", "source": photo}
    said: dict[str, dict[str, Any]] = {
        "class": {"class": 3, "steps": 6},
        "channel": {"layer": "layer1.0", "channel": 4, "steps": 6, "pictures": 2},
        "atlas": {"layer": "conv1.2", "steps": 4},
        "reconstruction": of_picture | {"layer": "layer1.0", "steps": 16},
        "strip": of_picture | {"steps": 3},
    }
    made = visualization({"kind": kind, "model": "tiny"} | said[kind])
    assert isinstance(made, Visualization)
    return made


KINDS = ("class", "channel", "atlas", "reconstruction", "strip")


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_recipe_gives_the_same_bytes(kind: str, workshop: Workshop, photo: str) -> None:
    wanted = recipe(kind, photo)
    first, again = made(workshop, wanted), made(workshop, wanted)
    assert first.picture == again.picture
    assert first.parts == again.parts
    other = made(workshop, replace(wanted, seed=1))
    assert other.picture != first.picture
    timeless = [one.facts | {"seconds": 0} for one in (first, again)]
    assert timeless[0] == timeless[1]


@pytest.mark.parametrize("kind", KINDS)
def test_facts_say_what_made_it(kind: str, workshop: Workshop, photo: str) -> None:
    wanted = recipe(kind, photo)
    facts = json.loads(json.dumps(made(workshop, wanted).facts))
    for name in set(wanted.facts()) - {"size", "steps", "layers"}:
        assert facts[name] == wanted.facts()[name]
    assert facts["size"] in (64, 56)
    layers = len(facts["layers"]) if kind == "strip" else 1
    assert facts["steps"] == wanted.steps * layers
    assert facts["weights_sha256"] == workshop.network("tiny").weights_sha256
    assert facts["trained"] is True
    assert facts["device"] == "cpu"
    assert facts["threads"] == 1
    assert facts["seconds"] > 0
    assert facts["versions"]["torch"] == torch.__version__
    assert set(facts["versions"]) == {"laterna", "python", "torch", "torchvision", "timm"}
    assert 1 <= len(facts["scores"]) <= 512
    picture = opened(made(workshop, wanted).picture)
    assert picture.size == (facts["width"], facts["height"])


@pytest.mark.parametrize("kind", KINDS)
def test_the_picture_carries_its_recipe_but_not_whose_it_is(
    kind: str, workshop: Workshop, photo: str
) -> None:
    weights = workshop.network("tiny").weights_sha256 or ""
    wanted = replace(recipe(kind, photo), weights=weights)
    result = made(workshop, wanted)
    said = texts(result.picture)
    carried = json.loads(said["Laterna recipe"])
    assert carried == {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in wanted.facts().items()
        if name != "image"
    }
    assert json.loads(said["Laterna method"]) == json.loads(json.dumps(result.facts["method"]))
    assert said["Laterna weights"] == result.facts["weights_sha256"]
    assert json.loads(said["Laterna made with"])["laterna"] == __version__
    for data in (result.picture or b"", *result.parts.values()):
        assert b"secret-name" not in data
        assert photo.encode() not in data


@pytest.mark.parametrize("kind", KINDS)
def test_it_can_be_watched(kind: str, workshop: Workshop, photo: str) -> None:
    steps = []
    for progress in workshop.steps(recipe(kind, photo)):
        assert progress.preview is not None
        with Image.open(io.BytesIO(progress.preview())) as preview:
            assert preview.format == "JPEG"
            assert max(preview.size) <= 960
            steps.append((progress.step, progress.steps, preview.convert("RGB").tobytes()))
    assert all(0 < step <= of for step, of, _ in steps)
    assert [step for step, _, _ in steps] == sorted(step for step, _, _ in steps)
    assert steps[-1][0] == steps[-1][1]
    assert len({preview for _, _, preview in steps}) >= len(steps) // 2, "it grows"


@pytest.mark.parametrize("kind", KINDS)
def test_its_growth_is_an_animation(kind: str, workshop: Workshop, photo: str) -> None:
    result = made(workshop, recipe(kind, photo))
    assert result.facts["parts"] == list(result.parts)
    with Image.open(io.BytesIO(result.parts["growth.webp"])) as film:
        assert film.format == "WEBP"
        frames = [frame.convert("RGB").tobytes() for frame in ImageSequence.Iterator(film)]
    assert 3 <= len(frames) <= 40
    assert len(set(frames)) >= len(frames) - 1
    assert frames[0] != frames[-1]


def test_a_long_growth_has_at_most_forty_frames(workshop: Workshop) -> None:
    result = made(workshop, ClassImage(model="tiny", class_=1, steps=97))
    with Image.open(io.BytesIO(result.parts["growth.webp"])) as film:
        # The encoder makes one of frames that are the same.
        assert 20 <= getattr(film, "n_frames", 1) <= 40
    assert len(result.facts["scores"]) == 97


def test_scores_are_thinned_evenly_with_both_ends() -> None:
    found = thinned([float(n) for n in range(2000)])
    assert len(found) == 512
    assert (found[0], found[-1]) == (0, 1999)
    assert found == sorted(set(found))
    assert thinned([1 / 3, 2.0]) == [0.33333, 2.0]


@pytest.mark.parametrize("kind", KINDS)
def test_one_that_is_left_leaves_nothing_behind(kind: str, workshop: Workshop, photo: str) -> None:
    module = workshop.network("tiny").module
    steps = workshop.steps(recipe(kind, photo))
    next(steps)
    hooks = [part for part in module.modules() if part._forward_hooks or part._forward_pre_hooks]
    assert hooks == [], "nothing listens between steps"
    assert torch.is_grad_enabled()
    steps.close()


@pytest.mark.parametrize("kind", KINDS)
def test_quick_requests_between_steps_change_nothing(
    kind: str, workshop: Workshop, photo: str
) -> None:
    wanted = recipe(kind, photo)
    alone = made(workshop, wanted)

    def disturb() -> None:
        torch.rand(7)
        with torch.no_grad():
            workshop.network("tiny")(torch.zeros(1, 3, 64, 64))

    assert watched(workshop, wanted, disturb)[0].picture == alone.picture


@pytest.mark.parametrize(
    ("wish", "error"),
    [
        (ClassImage(model="tiny", class_=10), UnknownClass),
        (ClassImage(model="tiny", class_=-1), UnknownClass),
        (ChannelImage(model="tiny", layer="nowhere", channel=0), UnknownLayer),
        (ChannelImage(model="tiny", layer="act1", channel=32), UnknownChannel),
        (Atlas(model="tiny", layer="nowhere"), UnknownLayer),
        (Atlas(model="tiny", layer="act1", size=4096), WrongField),
        (Reconstruction(model="tiny", layer="no", image="", source=""), UnknownLayer),
        (Reconstruction(model="tiny", layer="act1", image="", source="/gone"), UnknownImage),
        (Strip(model="tiny", image="", source="/gone"), UnknownImage),
        (Strip(model="tiny", image="", source="", layers=("act1", "no")), UnknownLayer),
        (ClassImage(model="other", class_=3, size=8), WrongField),
    ],
    ids=lambda value: value.kind if isinstance(value, JobRecipe) else "",
)
def test_what_cannot_be_made_is_said_at_the_first_step(
    workshop: Workshop, wish: JobRecipe, error: type[LaternaError]
) -> None:
    with pytest.raises(error):
        next(workshop.steps(wish))


def test_values_without_end_stop_it(workshop: Workshop) -> None:
    weight = workshop.network("tiny").module.get_submodule("fc").weight
    assert isinstance(weight, torch.Tensor)
    steps = workshop.steps(ClassImage(model="tiny", class_=2, steps=6))
    next(steps)
    kept = weight[2, 0].item()
    weight[2, 0] = float("nan")
    try:
        with pytest.raises(NotFiniteStep):
            next(steps)
    finally:
        weight[2, 0] = kept


def test_an_untrained_network_marks_what_is_made_from_it(workshop: Workshop) -> None:
    result = made(workshop, ClassImage(model=f"{LITE0}-untrained", class_=1, size=64, steps=2))
    assert result.facts["trained"] is False
    assert result.facts["weights_sha256"] is None
    assert texts(result.picture)["Laterna weights"] == "untrained"
    picture = opened(result.picture)
    assert picture.size == (64, 84)
    assert (224, 36, 36) in [color for _, color in picture.getcolors(1 << 16) or []]


def test_a_class_image_is_measured_as_it_is_kept(workshop: Workshop) -> None:
    result, seen = watched(workshop, ClassImage(model=LITE0, class_=954, size=96, steps=12))
    facts = result.facts
    picture = torch.tensor(list(opened(result.picture).tobytes())).view(1, 96, 96, 3)
    batch = (picture.permute(0, 3, 1, 2).float() - 127) / 128
    with torch.no_grad():
        own = workshop.network(LITE0).module(batch)[0].softmax(0)
        other = workshop.network("other")
        second = other.module(other.prepare(opened(result.picture)))[0].softmax(0)
    assert facts["label"] == "banana"
    assert facts["probability"] == pytest.approx(float(own[954]), rel=1e-3)
    assert [row["class"] for row in facts["top"]] == own.topk(5).indices.tolist()
    assert 0 < facts["probability_under_transforms"] <= 1
    assert facts["second"]["model"] == "other"
    assert [row["class"] for row in facts["second"]["top"]] == second.topk(5).indices.tolist()
    assert facts["second"]["contains"] is (954 in second.topk(5).indices.tolist())
    assert facts["scores"][-1] > facts["scores"][0]
    assert [progress.score for progress in seen[-2:]] == [None, None]


def test_a_picture_larger_than_the_network_takes_is_seen_reduced(workshop: Workshop) -> None:
    result = made(workshop, ClassImage(model="tiny", class_=1, size=96, steps=3))
    assert opened(result.picture).size == (96, 96)
    assert 0 < result.facts["probability"] < 1
    wanted = ChannelImage(model="tiny", layer="layer1.0", channel=4, size=96, steps=3)
    assert made(workshop, wanted).facts["plain"] != 0


def test_where_nobody_else_knows_the_classes_there_is_no_second_opinion(
    workshop: Workshop,
) -> None:
    facts = made(workshop, ClassImage(model="tiny", class_=1, steps=2)).facts
    assert facts["second"] is None
    assert "no other" in facts["second_reason"]


def test_a_channel_is_compared_with_what_photos_reach(workshop: Workshop) -> None:
    wanted = ChannelImage(model=LITE0, layer="blocks.2.0", channel=7, size=96, steps=24)
    result = made(workshop, wanted)
    facts = result.facts
    network = workshop.network(LITE0)
    best = {}
    heard: list[torch.Tensor] = []
    handle = network.module.get_submodule("blocks.2.0").register_forward_hook(
        lambda *told: heard.append(told[2].detach())
    )
    with torch.no_grad():
        for sample in sorted((ROOT / "static" / "samples").glob("*.jpg")):
            with Image.open(sample) as photo:
                network(network.prepare(photo))
            best[sample.stem] = float(heard[-1][0, 7].mean())
        picture = torch.tensor(list(opened(result.picture).tobytes())).view(1, 96, 96, 3)
        network.module((picture.permute(0, 3, 1, 2).float() - 127) / 128)
    handle.remove()
    highest = max(best, key=lambda name: best[name])
    assert facts["best_sample"]["image"] == highest
    assert facts["best_sample"]["activation"] == pytest.approx(best[highest], rel=1e-3)
    assert facts["plain"] == pytest.approx(float(heard[-1][0, 7].mean()), rel=1e-3)
    assert facts["multiple"] == pytest.approx(facts["activation"] / best[highest], rel=1e-3)
    assert facts["plain_kept"] == pytest.approx(facts["activation"] / facts["plain"])
    means = heard[-1][0].mean((1, 2))
    assert facts["rank"] == 1 + int((means > means[7]).sum()) == 1
    assert facts["first"] is True
    assert facts["rank_relative"] >= 1
    assert facts["multiple"] > 1
    assert facts["silent"] is None


def test_several_pictures_of_a_channel_differ(workshop: Workshop) -> None:
    best = workshop.cache.samples.best(workshop.network("tiny"), "layer2.0", "channel").values
    lively = int(best.argmax())
    wanted = ChannelImage(model="tiny", layer="layer2.0", channel=lively, steps=24, pictures=4)
    result = made(workshop, wanted)
    facts = result.facts
    assert len(facts["each"]) == 4
    assert facts["method"]["diversity"] > 0
    mean = sum(row["activation"] for row in facts["each"]) / 4
    assert facts["activation"] == pytest.approx(mean, rel=1e-4)
    assert all(row["multiple"] > 0.1 for row in facts["each"])
    picture = opened(result.picture)
    assert picture.size == (facts["width"], facts["height"])
    tiles = {
        picture.crop((x, y, x + 64, y + 64)).tobytes()
        for x in range(2, picture.width - 60, 66)
        for y in range(2, picture.height - 60, 66)
    }
    assert len(tiles) == 4


def test_a_position_of_a_channel_can_be_asked_for(workshop: Workshop) -> None:
    wanted = ChannelImage(model="tiny", layer="layer1.0", channel=1, unit="neuron", steps=24)
    facts = made(workshop, wanted).facts
    assert facts["measured"] == "centre of the map"
    assert facts["scores"][-1] > facts["scores"][0]
