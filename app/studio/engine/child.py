"""A child: one process that is started clean, told things over a pipe, and outlives nobody.

It is a fresh interpreter (no fork, nothing inherited but one end of a socket pair), so it neither
runs the program's main module again nor keeps the server's port or another child's pipe open. It
ends when its parent does: by the kernel (PR_SET_PDEATHSIG), and by the end of its pipe.
"""

import asyncio
import ctypes
import importlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

NICE = 10
PR_SET_PDEATHSIG = 1
ROOT_MODULE = "app.studio.engine.child"


class Child:
    """A running child as its parent sees it. Start it from the event loop's own thread.

    target: "module:function", called in the child with its end of the pipe and `argument`.
    heard(message) and died() are called in the event loop.
    """

    def __init__(
        self,
        target: str,
        argument: object,
        heard: Callable[[Any], None],
        died: Callable[[], None],
    ) -> None:
        self._heard, self._died = heard, died
        self._loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
                [sys.executable, "-m", ROOT_MODULE, str(theirs.fileno()), target, str(os.getpid())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        self._pipe = Connection(ours.detach())
        self._listener = threading.Thread(target=self._listen, daemon=True, name=f"hear {target}")
        self._listener.start()
        self.send(argument)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def send(self, message: object) -> None:
        """Tell it something; may block while it does not listen and the message is large."""
        try:
            self._pipe.send(message)
        except (BrokenPipeError, ConnectionResetError):
            return  # its death is on its way to `died`

    def send_bytes(self, data: bytes) -> None:
        """Hand it a large piece of data; blocks until it has taken it."""
        try:
            self._pipe.send_bytes(data)
        except (BrokenPipeError, ConnectionResetError):
            return

    def kill(self) -> None:
        """End it now; `died` follows."""
        self._process.kill()

    def _listen(self) -> None:
        """In a thread: hand over what it says until it says no more."""
        try:
            while True:
                self._tell(self._heard, self._pipe.recv())
        except (EOFError, OSError):
            pass
        self._process.kill()
        self._process.wait()
        self._pipe.close()
        self._tell(self._died)

    def _tell(self, listener: Callable[..., None], *said: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(listener, *said)
        except RuntimeError:
            return  # the loop is closed: nobody is left to be told


def _die_with(parent: int) -> None:
    """Ask the kernel to end this process when its parent ends (Linux; elsewhere the pipe does)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(0)


def _main() -> None:
    """In the child: `python -m app.studio.engine.child DESCRIPTOR MODULE:FUNCTION PARENT`."""
    descriptor, target, parent = sys.argv[1:]
    _die_with(int(parent))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends us
    os.nice(NICE)
    module, _, function = target.partition(":")
    with Connection(int(descriptor)) as pipe:
        try:
            getattr(importlib.import_module(module), function)(pipe, pipe.recv())
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return


if __name__ == "__main__":
    _main()
