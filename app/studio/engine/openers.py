"""Openers: for a device's process, which waits: photos of folders, opened in processes that may be
ended at any time, as decoders.py has them for the web; a few photos ahead of who asks.
"""

import queue
from collections.abc import Collection
from concurrent.futures import Future, ThreadPoolExecutor, wait
from multiprocessing.connection import Connection
from subprocess import Popen
from types import TracebackType

import structlog

from app.errors import LaternaError, TooHardToDecode
from app.settings import Settings
from app.studio.engine.child import spawned
from app.studio.engine.decoders import START_SECONDS, TARGET, TRIES, Limits
from app.studio.pictures.looks import Look, Seen

log = structlog.get_logger("laterna.decoders")
#: A photo that is being opened, or has been.
Opening = Future[Seen | LaternaError]


class Opener:
    """One decoding process; started when it is needed, and again when it was ended."""

    def __init__(self, limits: Limits, seconds: float) -> None:
        self._limits, self._seconds = limits, seconds
        self._process: Popen[bytes] | None = None
        self._pipe: Connection | None = None
        self._is_closed = False

    def open(self, wanted: Look) -> Seen | LaternaError:
        """What a network sees of a photo, or why not; within the time limit."""
        for _ in range(TRIES):
            try:
                found = self._opened(wanted)
            except TimeoutError:
                log.warning("decoding took too long", seconds=self._seconds)
                self.end()
                break
            except (EOFError, OSError):  # it died; somebody else may have ended it
                self.end()
                if self._is_closed:
                    break
                log.warning("a decoder died")
            else:
                return self._too_hard() if found is None else found
        return self._too_hard()

    def close(self) -> None:
        """Let whoever waits for its process wait no longer, nor another be started."""
        self._is_closed = True
        if self._process is not None:
            self._process.kill()

    def end(self) -> None:
        """End the process, if there is one; by whoever is the only one to use it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None

    def _opened(self, wanted: Look) -> Seen | LaternaError | None:
        pipe = self._pipe or self._started()
        pipe.send(wanted)
        return _heard(pipe, self._seconds)

    def _started(self) -> Connection:
        self._process, self._pipe = spawned(TARGET, 0)
        self._pipe.send(self._limits)
        _heard(self._pipe, START_SECONDS)
        return self._pipe

    def _too_hard(self) -> TooHardToDecode:
        return TooHardToDecode(seconds=f"{self._seconds:g}")


def _heard(pipe: Connection, seconds: float) -> "Seen | LaternaError | None":
    """The next that it says. Raises TimeoutError, and EOFError or OSError when it has ended."""
    if not pipe.poll(seconds):
        raise TimeoutError
    heard: Seen | LaternaError | None = pipe.recv()
    return heard


class Openers:
    """As many decoding processes as the settings say, until the end of the `with`."""

    def __init__(self, settings: Settings) -> None:
        limits = Limits(
            settings.decode_memory_bytes, settings.picture_max_pixels, settings.picture_side
        )
        self.largest = settings.upload_max_bytes
        self._all = [Opener(limits, settings.decode_seconds) for _ in range(settings.decoders)]
        self._free: queue.SimpleQueue[Opener] = queue.SimpleQueue()
        for opener in self._all:
            self._free.put(opener)
        self._threads = ThreadPoolExecutor(settings.decoders, "open")

    def __enter__(self) -> "Openers":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for opener in self._all:
            opener.close()
        self._threads.shutdown(cancel_futures=True)
        for opener in self._all:
            opener.end()

    def open(self, wanted: Look) -> Opening:
        """Begin to open a photo."""
        return self._threads.submit(self._opened, wanted)

    def are_open(self, photos: Collection[Opening], seconds: float) -> bool:
        """Wait for some photos for so long at most; whether all are open, or refused."""
        return not wait(photos, seconds).not_done

    def _opened(self, wanted: Look) -> Seen | LaternaError:
        opener = self._free.get()
        try:
            return opener.open(wanted)
        finally:
            self._free.put(opener)
