"""Decoders: real processes that are stopped, killed and starved, while pictures go on."""

import asyncio
import os
import resource
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from app.errors import LaternaError, QueueFull, TooHardToDecode
from app.settings import Settings
from app.studio.engine import decoders as module
from app.studio.engine.decoders import Decoders
from tests.bad_pictures import SIZE, bad_pictures, encoded
from tests.color_profiles import display_p3
from tests.running import PATIENCE, children_of

pytestmark = pytest.mark.first

GOOD = encoded("PNG")


def with_decoders(work: Callable[[Decoders], Awaitable[None]], **set_to: Any) -> None:
    """Do some work with real decoders, and see that none is left over."""
    before = set(children_of(os.getpid()))

    async def run() -> None:
        # No more than memory is to fail where the machine is busy.
        settings = Settings(**{"decoders": 1, "decode_seconds": PATIENCE} | set_to)
        decoders = Decoders(settings)
        await decoders.start()
        try:
            await work(decoders)
        finally:
            await decoders.stop()

    asyncio.run(run())
    assert set(children_of(os.getpid())) == before


def decoder() -> int:
    """The process of the only decoder."""
    found = [pid for pid in children_of(os.getpid()) if "decoders:serve" in command_of(pid)]
    assert len(found) == 1
    return found[0]


def command_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


def peak_memory(pid: int) -> int:
    """The most memory that a process ever had, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def test_all_odd_files_are_survived_by_one_process_within_bounds() -> None:
    async def work(decoders: Decoders) -> None:
        await decoders.clean(GOOD)
        pid = decoder()
        for odd in bad_pictures():
            (ended,) = await asyncio.gather(decoders.clean(odd.data), return_exceptions=True)
            code = ended.code if isinstance(ended, LaternaError) else "picture"
            assert code in (odd.refusals if odd.quarters is None else (*odd.refusals, "picture"))
        assert decoder() == pid
        assert peak_memory(pid) < 400_000_000
        assert (await decoders.clean(GOOD)).width == SIZE[0]

    with_decoders(work)


def test_a_decoder_that_hangs_is_replaced() -> None:
    async def work(decoders: Decoders) -> None:
        await decoders.clean(GOOD)
        hanging = decoder()
        os.kill(hanging, signal.SIGSTOP)
        with pytest.raises(TooHardToDecode):
            await decoders.clean(GOOD * 5)
        await decoders.clean(GOOD)
        assert decoder() != hanging

    async def afterwards(decoders: Decoders) -> None:
        os.kill(decoder(), signal.SIGKILL)
        assert (await decoders.clean(GOOD)).width == SIZE[0]

    with_decoders(work, decode_seconds=5)
    with_decoders(afterwards)


def test_a_file_that_takes_too_long_is_stopped() -> None:
    """Pillow reads bytes that only fill a JPEG one by one: these take it twenty seconds."""
    photo = encoded("JPEG")
    slow = photo[:2] + b"\xff" * 48_000_000 + photo[2:]

    async def work(decoders: Decoders) -> None:
        assert (await decoders.clean(GOOD)).width == SIZE[0]
        busy = decoder()
        with pytest.raises(TooHardToDecode):
            await decoders.clean(slow)
        assert (await decoders.clean(GOOD)).width == SIZE[0]
        assert decoder() != busy

    with_decoders(work, decode_seconds=5)


def test_large_data_for_a_decoder_that_hangs_do_not_hold_up_anybody() -> None:
    async def work(decoders: Decoders) -> None:
        await decoders.clean(GOOD)
        os.kill(decoder(), signal.SIGSTOP)
        waiting = asyncio.create_task(decoders.clean(GOOD + bytes(20_000_000)))
        for _ in range(10):
            await asyncio.sleep(0.01)
        assert not waiting.done()
        with pytest.raises(TooHardToDecode):
            await waiting

    with_decoders(work, decode_seconds=5)


def test_a_decoder_that_is_killed_at_work_costs_nobody_a_picture() -> None:
    async def work(decoders: Decoders) -> None:
        await decoders.clean(GOOD)
        victim = decoder()
        os.kill(victim, signal.SIGSTOP)  # so that it is surely in the middle of it
        waiting = asyncio.create_task(decoders.clean(GOOD))
        await asyncio.sleep(0.2)
        os.kill(victim, signal.SIGKILL)
        assert (await waiting).width == SIZE[0]
        assert decoder() != victim

    with_decoders(work)


def test_a_picture_that_needs_too_much_memory_is_refused_and_the_next_is_not() -> None:
    large = encoded("PNG", Image.new("RGB", (7000, 7000), "teal"))

    async def work(decoders: Decoders) -> None:
        with pytest.raises(TooHardToDecode):
            await decoders.clean(large)
        assert (await decoders.clean(GOOD)).width == SIZE[0]

    async def with_more(decoders: Decoders) -> None:
        assert (await decoders.clean(large)).original_width == 7000

    with_decoders(work, decode_memory_bytes=250_000_000)
    with_decoders(with_more)


@pytest.mark.parametrize(
    ("kind", "mode", "how"),
    [
        ("PNG", "RGBA", {"icc_profile": display_p3(), "compress_level": 1}),
        ("TIFF", "F", {"compression": "tiff_adobe_deflate"}),
        ("WEBP", "RGBA", {"lossless": True, "method": 0}),
    ],
)
def test_the_largest_pictures_that_are_taken_fit(kind: str, mode: str, how: dict[str, Any]) -> None:
    """Within the usual limit of memory, for those kinds that need the most memory."""
    largest = encoded(kind, Image.new(mode, (7071, 7071)), **how)

    async def work(decoders: Decoders) -> None:
        made = await decoders.clean(largest)
        assert (made.width, made.original_width) == (2048, 7071)
        assert peak_memory(decoder()) < 1_200_000_000

    with_decoders(work)


def test_the_limit_is_not_the_servers_own() -> None:
    before = resource.getrlimit(resource.RLIMIT_AS)

    async def work(decoders: Decoders) -> None:
        await decoders.clean(GOOD)

    with_decoders(work, decode_memory_bytes=400_000_000)
    assert resource.getrlimit(resource.RLIMIT_AS) == before


def test_those_who_leave_do_not_confuse_the_next() -> None:
    async def work(decoders: Decoders) -> None:
        await decoders.clean(GOOD)
        os.kill(decoder(), signal.SIGSTOP)
        leaving = asyncio.create_task(decoders.clean(encoded("PNG", Image.new("RGB", (9, 9)))))
        await asyncio.sleep(0.1)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        assert (await decoders.clean(GOOD)).width == SIZE[0]

    with_decoders(work)


@pytest.mark.parametrize(
    ("name", "most"), [("MOST_WAITING", 3), ("MOST_WAITING_BYTES", 3 * len(GOOD))]
)
def test_only_so_many_wait(monkeypatch: pytest.MonkeyPatch, name: str, most: int) -> None:
    monkeypatch.setattr(module, name, most)

    async def work(decoders: Decoders) -> None:
        await decoders.clean(GOOD)
        os.kill(decoder(), signal.SIGSTOP)
        asked = [asyncio.create_task(decoders.clean(GOOD)) for _ in range(6)]
        await asyncio.sleep(0.2)
        os.kill(decoder(), signal.SIGCONT)
        ended = await asyncio.gather(*asked, return_exceptions=True)
        assert sum(isinstance(one, QueueFull) for one in ended) == 2
        assert sum(not isinstance(one, BaseException) for one in ended) == 4

    with_decoders(work)
