"""The studio has things made once for all who wait, and for nobody when all have left."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from app.errors import DeviceAway, UnknownImage
from app.settings import Settings
from app.studio.recipes import ActivationGrid, Made, Recipe, Sources
from app.studio.studio import Studio
from app.zoo.catalogue import Entry
from tests.running import until

MODEL = "efficientnet-lite0"
FACTS = {"weights": {"sha256": "0" * 64}, "title": MODEL}


class Owner:
    """Stands in for the device, so that a test decides when it answers."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.left: list[str] = []
        self.may_answer = asyncio.Event()
        self.is_away = False

    def is_silent(self, recipe: Recipe) -> bool:
        return False

    async def call(self, recipe: Recipe, sources: Sources) -> Made:
        if recipe.kind == "description":
            return Made(dict(FACTS))
        if self.is_away:
            raise DeviceAway()
        self.asked.append(recipe.key)
        try:
            await self.may_answer.wait()
        except asyncio.CancelledError:
            self.left.append(recipe.key)
            raise
        return Made({"made": True}, b"a picture")

    def forget(self, image: str) -> None:
        """Nothing was kept."""


Story = Callable[[Studio, Owner, Recipe], Awaitable[None]]
Teller = Callable[[Story], None]


@pytest.fixture
def run(tmp_path: Path) -> Teller:
    """Run a story with a real studio and archive, and an owner that waits to be let."""

    def running(story: Story) -> None:
        async def told() -> None:
            studio = Studio(Settings(data_dir=tmp_path / "data", offline=True))
            owner = Owner()
            studio.engine = owner  # type: ignore[assignment]  # the verbs that are used
            image = studio.archive.keep_image(
                owner="me", name="x", picture=b"p", preview=b"v", width=1, height=1,
                original=(1, 1), hours=1,
            )  # fmt: skip
            recipe = ActivationGrid(model=MODEL, image=image.id, layer="a")
            try:
                await story(studio, owner, recipe)
            finally:
                studio.archive.close()

        asyncio.run(told())

    return running


def test_many_who_ask_at_once_have_it_made_once(
    run: Teller,
) -> None:
    async def story(studio: Studio, owner: Owner, recipe: Recipe) -> None:
        waiting = [asyncio.create_task(studio.make(recipe)) for _ in range(30)]
        await until(lambda: owner.asked)
        owner.may_answer.set()
        results = await asyncio.gather(*waiting)
        assert len(owner.asked) == 1
        assert {studio.read(result) for result in results} == {b"a picture"}
        assert (await studio.make(recipe)).facts == {"made": True}
        assert len(owner.asked) == 1, "now from the archive"

    run(story)


def test_one_who_leaves_takes_nothing_from_the_others(
    run: Teller,
) -> None:
    async def story(studio: Studio, owner: Owner, recipe: Recipe) -> None:
        leaves, stays = (asyncio.create_task(studio.make(recipe)) for _ in range(2))
        await until(lambda: owner.asked)
        leaves.cancel()
        await asyncio.gather(leaves, return_exceptions=True)
        owner.may_answer.set()
        assert (await stays).facts == {"made": True}
        assert owner.left == []

    run(story)


def test_what_nobody_waits_for_is_not_made(
    run: Teller,
) -> None:
    async def story(studio: Studio, owner: Owner, recipe: Recipe) -> None:
        waiting = [asyncio.create_task(studio.make(recipe)) for _ in range(3)]
        await until(lambda: owner.asked)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await until(lambda: owner.left)
        late = asyncio.create_task(studio.make(recipe))
        await until(lambda: len(owner.asked) == 2)
        owner.may_answer.set()
        assert (await late).facts == {"made": True}, "who comes after is not turned away"

    run(story)


def test_nothing_is_kept_of_a_picture_that_was_deleted_meanwhile(
    run: Teller,
) -> None:
    async def story(studio: Studio, owner: Owner, recipe: Recipe) -> None:
        assert isinstance(recipe, ActivationGrid)
        waiting = asyncio.create_task(studio.make(recipe))
        await until(lambda: owner.asked)
        await studio.delete_image(recipe.image)
        owner.may_answer.set()
        with pytest.raises(UnknownImage):
            await waiting
        assert studio.made(recipe) is None

    run(story)


def test_a_failure_is_told_and_not_kept(
    run: Teller,
) -> None:
    async def story(studio: Studio, owner: Owner, recipe: Recipe) -> None:
        owner.is_away = True
        with pytest.raises(DeviceAway):
            await studio.make(recipe)
        owner.is_away = False
        owner.may_answer.set()
        assert (await studio.make(recipe)).facts == {"made": True}

    run(story)


def test_the_catalogue_is_asked_once_and_what_was_just_written_is_not_read_again(
    run: Teller, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(studio: Studio, owner: Owner, recipe: Recipe) -> None:
        await studio.description(recipe.model)
        asked: list[str] = []
        entry = studio.catalogue.entry

        def counted(name: str) -> Entry:
            asked.append(name)
            return entry(name)

        monkeypatch.setattr(studio.catalogue, "entry", counted)
        owner.may_answer.set()
        made = await studio.make(recipe)
        assert asked == [MODEL]
        assert made.path is not None
        made.path.unlink()
        assert studio.read(made) == b"a picture"
        kept = studio.made(recipe)
        assert kept is not None
        assert studio.read(kept) is None, "what was kept earlier is read, and checked"

    run(story)
