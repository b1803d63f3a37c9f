"""What is asked for is looked at before it waits: a network has these layers, channels, classes."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.errors import (
    LaternaError,
    NoClassifier,
    UnknownChannel,
    UnknownClass,
    UnknownImage,
    UnknownLayer,
    UnknownModel,
    UnknownVisualization,
)
from app.settings import Settings
from app.studio.jobs.job import State
from app.studio.recipes import (
    Atlas,
    ChannelImage,
    ClassImage,
    Made,
    Recipe,
    Reconstruction,
    Sources,
    Strip,
    Visualization,
)
from app.studio.studio import Studio

MODEL = "efficientnet-lite0"
FACTS: dict[str, Any] = {
    "weights": {"sha256": "0" * 64},
    "title": "EfficientNet",
    "classes": 1000,
    "layers": [{"name": "a", "shape": [8, 4, 4]}, {"name": "b", "shape": [10]}],
}


class Owner:
    """Stands in for the device: it can describe."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.facts = facts

    def is_silent(self, recipe: Recipe) -> bool:
        return False

    async def call(self, recipe: Recipe, sources: Sources) -> Made:
        return Made(self.facts)


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    made = Studio(Settings(data_dir=tmp_path / "data", offline=True))
    made.engine = Owner(FACTS)  # type: ignore[assignment]  # the one verb that is used
    yield made
    made.archive.close()


def asked(studio: Studio, recipe: Visualization) -> State:
    return asyncio.run(studio.ask(recipe, "anna")).state


SOURCE: Any = {"image": "0" * 32, "source": ""}


@pytest.mark.parametrize(
    ("recipe", "error"),
    [
        (ClassImage(model=MODEL, class_=1000), UnknownClass),
        (ClassImage(model=MODEL, class_=-1), UnknownClass),
        (ClassImage(model="nothing", class_=1), UnknownModel),
        (ClassImage(model="alexnet-published", class_=1), LaternaError),
        (ChannelImage(model=MODEL, layer="z", channel=0), UnknownLayer),
        (ChannelImage(model=MODEL, layer="a", channel=8), UnknownChannel),
        (ChannelImage(model=MODEL, layer="b", channel=10), UnknownChannel),
        (ChannelImage(model=MODEL, layer="a", channel=-1), UnknownChannel),
        (Atlas(model=MODEL, layer="z"), UnknownLayer),
        (Reconstruction(model=MODEL, layer="z", **SOURCE), UnknownLayer),
        (Reconstruction(model=MODEL, layer="a", **SOURCE), UnknownImage),
        (Strip(model=MODEL, layers=("a", "z"), **SOURCE), UnknownLayer),
        (Strip(model=MODEL, **SOURCE), UnknownImage),
    ],
)
def test_what_a_network_does_not_have_is_refused(
    studio: Studio, recipe: Visualization, error: type[LaternaError]
) -> None:
    with pytest.raises(error):
        asked(studio, recipe)
    assert sum(studio.job_counts().values()) == 0


def test_what_it_has_waits_under_an_id_that_knows_the_weights(studio: Studio) -> None:
    recipe = ChannelImage(model=MODEL, layer="b", channel=9)
    job = asyncio.run(studio.ask(recipe, "anna"))
    assert job.state is State.QUEUED
    assert job.recipe.weights == "0" * 64
    assert job.id != recipe.id
    assert studio.job(job.id) == job
    assert asyncio.run(studio.active_jobs()) == ([], [job])
    assert studio.jobs_of("anna") == [job]
    assert studio.snapshot(job.id).position == 1
    assert studio.outcome(job.id) is None
    with pytest.raises(UnknownVisualization):
        studio.job(recipe.id)


def test_a_network_without_classes_has_no_class_images(studio: Studio) -> None:
    studio.engine = Owner(FACTS | {"classes": 0})  # type: ignore[assignment]  # as above
    with pytest.raises(NoClassifier):
        asked(studio, ClassImage(model=MODEL, class_=0))


def test_what_is_there_whole_is_done_and_what_is_damaged_waits_to_be_made(studio: Studio) -> None:
    recipe = ClassImage(model=MODEL, class_=1)
    complete = asyncio.run(studio.checked(recipe))
    studio.archive.keep_result(
        complete.key, {"label": "goldfish"}, b"picture", "image/png", None, {"growth.webp": b"g"}
    )
    assert asked(studio, recipe) is State.DONE
    result = studio.outcome(complete.id)
    assert result is not None
    assert result.facts == {"label": "goldfish"}
    assert studio.part(complete.id, "growth.webp") == b"g"
    assert studio.part(complete.id, "other") is None
    assert [job.id for job in studio.finished()] == [complete.id]
    assert result.path is not None
    result.path.write_bytes(b"pictvre")
    assert studio.outcome(complete.id) is None
    assert studio.job(complete.id).state is State.UNMADE
    assert studio.part(complete.id, "growth.webp") is None
    assert asked(studio, recipe) is State.QUEUED
