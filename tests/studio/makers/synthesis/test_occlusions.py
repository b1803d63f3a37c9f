"""An occlusion map grows row by row, is the same each time, and says truly what it found."""

import io
import json

import pytest
import torch
from PIL import Image

from app.errors import NoPlaces, UnknownClass, UnknownImage, UnknownLayer, WrongField
from app.studio.makers import Workshop
from app.studio.recipes import Covering, GradCam, Made, Occlusion, Recipe
from app.vision import attribution, masks
from app.zoo.taps import tap
from tests.studio.makers.synthesis.driving import made, opened, texts, watched


def recipe(photo: str, **wishes: object) -> Occlusion:
    said = {"model": "tiny", "image": "secret", "source": photo, "class_": 3, "window": 16}
    return Occlusion(**said | wishes)  # type: ignore[arg-type]  # wishes are fields


def colorful(picture: Image.Image, top: int, bottom: int) -> int:
    """The largest difference between the colours of a pixel, between two rows."""
    part = picture.convert("RGB").crop((0, top, 448, bottom)).resize((8, 8))
    pixels = [part.getpixel((x, y)) for x in range(8) for y in range(8)]
    return max(int(max(pixel) - min(pixel)) for pixel in pixels if isinstance(pixel, tuple))


def test_it_grows_from_the_top_and_ends_as_it_always_does(workshop: Workshop, photo: str) -> None:
    result, steps = watched(workshop, recipe(photo))
    assert [step.step for step in steps] == list(range(1, 8)), "16 of 64 pixels, 8 at a time"
    begun = workshop.steps(recipe(photo))
    preview = next(begun).preview
    assert preview is not None
    with Image.open(io.BytesIO(preview())) as first:
        assert first.size == (448, 448)
        lit, dark = (colorful(first, *rows) for rows in ((0, 112), (250, 448)))
    begun.close()
    assert lit > 40
    assert dark < 24, "below the first row there is no light yet"
    again = made(workshop, recipe(photo))
    assert result.picture == again.picture
    assert result.parts == again.parts
    assert opened(result.picture).size == (448, 448)
    assert "secret" not in json.dumps(texts(result.picture))


def test_its_numbers_are_those_of_covering_by_hand(workshop: Workshop, photo: str) -> None:
    """The square where most is lost, covered as a mask, leaves the same probability."""
    facts = json.loads(json.dumps(made(workshop, recipe(photo)).facts))
    left, top, right, bottom = (side * 100 / 64 for side in facts["worst"]["box"])
    # 16 pixels of 64 are 14 cells of 56, so these masks fit to the cell.
    mask = masks.written(masks.rectangle(left, top, right - left, bottom - top))
    told: list[Made] = []
    covering = Covering(model="tiny", image="secret", source=photo, mask=mask)
    workshop.make(covering, told.append)
    rows = {row["class"]: row for row in told[0].facts["moved"]}
    if 3 in rows:
        assert rows[3]["after"] == pytest.approx(facts["worst"]["probability"], rel=1e-3)
        assert rows[3]["before"] == pytest.approx(facts["probability"], rel=1e-3)
    assert facts["method"] == {"window": 16, "step": 8, "fill": "mean", "passes": 49}
    assert min(map(min, facts["probabilities"])) == pytest.approx(
        facts["worst"]["probability"], rel=0.01
    )


def test_fine_takes_smaller_steps(workshop: Workshop, photo: str) -> None:
    facts = made(workshop, recipe(photo, quality="fine", window=32)).facts
    assert facts["method"]["step"] == 8
    assert facts["steps"] == 5


@pytest.mark.parametrize(
    ("wishes", "problem"),
    [
        ({"window": 65}, WrongField),
        ({"class_": 10}, UnknownClass),
        ({"source": "/gone", "image": "gone"}, UnknownImage),
    ],
)
def test_what_cannot_be_made_is_said(
    workshop: Workshop, photo: str, wishes: dict[str, object], problem: type[Exception]
) -> None:
    with pytest.raises(problem):
        made(workshop, recipe(photo, **wishes))


def test_where_needs_places_and_a_class(workshop: Workshop, photo: str) -> None:
    def make(layer: str, class_: int = -1) -> Recipe:
        return GradCam(model="tiny", image="a", source=photo, layer=layer, class_=class_)

    told: list[Made] = []
    workshop.make(make("layer1.0"), told.append)
    rows = torch.tensor(told[0].facts["map"])
    assert list(rows.shape) == told[0].facts["shape"]
    assert told[0].facts["class"] == told[0].facts["top"][0]["class"]
    for layer, class_, problem in (
        ("no", -1, UnknownLayer),
        ("fc", -1, NoPlaces),
        ("layer1.0", 10, UnknownClass),
    ):
        with pytest.raises(problem):
            workshop.make(make(layer, class_), told.append)


def test_every_layer_with_places_can_be_asked(workshop: Workshop, photo: str) -> None:
    """Captum's map is the gradient taken by hand, also where a layer is one call of several."""
    network = workshop.network("tiny")
    batch, _ = workshop.cache.prepared(network, "b", photo)
    compared = 0
    for name, layer in network.layers.items():
        if layer.shape[1:] == (1, 1):
            continue
        ours = attribution.grad_cam(network, name, batch, 3)
        assert tuple(ours.shape) == layer.shape[1:]
        if name in network.unfolded or name in network.overwritten:
            continue  # a tap gives these by a way of their own, which no gradient goes through
        with torch.enable_grad():
            given = batch.clone().requires_grad_()
            with tap(network, [name], stop=False) as seen:
                score = network(given)[0, 3]
            (gradient,) = torch.autograd.grad(score, seen[name])
        by_hand = (gradient.mean((2, 3), keepdim=True) * seen[name]).sum(1)[0].detach()
        assert torch.allclose(ours, by_hand, atol=1e-6)
        compared += 1
    assert compared > 5
