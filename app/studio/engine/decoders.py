"""Decoders: pictures from outside are opened in processes that may be ended at any time."""

import asyncio
import resource
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import structlog

from app.errors import DeviceAway, LaternaError, QueueFull, TooHardToDecode
from app.settings import MIB, Settings
from app.studio.engine.child import Child, ChildDied
from app.studio.pictures.clean import CleanPicture, clean
from app.studio.pictures.crops import Cut, CutOut, cut_out
from app.studio.pictures.looks import Look, Seen, look

log = structlog.get_logger("laterna.decoders")
#: Pictures that may wait in memory for a free decoder, and how much of it they may take.
MOST_WAITING = 64
MOST_WAITING_BYTES = 256 * MIB
#: Seconds that a process gets to start, which a busy machine may take; they are not the picture's.
START_SECONDS = 30.0
#: A decoder that dies may have been ended by somebody else: the picture gets another one.
TRIES = 2
#: Behind the web, before the devices: whoever uploads waits for it.
NICE = 5
TARGET = "app.studio.engine.decoders:serve"
Decoded = CleanPicture | CutOut


@dataclass(frozen=True)
class Limits:
    """To a decoder: what it may use."""

    memory_bytes: int
    max_pixels: int
    side: int


@dataclass(frozen=True)
class Ready:
    """From a decoder: it has started."""


def serve(pipe: Connection, limits: Limits) -> None:
    """In the child: clean one picture after another, cut one out, or look at a photo's file, until
    the pipe ends.
    """
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    pipe.send(Ready())
    while True:
        wanted: Cut | Look | None = pipe.recv()
        made: Decoded | Seen | LaternaError | None
        try:
            if isinstance(wanted, Look):
                made = look(wanted, limits.max_pixels)
            elif wanted is None:
                made = clean(pipe.recv_bytes(), limits.max_pixels, limits.side)
            else:
                made = cut_out(pipe.recv_bytes(), wanted, limits.max_pixels)
        except LaternaError as error:
            made = error
        except MemoryError:
            made = None
        pipe.send(made)


class Decoder:
    """One decoding process and the picture it is at; started again when it was ended."""

    def __init__(self, settings: Settings) -> None:
        self._seconds = settings.decode_seconds
        self._limits = Limits(
            settings.decode_memory_bytes, settings.picture_max_pixels, settings.picture_side
        )
        self._child: Child | None = None
        self._answer: asyncio.Future[Decoded] | None = None
        self._ready, self._gone = asyncio.Event(), asyncio.Event()
        self._closed = False

    def start(self) -> None:
        """Start the process."""
        self._ready, self._gone = asyncio.Event(), asyncio.Event()
        self._child = Child(TARGET, self._limits, self._heard, self._died, NICE)

    async def close(self) -> None:
        """End the process for good, and wait until it has ended."""
        self._closed = True
        await self._end()

    async def decode(self, data: bytes, wanted: Cut | None) -> Decoded:
        """Clean a picture, or cut a part out, within the time limit."""
        for _ in range(TRIES):
            with suppress(ChildDied):
                return await self._decode(data, wanted)
            log.warning("a decoder died")
        raise self._too_hard()

    async def _decode(self, data: bytes, wanted: Cut | None) -> Decoded:
        if self._closed:
            raise DeviceAway()
        if self._child is None:
            self.start()
        child = self._child
        assert child is not None
        self._answer = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(START_SECONDS):
                await self._ready.wait()
            async with asyncio.timeout(self._seconds):
                child.send(wanted)
                child.send_bytes(data)
                return await self._answer
        except TimeoutError:
            log.warning("decoding took too long", seconds=self._seconds)
            await self._give_up(self._answer)
            self.start()  # the next one shall not wait for it
            raise self._too_hard() from None
        except asyncio.CancelledError:
            await self._give_up(self._answer)
            raise

    async def _give_up(self, answer: "asyncio.Future[Decoded]") -> None:
        """End the process: half a picture in the pipe is of no use to the next one."""
        answer.cancel()
        await self._end()

    async def _end(self) -> None:
        if self._child is not None:
            self._child.kill()
            await self._gone.wait()

    def _too_hard(self) -> TooHardToDecode:
        return TooHardToDecode(seconds=f"{self._seconds:g}")

    def _heard(self, made: Any) -> None:
        if isinstance(made, Ready):
            self._ready.set()
        elif self._answer is None or self._answer.done():
            return
        elif isinstance(made, Decoded):
            self._answer.set_result(made)
        else:
            self._answer.set_exception(made or self._too_hard())

    def _died(self) -> None:
        self._child = None
        self._ready.set()  # who waits for it waits for nothing more
        self._gone.set()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ChildDied())


class Decoders:
    """As many decoding processes as the settings say; whoever comes waits for a free one."""

    def __init__(self, settings: Settings) -> None:
        self._all = [Decoder(settings) for _ in range(settings.decoders)]
        self._free: asyncio.Queue[Decoder] = asyncio.Queue()
        self._running = False
        self._waiting = self._waiting_bytes = 0

    async def start(self) -> None:
        """Start the processes."""
        for decoder in self._all:
            decoder.start()
            self._free.put_nowait(decoder)
        self._running = True

    async def stop(self) -> None:
        """End the processes."""
        self._running = False
        await asyncio.gather(*(decoder.close() for decoder in self._all))

    async def clean(self, data: bytes) -> CleanPicture:
        """A clean picture of what somebody sent. Raises what is wrong with it, or QueueFull."""
        made = await self._decoded(data, None)
        assert isinstance(made, CleanPicture), "no part was wanted"
        return made

    async def cut(self, data: bytes, wanted: Cut) -> bytes:
        """A part of a photo as JPEG. Raises what is wrong with it, or QueueFull."""
        made = await self._decoded(data, wanted)
        assert isinstance(made, CutOut), "a part was wanted"
        return made.jpeg

    async def _decoded(self, data: bytes, wanted: Cut | None) -> Decoded:
        if not self._running:
            raise DeviceAway()
        if self._waiting >= MOST_WAITING or self._waiting_bytes >= MOST_WAITING_BYTES:
            raise QueueFull()
        self._waiting += 1
        self._waiting_bytes += len(data)
        try:
            decoder = await self._free.get()
        finally:
            self._waiting -= 1
            self._waiting_bytes -= len(data)
        try:
            return await decoder.decode(data, wanted)
        finally:
            self._free.put_nowait(decoder)
