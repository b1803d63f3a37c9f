"""A child: one process that is started clean, told things over a pipe, and outlives nobody.

It is a fresh interpreter (no fork, nothing inherited but one end of a socket pair), so it neither
runs the program's main module again nor keeps the server's port or another child's pipe open. It
ends when its parent does: by the kernel (PR_SET_PDEATHSIG), and by the end of its pipe.
"""

import asyncio
import ctypes
import importlib
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import structlog

from app.logs import configure_logs

log = structlog.get_logger("laterna.engine")
PR_SET_PDEATHSIG = 1
#: What the fresh interpreter runs.
ENTRY = "from app.studio.engine.child import main; main()"


class ChildDied(Exception):
    """The child ended before it answered."""


class Child:
    """A running child as its parent sees it. Start it from the event loop's own thread.

    target: "module:function", called in the child with its end of the pipe and `argument`.
    nice: how far it stands back behind the web. environment: variables on top of ours.
    heard(message) and died() are called in the event loop.
    """

    def __init__(
        self,
        target: str,
        argument: object,
        heard: Callable[[Any], None],
        died: Callable[[], None],
        nice: int,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._heard, self._died = heard, died
        self._loop = asyncio.get_running_loop()
        self._process, self._pipe = spawned(target, nice, environment)
        self._unsent: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        for work, name in ((self._listen, "hear"), (self._write, "tell")):
            threading.Thread(target=work, daemon=True, name=f"{name} {target}").start()
        self.send(argument)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def send(self, message: object) -> None:
        """Tell it something; returns at once, and all that it is told comes in order.

        A pipe holds little, and a child may not listen for minutes: who waited for it here would
        keep the event loop from everybody, and from its own watchdog.
        """
        self._unsent.put(partial(self._pipe.send, message))

    def send_bytes(self, data: bytes) -> None:
        """Hand it a piece of data as it is, in the same order."""
        self._unsent.put(partial(self._pipe.send_bytes, data))

    def kill(self) -> None:
        """End it now; `died` follows."""
        self._process.kill()

    def _write(self) -> None:
        """In a thread: tell it one thing after another until it has ended."""
        while (told := self._unsent.get()) is not None:
            try:
                told()
            except OSError:
                continue  # its death is on its way to `died`
            except Exception:  # what cannot be pickled: whoever waits for an answer is told
                log.exception("a child cannot be told something", pid=self.pid)
                self._process.kill()
            finally:
                del told  # a picture is not kept until the next one comes

    def _listen(self) -> None:
        """In a thread: hand over what it says until it says no more."""
        try:
            while True:
                self._tell(self._heard, self._pipe.recv())
        except (EOFError, OSError):
            pass
        except Exception:  # it was cut off in a word, or talks nonsense: it is of no more use
            log.exception("a child cannot be understood", pid=self.pid)
        # The pipe is closed with the last reference to this child: who still writes to it must not
        # hit a file that has got its number since.
        self._process.kill()
        self._process.wait()
        self._unsent.put(None)
        self._tell(self._died)

    def _tell(self, listener: Callable[..., None], *message: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(listener, *message)
        except RuntimeError:
            return  # the loop is closed: nobody is left to be told


def spawned(
    target: str, nice: int, environment: Mapping[str, str] | None = None
) -> "tuple[subprocess.Popen[bytes], Connection]":
    """(a process that calls `target`, our end of its pipe); it waits for its argument there."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
            [
                sys.executable,
                "-P",
                "-c",
                ENTRY,
                str(theirs.fileno()),
                target,
                str(os.getpid()),
                str(nice),
            ],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(_import_path()),
                **(environment or {}),
            },
        )
    return process, Connection(ours.detach())


def _die_with(parent: int) -> None:
    """Ask the kernel to end this process when its parent ends (Linux; elsewhere the pipe does)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(0)


def _import_path() -> list[str]:
    """Where the child finds what its parent finds, however that was started."""
    return [str(Path(entry).resolve()) for entry in sys.path]


def main() -> None:
    """In the child: call the function with its end of the pipe and what it is told first."""
    descriptor, target, parent, nice = sys.argv[1:]
    _die_with(int(parent))
    configure_logs()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends us
    os.nice(int(nice))
    module, _, function = target.partition(":")
    with Connection(int(descriptor)) as pipe:
        try:
            getattr(importlib.import_module(module), function)(pipe, pipe.recv())
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return
