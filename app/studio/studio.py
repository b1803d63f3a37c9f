"""The studio: what the web asks for, from the archive or from the devices."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import structlog

from app.archive import KeptImage
from app.errors import LaternaError, LostImage, UnknownImage
from app.settings import Settings
from app.studio import idle, samples
from app.studio.engine.decoders import Decoders
from app.studio.visualizations import Visualizations

log = structlog.get_logger("laterna.studio")
SWEEP_SECONDS = 60.0
#: Seconds until a chore that failed is tried again.
CHORE_PAUSE = 30.0
#: Seconds between two looks whether the device has nothing to do.
IDLE_LOOK = 0.25


class Studio(Visualizations):
    """Everything behind the pages: networks, pictures, results. Imports no torch.

    What is awaited never keeps the event loop. What is not awaited looks at the disk, so it is
    called in a thread; of a job's `snapshot` alone, which reads one row, not.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.decoders = Decoders(settings)
        self._samples_wanted = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Start the processes, and stop them at the end."""
        self._loop = asyncio.get_running_loop()
        await self.engine.start()
        await self.decoders.start()
        work = (
            self.scheduler.work,
            self._look_around,
            self._sweep,
            self._take_samples,
            self._describe_all,
            self._make_idle_pictures,
        )
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
        """A picture that this owner may see; UnknownImage for strangers unless it is shared.

        Raises LostImage when its files are damaged or gone; a sample is then taken anew.
        """
        kept = self.archive.image_or_lost(image)
        if kept.owner not in (samples.OWNER, owner) and not kept.shared:
            raise UnknownImage()
        try:
            return self.archive.image(image)
        except LostImage:
            self._want_samples()
            raise

    def own_image(self, image: str, owner: str | None) -> KeptImage:
        """A picture that this owner may change, damaged or not; UnknownImage for all others."""
        kept = self.archive.image_or_lost(image)
        if not owner or kept.owner != owner:
            raise UnknownImage()
        return kept

    async def delete_image(self, image: str) -> None:
        """Delete a picture with all that was made from it, here and on the devices."""
        await asyncio.to_thread(self.archive.delete_image, image)
        await self.scheduler.drop_the_deleted()
        self.engine.forget(image)

    def sample_images(self) -> list[KeptImage]:
        """The sample photos that are ready, in their order."""
        found = samples.kept(self.archive)
        if len(found) < len(samples.all_samples()):
            self._want_samples()
        return found

    def images_of(self, owner: str | None) -> list[KeptImage]:
        """Somebody's own pictures, newest first."""
        return self.archive.images_of(owner) if owner else []

    def _want_samples(self) -> None:
        """Have samples looked for now. From any thread, so the event loop is to be woken."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._samples_wanted.set)

    async def _take_samples(self) -> None:
        """Take those that are missing or damaged: now, whenever one is missed, and now and then."""
        while True:
            self._samples_wanted.clear()
            await samples.take(self.archive, self.decoders)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._samples_wanted.wait(), SWEEP_SECONDS)

    async def _look_around(self) -> None:
        """Look early whether the weights' mirror is there, so that no page waits for the answer."""
        await self.fetcher.reachable()

    async def _describe_all(self) -> None:
        """Have every network described while nobody waits, so that its pages need no device."""
        for entry in await asyncio.to_thread(self.catalogue.entries):
            known = await asyncio.to_thread(self.known_entry, entry)
            if entry.problem is None and known is None:
                # A quarter of a second is early enough, and needs no event in the engine.
                while not self._has_idle_device():  # noqa: ASYNC110
                    await asyncio.sleep(IDLE_LOOK)
                with suppress(LaternaError):
                    await self.description(entry.name)

    async def _make_idle_pictures(self) -> None:
        await idle.make(self)

    def _has_idle_device(self) -> bool:
        devices = self.engine.devices()
        return any(d.state == "ready" and not d.doing and not d.waiting for d in devices)

    async def _sweep(self) -> None:
        """Delete what has expired or is over the quota, again and again."""
        while True:
            for image in await asyncio.to_thread(self.archive.sweep):
                self.engine.forget(image)
            await self.scheduler.drop_the_deleted()
            await asyncio.to_thread(self.scheduler.jobs.prune)
            await asyncio.sleep(SWEEP_SECONDS)


async def _kept_up(chore: Callable[[], Awaitable[None]]) -> None:
    """Do a chore; when it fails (a full disk, a full queue), say so and try again."""
    while True:
        try:
            return await chore()
        except Exception:
            log.exception("a chore failed", chore=chore.__name__.strip("_"))
            await asyncio.sleep(CHORE_PAUSE)
