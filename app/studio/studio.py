"""The studio: what the web asks for, from the archive or from the device, once for all who ask."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import structlog

from app import __version__
from app.archive import Archive, KeptImage, Result
from app.errors import LaternaError, ModelUnavailable, UnknownImage
from app.settings import Settings
from app.studio import networks, samples
from app.studio.engine import Engine
from app.studio.engine.decoders import Decoders
from app.studio.fetching import Fetcher
from app.studio.recipes import Description, OfPicture, Recipe
from app.zoo.catalogue import Catalogue, Entry

log = structlog.get_logger("laterna.studio")
R = TypeVar("R", bound=Recipe)
SWEEP_SECONDS = 60.0
#: Seconds that the list of networks waits for news of the weights' mirror.
PATIENCE = 0.2
#: Seconds until a chore that failed is tried again.
CHORE_PAUSE = 30.0
#: Seconds between two looks whether the device has nothing to do.
IDLE_LOOK = 0.25


@dataclass
class _Making:
    """Something that is being made, and how many wait for it."""

    task: asyncio.Task[Result]
    waiters: int = 0


class Studio:
    """Everything behind the pages: networks, pictures, results. Imports no torch."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.catalogue = Catalogue(settings.models_dir)
        self.archive = Archive(settings.data_dir, settings.quota_bytes)
        self.engine = Engine(settings)
        self.decoders = Decoders(settings)
        self.fetcher = Fetcher(settings, self.archive)
        self._making: dict[str, _Making] = {}
        self._descriptions: dict[str, dict[str, Any]] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Start the processes, and stop them at the end."""
        await self.engine.start()
        await self.decoders.start()
        work = (self._look_around, self._sweep, self._take_samples, self._describe_all)
        chores = [asyncio.create_task(_kept_up(chore)) for chore in work]
        try:
            yield
        finally:
            under_way = [*chores, *(making.task for making in self._making.values())]
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)
            await self.fetcher.stop()
            await self.decoders.stop()
            await self.engine.stop()
            self.archive.close()

    async def models(self) -> list[networks.Card]:
        """The list of networks, the default first."""
        entries = await asyncio.to_thread(self.catalogue.entries)
        try:
            online = await asyncio.wait_for(self.fetcher.reachable(), PATIENCE)
        except TimeoutError:
            online = True  # a mirror that is merely slow is worth a try
        cards = [networks.card(entry, self, online) for entry in entries]
        return sorted(cards, key=lambda card: card.name != self.settings.default_model)

    def known(self, model: str) -> dict[str, Any] | None:
        """A network's description if it was made before; raises UnknownModel."""
        return self.known_entry(self.catalogue.entry(model))

    def known_entry(self, entry: Entry) -> dict[str, Any] | None:
        """The description of an entry if it was made before."""
        key = _description(entry).key
        if key not in self._descriptions:
            result = self.archive.result(key)
            if result is None:
                return None
            self._descriptions[key] = result.facts
        return self._descriptions[key]

    async def description(self, model: str) -> dict[str, Any]:
        """A network's layers and numbers; asks the device when they are not known yet."""
        entry = self.catalogue.entry(model)
        if entry.problem:
            raise ModelUnavailable(model=entry.title, reason=entry.problem)
        return self.known_entry(entry) or (await self._once(_description(entry))).facts

    def made(self, recipe: Recipe) -> Result | None:
        """What came of a recipe if it was made before."""
        complete = self._complete(recipe)
        return self.archive.result(complete.key) if complete else None

    async def make(self, recipe: Recipe) -> Result:
        """What comes of a recipe: from the archive, or made by the device."""
        networks.require_weights(self.catalogue.entry(recipe.model), self)
        await self.description(recipe.model)
        complete = self._complete(recipe)
        if complete is None:  # the weights were changed on disk since the line above
            raise ModelUnavailable(model=recipe.model, reason="its weights have just changed.")
        return self.archive.result(complete.key) or await self._once(complete)

    def _complete(self, recipe: R) -> R | None:
        """The recipe with the hash of the weights in it; None while that is not known."""
        known = self.known(recipe.model)
        if known is None:
            return None
        return replace(recipe, weights=known["weights"]["sha256"] or "untrained")

    async def _once(self, recipe: Recipe) -> Result:
        """Have it made, by one call for any number of people who wait, and for none by none."""
        making = self._making.get(recipe.key)
        if making is None or making.task.done():
            making = _Making(asyncio.create_task(self._call(recipe)))
            self._making[recipe.key] = making
        making.waiters += 1
        try:
            return await asyncio.shield(making.task)
        finally:
            making.waiters -= 1
            if not making.waiters:
                making.task.cancel()  # everybody has left, if it is not done
                if self._making.get(recipe.key) is making:
                    del self._making[recipe.key]

    async def _call(self, recipe: Recipe) -> Result:
        try:
            made = await self.engine.call(recipe)
        except ModelUnavailable as error:
            # What only the device sees of a checkpoint (shapes, hash) is listed from now on.
            self.catalogue.refuse(self.catalogue.entry(recipe.model), error.facts["reason"])
            raise
        image = recipe.image if isinstance(recipe, OfPicture) else None
        if image is not None:
            self.archive.image(image)  # deleted while it was looked at: nothing of it is kept
        return await asyncio.to_thread(
            self.archive.keep_result, recipe.key, made.facts, made.picture, made.media, image
        )

    def read(self, result: Result) -> bytes | None:
        """A result's picture; None when it is gone or damaged, so that it must be made again."""
        return self.archive.read(result)

    # Pictures

    async def take_picture(self, data: bytes, name: str, owner: str) -> KeptImage:
        """Decode, clean and keep an upload; raises what is wrong with it."""
        clean = await self.decoders.clean(data)
        return await asyncio.to_thread(
            self.archive.keep_image,
            owner=owner,
            name=name,
            picture=clean.picture,
            preview=clean.preview,
            width=clean.width,
            height=clean.height,
            original=(clean.original_width, clean.original_height),
            hours=self.settings.upload_hours,
        )

    def image(self, image: str, owner: str | None) -> KeptImage:
        """A picture that this owner may see; UnknownImage for strangers unless it is shared."""
        kept = self.archive.image(image)
        if kept.owner not in (samples.OWNER, owner) and not kept.shared:
            raise UnknownImage()
        return kept

    def own_image(self, image: str, owner: str | None) -> KeptImage:
        """A picture that this owner may change; UnknownImage for all others."""
        kept = self.archive.image(image)
        if owner is None or kept.owner != owner:
            raise UnknownImage()
        return kept

    async def delete_image(self, image: str) -> None:
        """Delete a picture with all that was made from it, here and on the devices."""
        await asyncio.to_thread(self.archive.delete_image, image)
        self.engine.forget(image)

    def sample_images(self) -> list[KeptImage]:
        """The sample photos that are ready, in their order."""
        return samples.kept(self.archive)

    async def _take_samples(self) -> None:
        await samples.take(self.archive, self.decoders)

    async def _look_around(self) -> None:
        """Look early whether the weights' mirror is there, so that no page waits for the answer."""
        await self.fetcher.reachable()

    async def _describe_all(self) -> None:
        """Have every network described while nobody waits, so that its pages need no device."""
        for entry in await asyncio.to_thread(self.catalogue.entries):
            if entry.problem is None and self.known_entry(entry) is None:
                # A quarter of a second is early enough, and needs no event in the engine.
                while not self._has_idle_device():  # noqa: ASYNC110
                    await asyncio.sleep(IDLE_LOOK)
                with suppress(LaternaError):
                    await self.description(entry.name)

    def _has_idle_device(self) -> bool:
        devices = self.engine.devices()
        return any(d.state == "ready" and not d.doing and not d.waiting for d in devices)

    async def _sweep(self) -> None:
        """Delete what has expired or is over the quota, again and again."""
        while True:
            for image in await asyncio.to_thread(self.archive.sweep):
                self.engine.forget(image)
            await asyncio.sleep(SWEEP_SECONDS)


async def _kept_up(chore: Callable[[], Awaitable[None]]) -> None:
    """Do a chore; when it fails (a full disk, a full queue), say so and try again."""
    while True:
        try:
            return await chore()
        except Exception:
            log.exception("a chore failed", chore=chore.__name__.strip("_"))
            await asyncio.sleep(CHORE_PAUSE)


def _description(entry: Entry) -> Description:
    """The recipe of a description: another one when code, catalogue or the weights' file change."""
    file = entry.file
    found = file.stat() if file and entry.present else None
    said = f"{__version__} {entry} {found and (found.st_size, found.st_mtime_ns)}"
    return Description(model=entry.name, weights=hashlib.sha256(said.encode()).hexdigest())
