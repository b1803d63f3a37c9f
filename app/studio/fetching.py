"""Fetching: torchvision's weights from their mirror, when somebody asks, checked by their hash.

The hash is in the file's name as torchvision gives it (`vgg16-397923af.pth`: SHA-256 begins with
397923af). A file appears in its place whole and right, or not at all.
"""

import asyncio
import hashlib
import os
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

import structlog

from app.archive import Archive
from app.errors import FetchFailed, LaternaError, NotFetchable, Unexpected, WeightsOutOfReach, Words
from app.settings import Settings
from app.zoo.entries import Entry

log = structlog.get_logger("laterna.fetching")
State = Literal["running", "done", "failed", "cancelled"]
CHUNK = 1 << 18
#: Seconds: between two snapshots to a watcher, of a look whether the mirror is there, of its worth.
PACE, LOOK, WORTH, WORTH_OF_A_NO = 0.1, 2.0, 60.0, 5.0
#: No weights that torchvision offers are larger.
MOST_BYTES = 4 << 30


@dataclass(frozen=True)
class Fetching:
    """How far it is: bytes of total (None while unknown); why it failed."""

    model: str
    state: State
    bytes: int = 0
    total: int | None = None
    problem: LaternaError | None = None


class Fetcher:
    """At most one fetching per network; those who ask for the same one share it."""

    def __init__(self, settings: Settings, archive: Archive) -> None:
        self._settings, self._archive = settings, archive
        self._now: dict[str, Fetching] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()
        self._seen: tuple[float, bool] | None = None
        self._look: asyncio.Task[bool] | None = None
        self.closed = False

    def start(self, entry: Entry) -> Fetching:
        """Begin to fetch a network's weights, or join who does. Raises NotFetchable."""
        running = self.fetching(entry.name)
        if running and running.state == "running":
            return running
        if entry.url_name is None or entry.file is None:
            raise NotFetchable(
                model=entry.title, reason=Words("its weights are not on the mirror.")
            )
        if entry.present:
            raise NotFetchable(model=entry.title, reason=Words("its weights are here already."))
        if self._settings.offline:
            mirror = self._settings.weights_mirror
            raise WeightsOutOfReach(mirror=mirror, file=entry.url_name)
        self._tell(Fetching(entry.name, "running"))
        task = asyncio.create_task(self._fetch(entry, entry.url_name, entry.file))
        task.add_done_callback(lambda task: self._ended(entry, task))
        self._tasks[entry.name] = task
        return self._now[entry.name]

    def fetching(self, model: str) -> Fetching | None:
        """How far the last fetching of a network is."""
        return self._now.get(model)

    def cancel(self, model: str) -> None:
        """Stop fetching; nothing of it remains."""
        task = self._tasks.get(model)
        if task is not None:
            task.cancel()

    async def changes(self, model: str) -> AsyncIterator[Fetching]:
        """How it is now, and every news of it until it ends: the newest only, ten a second."""
        told: Fetching | None = None
        while True:
            changed, now = self._changed, self._now.get(model)
            if now is None:
                return
            if now != told:
                told = now
                yield now
            if self.closed or now.state != "running":
                return
            await asyncio.sleep(PACE)
            await changed.wait()

    async def all_changes(self) -> AsyncIterator[list[Fetching]]:
        """How all are that were ever fetched, then what is new of any, until none is running."""
        told: dict[str, Fetching] = {}
        while True:
            changed = self._changed
            news = [now for now in self._now.values() if told.get(now.model) != now]
            told = dict(self._now)
            yield news
            if self.closed or not any(now.state == "running" for now in told.values()):
                return
            await asyncio.sleep(PACE)
            await changed.wait()

    def close(self) -> None:
        """The server is to end: let all go who watch."""
        self.closed = True
        self._changed.set()

    async def reachable(self) -> bool:
        """Whether the mirror answers; looked at once a minute at most, and waited for only once.

        Later looks go on behind: until they end, the last one is taken as true.
        """
        if self._settings.offline:
            return False
        if self._look is None and self._is_stale():
            self._look = asyncio.create_task(self._answers())
            self._look.add_done_callback(self._looked)
        if self._seen is None and self._look is not None:
            return await asyncio.shield(self._look)
        return self._seen is not None and self._seen[1]

    def _is_stale(self) -> bool:
        """A no is asked again sooner: it may have been a busy moment, or a cable put in since."""
        if self._seen is None:
            return True
        when, was_there = self._seen
        return time.monotonic() - when > (WORTH if was_there else min(WORTH, WORTH_OF_A_NO))

    def _looked(self, look: asyncio.Task[bool]) -> None:
        self._look = None
        if not look.cancelled():
            self._seen = (time.monotonic(), look.exception() is None and look.result())

    async def stop(self) -> None:
        """Cancel everything."""
        under_way = [*self._tasks.values(), *([self._look] if self._look else [])]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    async def _answers(self) -> bool:
        import httpx

        try:
            async with asyncio.timeout(LOOK), httpx.AsyncClient() as client:
                await client.head(self._settings.weights_mirror)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError):
            return False
        return True

    def _tell(self, now: Fetching) -> None:
        self._now[now.model] = now
        self._changed.set()
        self._changed = asyncio.Event()

    def _ended(self, entry: Entry, task: asyncio.Task[None]) -> None:
        """Tell how it ended."""
        state: State = "done"
        problem: LaternaError | None = None
        if task.cancelled():
            state = "cancelled"
        elif (error := task.exception()) is not None:
            state = "failed"
            problem = error if isinstance(error, LaternaError) else Unexpected(request=entry.name)
            log.warning("fetching failed", model=entry.name, error=repr(error))
        log.info("fetching ended", model=entry.name, state=state)
        now = self._now[entry.name]
        self._tell(Fetching(entry.name, state, now.bytes, now.total, problem))

    async def _fetch(self, entry: Entry, url_name: str, file: Path) -> None:
        """Download, and put what can go wrong into words."""
        import httpx

        def failed(reason: str) -> FetchFailed:
            return FetchFailed(model=entry.title, reason=reason)

        try:
            await self._download(entry, f"{self._settings.weights_mirror}/{url_name}", file)
        except httpx.HTTPStatusError as error:
            raise failed(
                Words("the mirror answered {status}", status=error.response.status_code)
            ) from None
        except (httpx.ConnectError, httpx.ConnectTimeout):
            self._seen = None
            raise WeightsOutOfReach(mirror=self._settings.weights_mirror, file=url_name) from None
        except (httpx.HTTPError, httpx.InvalidURL):
            self._seen = None
            raise failed(Words("the connection to the mirror broke off")) from None
        except OSError as error:
            raise failed(Words("the file cannot be written ({why})", why=error.strerror)) from None

    async def _download(self, entry: Entry, url: str, file: Path) -> None:
        import httpx

        wanted = re.search(r"-([0-9a-f]{8,})\.", file.name)
        digest = hashlib.sha256()
        async with (
            httpx.AsyncClient(timeout=30, follow_redirects=True) as client,
            # As it lies there: bytes of a total can be counted, and the hash is of the file.
            client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as response,
        ):
            response.raise_for_status()
            length = response.headers.get("content-length", "")
            total = int(length) if length.isdecimal() else None
            if total is not None and total > MOST_BYTES:
                raise FetchFailed(model=entry.title, reason=Words("the file is absurdly large"))
            got = 0
            with self._archive.replace_file(file) as part:
                async for chunk in response.aiter_bytes(CHUNK):
                    await asyncio.to_thread(part.write, chunk)
                    digest.update(chunk)
                    got += len(chunk)
                    if got > MOST_BYTES:
                        raise FetchFailed(model=entry.title, reason=Words("the file does not end"))
                    self._tell(Fetching(entry.name, "running", got, total))
                if wanted and not digest.hexdigest().startswith(wanted[1]):
                    problem = Words(
                        "what came is not the file that was asked for (its hash is another)"
                    )
                    raise FetchFailed(model=entry.title, reason=problem)
                await asyncio.to_thread(_sync, part)  # takes seconds, which the web must not wait


def _sync(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())
