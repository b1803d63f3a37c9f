"""The machine makes some pictures by itself, once nobody has wanted anything for a while."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from app.errors import ModelUnavailable, UnknownVisualization
from app.settings import Settings
from app.studio import idle, lecture
from app.studio.jobs.job import Asker, State
from app.studio.recipes import ClassImage, CollectionIndex, JobRecipe, OfPicture, Prediction
from app.studio.studio import Studio
from tests.running import PATIENCE, until
from tests.studio.engine.fake_engine import FakeEngine

LAYER = {"name": "a", "shape": [8, 4, 4], "kind": "batch norm + ReLU6", "receptive_field": 3}
LINEAR = {"name": "c", "shape": [6, 4, 4], "kind": "convolution", "receptive_field": 5}
VECTOR = {"name": "b", "shape": [9, 1, 1], "kind": "fully connected", "receptive_field": 9}
NETWORK: Any = {
    "name": "slow", "title": "Slow", "classes": 400, "labels": ["tench", "banana"],
    "layers": [LAYER, VECTOR, LINEAR],
}  # fmt: skip


class OneNetwork(Studio):
    """A studio whose default network is known already, and made in memory."""

    def __init__(self, **set_to: Any) -> None:
        super().__init__(Settings(devices="cpu", torch_threads=1, offline=True, **set_to))
        self.engine = FakeEngine(self.settings)
        self.refused: set[int] = set()

    async def description(self, model: str) -> Any:
        return NETWORK

    async def checked(self, recipe: Any) -> Any:
        if isinstance(recipe, CollectionIndex):
            return replace(recipe, weights="w")
        if isinstance(recipe, ClassImage) and recipe.class_ in self.refused:
            raise ModelUnavailable(model=recipe.model, reason="It does not do this.")
        return replace(recipe, weights="w", steps=20)


def test_what_it_makes_depends_on_what_the_network_has() -> None:
    made = list(idle.pictures(NETWORK))
    assert [one.class_ for one in made if isinstance(one, ClassImage)] == [130, 301]
    assert [one.facts()["channel"] for one in made if one.kind == "channel"] == [4, 4]
    linear = idle.pictures(NETWORK | {"classes": 0, "layers": [LINEAR]})
    assert [one.facts()["channel"] for one in linear] == [3, 3]
    assert list(idle.pictures(NETWORK | {"classes": 0, "layers": []})) == []


def test_it_looks_through_the_photos_that_all_may_see(tmp_path: Path) -> None:
    folder = tmp_path / "zoo"
    folder.mkdir()
    Image.new("RGB", (8, 8)).save(folder / "zebra.png")
    studio = OneNetwork(data_dir=tmp_path / "data", collections=str(folder))
    (index,) = idle.indices(studio)
    assert index.facts()["collection"] == "zoo"
    assert index.model == studio.settings.default_model
    studio.archive.close()


def test_it_begins_after_a_while_and_stands_back_for_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idle, "QUIET", 0.3)
    monkeypatch.setattr(idle, "LOOK", 0.01)

    async def story() -> None:
        studio = OneNetwork(data_dir=tmp_path / "data")
        house = [
            await studio.checked(recipe)
            for recipe in (*idle.pictures(NETWORK), *lecture.pictures(NETWORK))
            if not isinstance(recipe, OfPicture)
        ]
        await studio.engine.start()
        chores = [
            asyncio.create_task(work())
            for work in (studio.scheduler.work, lambda: idle.make(studio))
        ]
        await until(lambda: studio.engine.places > 0)
        await studio.engine.call(Prediction(model="facts", image="x", source=""))
        await until(lambda: not studio.scheduler.is_idle)
        assert studio.engine.quiet_seconds >= idle.QUIET
        await until(lambda: studio.job(house[0].id).state is State.RUNNING)
        mine = ClassImage(model="slow", weights="w", class_=7, steps=5)
        await studio.scheduler.ask(mine, Asker(mine.id, "anna", "", 0.0))
        await until(lambda: studio.job(mine.id).state is State.DONE)
        await until(lambda: len(studio.finished()) == len({one.id for one in house}) + 1)
        assert [job.is_idle for job in studio.finished()][-1] is False
        for chore in chores:
            chore.cancel()
        await asyncio.gather(*chores, return_exceptions=True)
        await studio.engine.stop()
        studio.archive.close()

    asyncio.run(story())


def test_it_goes_on_and_what_is_refused_hinders_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("QUIET", "LOOK", "AGAIN"):
        monkeypatch.setattr(idle, name, 0.05)
    folder = tmp_path / "zoo"
    folder.mkdir()

    def is_known(studio: OneNetwork, recipe: JobRecipe) -> bool:
        with suppress(UnknownVisualization):
            return not studio.job(recipe.id).is_active
        return False

    async def story() -> None:
        studio = OneNetwork(data_dir=tmp_path / "data", collections=str(folder))
        refused, *others = idle.pictures(NETWORK)
        assert isinstance(refused, ClassImage)
        studio.refused = {refused.class_}
        house = [await studio.checked(recipe) for recipe in others]
        await studio.engine.start()
        chores = [
            asyncio.create_task(work())
            for work in (studio.scheduler.work, lambda: idle.make(studio))
        ]
        await until(lambda: all(is_known(studio, recipe) for recipe in house))
        Image.new("RGB", (8, 8)).save(folder / "zebra.png")
        await until(lambda: [*idle.indices(studio)] != [])
        (index,) = idle.indices(studio)
        index = await studio.checked(index)
        await until(lambda: is_known(studio, index))
        assert not any(chore.done() for chore in chores)
        for chore in chores:
            chore.cancel()
        await asyncio.gather(*chores, return_exceptions=True)
        await studio.engine.stop()
        studio.archive.close()

    asyncio.run(story())


@pytest.mark.parametrize("but", [{"idle_pictures": False}, {"fault": "die:1"}])
def test_it_can_be_switched_off_and_is_off_while_faults_are_on(
    tmp_path: Path, but: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idle, "QUIET", 0.0)

    async def story() -> None:
        studio = OneNetwork(data_dir=tmp_path / "data", **but)
        await asyncio.wait_for(idle.make(studio), PATIENCE)
        assert studio.scheduler.is_idle
        studio.archive.close()

    asyncio.run(story())
