"""The workshop gives what the network really computed, early, and without computing it twice."""

import hashlib
import io
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from app.errors import LostImage, NoFilters, NotFinite, UnknownChannel, UnknownImage, UnknownLayer
from app.studio.makers import Workshop
from app.studio.recipes import (
    ActivationGrid,
    ChannelMap,
    Description,
    Filters,
    Made,
    Prediction,
    Recipe,
)
from app.vision.drawing.colors import LAST
from tests.workshops import new_workshop
from tests.zoo.checkpoints import ROOT

MODEL = "efficientnet-lite0"


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pictures") / "chelsea.png"
    with Image.open(ROOT / "static" / "samples" / "chelsea.jpg") as photo:
        photo.convert("RGB").save(path)
    return path


@pytest.fixture(scope="module")
def workshop(device: str) -> Workshop:
    return new_workshop(ROOT / "models", device)


def make(workshop: Workshop, recipe: Recipe) -> Made:
    answers: list[Made] = []
    workshop.make(recipe, answers.append)
    assert len(answers) == 1, "exactly one answer"
    return answers[0]


def grid(picture: Path, layer: str, image: str = "a", **wishes: object) -> ActivationGrid:
    given = {"model": MODEL, "image": image, "source": str(picture), "layer": layer} | wishes
    return ActivationGrid(**given)  # type: ignore[arg-type]  # wishes are fields


def test_chelsea_is_a_cat(workshop: Workshop, picture: Path) -> None:
    facts = make(workshop, Prediction(model=MODEL, image="a", source=str(picture))).facts
    labels = [row["label"] for row in facts["top"]]
    assert len(labels) == 5
    assert "cat" in labels[0] or labels[0] == "tabby"
    probabilities = [row["probability"] for row in facts["top"]]
    assert probabilities == sorted(probabilities, reverse=True)
    assert facts["crop"] == [75, 0, 375, 300] or abs(facts["crop"][0] - 75) < 20


def test_a_grid_shows_what_the_network_computes(workshop: Workshop, picture: Path) -> None:
    made = make(workshop, grid(picture, "blocks.2.0"))
    network = workshop.network(MODEL)
    seen: list[torch.Tensor] = []
    module = network.module.get_submodule("blocks.2.0")
    handle = module.register_forward_hook(lambda *told: seen.append(told[2].clone()))
    with torch.no_grad(), Image.open(picture) as photo:
        network(network.prepare(photo.convert("RGB")))
    handle.remove()
    maps = seen[0][0]
    facts = made.facts
    assert facts["shape"] == list(maps.shape)
    assert [row["channel"] for row in facts["channels"]] == list(range(len(maps)))
    for row in facts["channels"]:
        assert row["max"] == pytest.approx(float(maps[row["channel"]].max()), rel=1e-3, abs=1e-3)
        assert row["min"] == pytest.approx(float(maps[row["channel"]].min()), rel=1e-3, abs=1e-3)
    reach = float(maps.abs().max())
    assert facts["scale"]["high"] == pytest.approx(reach, rel=1e-3)
    assert facts["scale"]["low"] == pytest.approx(-reach, rel=1e-3)
    strongest = int(maps.abs().amax((1, 2)).argmax())
    sheet = facts["sheet"]
    left = sheet["gap"] + strongest % sheet["columns"] * (sheet["tile"] + sheet["gap"])
    top = sheet["gap"] + strongest // sheet["columns"] * (sheet["tile"] + sheet["gap"])
    with Image.open(io.BytesIO(made.picture or b"")) as drawn:
        assert drawn.size == (sheet["width"], sheet["height"])
        tile = drawn.crop((left, top, left + sheet["tile"], top + sheet["tile"]))
    extremes = tile.getextrema()
    assert 0 in extremes or LAST in extremes, "the layer's extreme has the scale's last colour"


def test_a_second_layer_of_a_picture_needs_no_pass(workshop: Workshop, picture: Path) -> None:
    module = workshop.network(MODEL).module
    passes = []
    handle = module.register_forward_pre_hook(lambda *_: passes.append(1))
    make(workshop, Prediction(model=MODEL, image="once", source=str(picture)))
    make(workshop, grid(picture, "conv_stem", image="once"))
    make(workshop, grid(picture, "blocks.6.0", image="once"))
    make(workshop, grid(picture, "classifier", image="once", sort="max"))
    assert len(passes) == 1
    make(workshop, grid(picture, "conv_stem", image="straight to a layer"))
    assert len(passes) == 3, "a short one for the answer, a whole one after it"
    make(workshop, grid(picture, "blocks.6.0", image="straight to a layer"))
    handle.remove()
    assert len(passes) == 3


def test_the_answer_comes_before_the_pass_ends(workshop: Workshop, picture: Path) -> None:
    ended: list[str] = []
    module = workshop.network(MODEL).module
    handle = module.register_forward_hook(lambda *_: ended.append("pass"))
    workshop.make(grid(picture, "conv_stem", image="early"), lambda _: ended.append("answer"))
    handle.remove()
    assert ended == ["answer", "pass"]


def test_a_forgotten_picture_is_computed_anew(workshop: Workshop, picture: Path) -> None:
    make(workshop, grid(picture, "conv_stem", image="gone"))
    workshop.forget("gone")
    module = workshop.network(MODEL).module
    passes = []
    handle = module.register_forward_pre_hook(lambda *_: passes.append(1))
    make(workshop, grid(picture, "conv_stem", image="gone"))
    handle.remove()
    assert passes


def test_sorting_by_mean_orders_numbers_and_tiles_alike(workshop: Workshop, picture: Path) -> None:
    plain = make(workshop, grid(picture, "blocks.1.0"))
    ranked = make(workshop, grid(picture, "blocks.1.0", sort="mean"))
    means = [row["mean"] for row in ranked.facts["channels"]]
    assert means == sorted(means, reverse=True)

    def tile(made: Made, k: int) -> bytes:
        sheet = made.facts["sheet"]
        step = sheet["tile"] + sheet["gap"]
        left, top = (sheet["gap"] + n * step for n in (k % sheet["columns"], k // sheet["columns"]))
        with Image.open(io.BytesIO(made.picture or b"")) as drawn:
            return drawn.crop((left, top, left + sheet["tile"], top + sheet["tile"])).tobytes()

    first = ranked.facts["channels"][0]["channel"]
    assert tile(ranked, 0) == tile(plain, first)


def test_one_channel_is_magnified_on_the_layers_scale(workshop: Workshop, picture: Path) -> None:
    whole = make(workshop, grid(picture, "blocks.2.0"))
    wanted = ChannelMap(
        model=MODEL, image="a", source=str(picture), layer="blocks.2.0", channel=7, size=280
    )
    one = make(workshop, wanted)
    assert one.facts["max"] == whole.facts["channels"][7]["max"]
    assert one.facts["scale"] == whole.facts["scale"]
    with Image.open(io.BytesIO(one.picture or b"")) as drawn:
        assert drawn.size == (280, 280)
        assert len({drawn.getpixel((x, 5)) for x in range(10)}) == 1, "nearest neighbour"
    own = make(workshop, replace(wanted, scale="channel"))
    reach = max(-own.facts["min"], own.facts["max"])
    assert own.facts["scale"]["high"] == pytest.approx(reach)


def test_pictures_say_where_they_are_from_but_not_whose(workshop: Workshop, picture: Path) -> None:
    made = make(workshop, grid(picture, "conv_stem", image="secret-name"))
    with Image.open(io.BytesIO(made.picture or b"")) as drawn:
        drawn.load()
        assert "conv_stem" in drawn.info["Laterna recipe"]
        assert '"low"' in drawn.info["Laterna scale"]
    assert b"secret-name" not in (made.picture or b"")
    assert str(picture).encode() not in (made.picture or b"")


def test_an_untrained_network_says_so_in_numbers_and_picture(
    workshop: Workshop, picture: Path
) -> None:
    model = MODEL + "-untrained"
    made = make(workshop, grid(picture, "conv_stem", model=model))
    assert made.facts["trained"] is False
    assert made.facts["weights_sha256"] is None
    with Image.open(io.BytesIO(made.picture or b"")) as drawn:
        colors = drawn.convert("RGB").getcolors(1 << 16) or []
    assert (224, 36, 36) in [color for _, color in colors]
    assert make(workshop, Description(model=model)).facts["trained"] is False


def test_filters_are_those_of_the_weights_file(workshop: Workshop) -> None:
    made = make(workshop, Filters(model=MODEL, layer="conv_stem"))
    assert made.facts["mode"] == "rgb"
    assert made.facts["shape"] == [32, 3, 3, 3]
    with pytest.raises(NoFilters):
        make(workshop, Filters(model=MODEL, layer="bn1"))


@pytest.mark.parametrize(
    ("layer", "channel", "error"),
    [("nowhere", 0, UnknownLayer), ("conv_stem", 32, UnknownChannel)],
)
def test_what_is_not_there_is_said(
    workshop: Workshop, picture: Path, layer: str, channel: int, error: type[Exception]
) -> None:
    recipe = ChannelMap(model=MODEL, image="a", source=str(picture), layer=layer, channel=channel)
    with pytest.raises(error):
        make(workshop, recipe)


def test_a_picture_that_was_deleted_meanwhile_is_unknown(
    workshop: Workshop, tmp_path: Path
) -> None:
    with pytest.raises(UnknownImage):
        make(workshop, grid(tmp_path / "gone.png", "conv_stem", image="deleted"))


def test_values_without_end_are_said_and_not_drawn(workshop: Workshop, picture: Path) -> None:
    model = MODEL + "-untrained"
    network = workshop.network(model)
    weight = network.module.get_submodule("conv_head")
    assert isinstance(weight, torch.nn.Conv2d)
    kept = weight.weight[0, 0, 0, 0].item()
    weight.weight[0, 0, 0, 0] = float("nan")
    try:
        with pytest.raises(NotFinite):
            make(workshop, grid(picture, "bn2", model=model, image="endless"))
        with pytest.raises(NotFinite):
            make(workshop, Prediction(model=model, image="endless", source=str(picture)))
    finally:
        weight.weight[0, 0, 0, 0] = kept
        workshop.forget("endless")


def test_a_kept_picture_is_checked_by_its_name_and_a_scripts_own_is_not(
    workshop: Workshop, picture: Path, tmp_path: Path
) -> None:
    data = picture.read_bytes()
    kept = tmp_path / hashlib.sha256(data).hexdigest()
    kept.write_bytes(data)
    make(workshop, Prediction(model=MODEL, image="whole", source=str(kept)))
    kept.write_bytes(data + b"!")
    with pytest.raises(LostImage):
        make(workshop, Prediction(model=MODEL, image="harmed", source=str(kept)))
