"""Fetching weights from a mirror on this machine: right, wrong, cut short, slow, or not there."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from app.archive import Archive
from app.errors import FetchFailed, NotFetchable, WeightsOutOfReach
from app.settings import Settings
from app.studio import fetching
from app.studio.fetching import Fetcher, Fetching
from app.zoo.entries import Entry
from tests.running import PATIENCE, closed_port, until

WEIGHTS = bytes(range(256)) * 8192  # 2 MiB
NAME = f"net-{hashlib.sha256(WEIGHTS).hexdigest()[:8]}.pth"


@dataclass
class Mirror:
    """A web server that gives `body` in pieces, and says that it has `length` bytes."""

    body: bytes = WEIGHTS
    status: str = "200 OK"
    length: int | None = None
    pause: float = 0.0
    asked: list[str] = field(default_factory=list)
    url: str = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(head.split(b"\r\n")[0].decode())
        length = len(self.body) if self.length is None else self.length
        said = f"HTTP/1.1 {self.status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        writer.write(said.encode())
        for at in range(0, 0 if head.startswith(b"HEAD") else len(self.body), 65_536):
            writer.write(self.body[at : at + 65_536])
            await writer.drain()
            await asyncio.sleep(self.pause)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        answers: set[asyncio.Task[Any]] = set()

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            answers.add(task)
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self.answer(reader, writer)
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield
        finally:
            server.close()
            for task in answers:
                task.cancel()
            await asyncio.gather(*answers, return_exceptions=True)


Work = Callable[[Fetcher, Entry], Awaitable[None]]


def fetch(folder: Path, mirror: Mirror | None, work: Work, **set_to: Any) -> Entry:
    """Do some work with a fetcher, and see that nothing half-written is left."""
    entry = Entry(
        name="net",
        title="Net",
        architecture="torchvision:net",
        weights="torchvision:Net.DEFAULT",
        file=folder / "models" / NAME,
        url_name=NAME,
    )

    async def with_fetcher(url: str) -> None:
        archive = Archive(folder / "data", 1 << 30)
        fetcher = Fetcher(Settings(weights_mirror=url, **set_to), archive)
        try:
            await work(fetcher, entry)
        finally:
            await fetcher.stop()
            archive.close()

    async def run() -> None:
        if mirror is None:
            await with_fetcher(f"http://127.0.0.1:{closed_port()}")
            return
        async with mirror.open():
            await with_fetcher(mirror.url)

    asyncio.run(run())
    assert list(folder.rglob("*.part")) == []
    return entry


async def end_of(fetcher: Fetcher, entry: Entry) -> Fetching:
    async with asyncio.timeout(PATIENCE):
        snapshots = [snapshot async for snapshot in fetcher.changes(entry.name)]
    assert snapshots[-1] == fetcher.fetching(entry.name)
    return snapshots[-1]


def present(entry: Entry) -> bool:
    assert entry.file is not None
    return entry.file.exists()


def test_weights_come_whole_with_their_progress(tmp_path: Path) -> None:
    mirror = Held()

    async def work(fetcher: Fetcher, entry: Entry) -> None:
        assert fetcher.fetching("net") is None
        started = fetcher.start(entry)
        assert started.state == "running"
        assert fetcher.start(entry) == started, "asking twice is harmless"
        at = []
        async for snapshot in fetcher.changes("net"):
            at.append(snapshot.bytes)
            if snapshot.bytes:
                mirror.go.set()
        assert at == sorted(at)
        assert {0 < bytes < len(WEIGHTS) for bytes in at} == {True, False}, "on the way, and then"
        assert fetcher.fetching("net") == Fetching("net", "done", len(WEIGHTS), len(WEIGHTS))
        assert [snapshot.state async for snapshot in fetcher.changes("net")] == ["done"]

    entry = fetch(tmp_path, mirror, work)
    assert entry.file
    assert entry.file.read_bytes() == WEIGHTS
    assert mirror.asked == [f"GET /{NAME} HTTP/1.1"]


def test_a_mirror_may_send_on_to_another(tmp_path: Path) -> None:
    class Moved(Mirror):
        async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if self.asked:
                await super().answer(reader, writer)
                return
            self.asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
            writer.write(f"HTTP/1.1 302 Found\r\nLocation: {self.url}/elsewhere\r\n"
                         f"Content-Length: 0\r\nConnection: close\r\n\r\n".encode())  # fmt: skip
            writer.close()

    mirror = Moved()

    async def work(fetcher: Fetcher, entry: Entry) -> None:
        fetcher.start(entry)
        assert (await end_of(fetcher, entry)).state == "done"

    assert present(fetch(tmp_path, mirror, work))
    assert "accept-encoding: identity" in mirror.asked[0].lower()
    assert mirror.asked[1:] == ["GET /elsewhere HTTP/1.1"]


@pytest.mark.parametrize(
    ("mirror", "words"),
    [
        (Mirror(body=WEIGHTS[:-1] + b"x"), "hash"),
        (Mirror(body=WEIGHTS[:100_000], length=len(WEIGHTS)), "broke off"),
        (Mirror(status="404 Not Found"), "404"),
        (Mirror(status="500 Oh"), "500"),
        (Mirror(length=1 << 40), "absurdly large"),
    ],
    ids=["wrong", "cut short", "not there", "broken", "endless"],
)
def test_what_is_wrong_is_said_and_nothing_is_kept(
    tmp_path: Path, mirror: Mirror, words: str
) -> None:
    async def work(fetcher: Fetcher, entry: Entry) -> None:
        fetcher.start(entry)
        ended = await end_of(fetcher, entry)
        assert ended.state == "failed"
        assert isinstance(ended.problem, FetchFailed)
        assert words in str(ended.problem)

    assert not present(fetch(tmp_path, mirror, work))


def test_a_failure_can_be_tried_again(tmp_path: Path) -> None:
    mirror = Mirror(status="503 Later")

    async def work(fetcher: Fetcher, entry: Entry) -> None:
        fetcher.start(entry)
        assert (await end_of(fetcher, entry)).state == "failed"
        mirror.status = "200 OK"
        fetcher.start(entry)
        assert (await end_of(fetcher, entry)).state == "done"
        with pytest.raises(NotFetchable):
            fetcher.start(entry)

    assert present(fetch(tmp_path, mirror, work))


@pytest.mark.parametrize("when", ["at once", "in the middle"])
def test_cancelling_leaves_nothing(tmp_path: Path, when: str) -> None:
    async def work(fetcher: Fetcher, entry: Entry) -> None:
        fetcher.start(entry)
        if when == "in the middle":
            await until(lambda: (now := fetcher.fetching("net")) and now.bytes)
        fetcher.cancel("net")
        ended = await end_of(fetcher, entry)
        assert ended.state == "cancelled"
        assert ended.bytes < len(WEIGHTS)
        fetcher.cancel("net")

    assert not present(fetch(tmp_path, Held(), work))


def test_a_mirror_out_of_reach(tmp_path: Path) -> None:
    async def work(fetcher: Fetcher, entry: Entry) -> None:
        assert not await fetcher.reachable()
        fetcher.start(entry)
        assert isinstance((await end_of(fetcher, entry)).problem, WeightsOutOfReach)

    assert not present(fetch(tmp_path, None, work))


def test_offline_nothing_is_tried(tmp_path: Path) -> None:
    mirror = Mirror()

    async def work(fetcher: Fetcher, entry: Entry) -> None:
        assert not await fetcher.reachable()
        with pytest.raises(WeightsOutOfReach):
            fetcher.start(entry)

    fetch(tmp_path, mirror, work, offline=True)
    assert mirror.asked == []


def test_the_mirror_is_looked_at_once_a_minute_and_not_for_ever(tmp_path: Path) -> None:
    mirror = Mirror()

    async def work(fetcher: Fetcher, entry: Entry) -> None:
        assert all(await asyncio.gather(*(fetcher.reachable() for _ in range(20))))

    fetch(tmp_path, mirror, work)
    assert len(mirror.asked) == 1

    async def deaf(fetcher: Fetcher, entry: Entry) -> None:
        assert not await fetcher.reachable()

    fetch(tmp_path, Deaf(), deaf)


def test_a_mirror_that_went_away_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "WORTH", 0.0)
    mirror = FallsSilent()

    async def work(fetcher: Fetcher, entry: Entry) -> None:
        assert await fetcher.reachable()
        assert await fetcher.reachable(), "until it is known better"
        async with asyncio.timeout(PATIENCE):
            while await fetcher.reachable():
                await asyncio.sleep(0.01)

    fetch(tmp_path, mirror, work)


class Held(Mirror):
    """Gives half, and the rest when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(head.split(b"\r\n")[0].decode())
        half = len(self.body) // 2
        said = f"HTTP/1.1 200 OK\r\nContent-Length: {len(self.body)}\r\nConnection: close\r\n\r\n"
        writer.write(said.encode() + self.body[:half])
        await writer.drain()
        await self.go.wait()
        writer.write(self.body[half:])
        await writer.drain()


class FallsSilent(Mirror):
    """Answers once."""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.asked:
            await super().answer(reader, writer)
            return
        await reader.read()
        writer.close()


class Deaf(Mirror):
    """Takes the connection and says nothing."""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file where the folder should be")

    async def work(fetcher: Fetcher, entry: Entry) -> None:
        fetcher.start(entry)
        ended = await end_of(fetcher, entry)
        assert ended.state == "failed"
        assert isinstance(ended.problem, FetchFailed)

    fetch(tmp_path, Mirror(), work)


def test_weights_that_no_mirror_has_are_not_fetched(tmp_path: Path) -> None:
    async def work(fetcher: Fetcher, entry: Entry) -> None:
        with pytest.raises(NotFetchable):
            fetcher.start(Entry(name="own", title="Own", architecture="torchvision:net"))

    fetch(tmp_path, Mirror(), work)
