"""The real program in a process of its own, on 127.0.0.1 and any free port, with its own data."""

import asyncio
import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from app.settings import ROOT
from app.studio.engine.supervision import TARGET

#: Seconds until what is waited for counts as never coming: minutes, as other work may share the
#: machine. Nothing is slower for it; only what hangs is told of later.
PATIENCE = 600.0


def closed_port() -> int:
    """A port of this machine on which nobody answers."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


class Laterna:
    """A server that was started as `python -m app`; `log` is where it writes.

    Its data folder begins with samples and descriptions, as after a while; with nothing where the
    folder is there already.
    """

    def __init__(self, data: Path, **environment: str) -> None:
        self.data = data
        self.log = data.parent / f"{data.name}.log"
        # The mirror of weights is a closed port: no test reaches out of this machine.
        self.environment = {
            **{
                k: v
                for k, v in os.environ.items()
                if not k.startswith(("LATERNA_", "HOST", "PORT"))
            },
            "PORT": "0",
            "LATERNA_DATA_DIR": str(data),
            "LATERNA_IDLE_PICTURES": "false",
            # A device steps back for everything else, and a busy machine may leave it little.
            "LATERNA_CALL_SECONDS": str(2 * PATIENCE),
            "LATERNA_SILENT_SECONDS": str(2 * PATIENCE),
            "LATERNA_DECODE_SECONDS": str(PATIENCE),
            "LATERNA_TORCH_THREADS": "1",
            "LATERNA_WEIGHTS_MIRROR": f"http://127.0.0.1:{closed_port()}",
            **environment,
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def start(self) -> "Laterna":
        """Start it and wait until it tells its address."""
        if not self.data.exists():
            _begin_with_what_all_have(self.data)
        with self.log.open("ab") as log:
            at = log.tell()
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app"],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        line = b"Laterna is at "

        def told() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, self.log.read_text("utf-8")
            return line in self.log.read_bytes()[at:]

        wait_until(told)
        self.url = self.log.read_bytes()[at:].split(line)[1].splitlines()[0].decode()
        return self

    def client(self) -> httpx.Client:
        """A client with a session of its own."""
        return httpx.Client(base_url=self.url, timeout=PATIENCE)

    def wait_until_ready(self) -> "Laterna":
        """Wait until the default network is loaded and the samples are there."""
        with self.client() as client:
            wait_until(lambda: client.get("/readyz").status_code == 200)
            wait_until(lambda: len(client.get("/images.json").json()["samples"]) >= 8)
        return self

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE)

    def stop(self) -> int:
        """Ask it to end, and see that it does; its exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        url = httpx.URL(self.url)
        assert url.port
        return url.host, url.port

    def device(self) -> int:
        """The process that owns the device, once there is one."""
        wait_until(lambda: bool(self._owners()))
        (owner,) = self._owners()
        return owner

    def _owners(self) -> list[int]:
        lines = {pid: Path(f"/proc/{pid}/cmdline") for pid in self.children()}
        return [pid for pid, line in lines.items() if TARGET in line.read_text()]

    def children(self) -> list[int]:
        """Process ids of what it has started itself."""
        assert self.process is not None
        return children_of(self.process.pid)


def children_of(pid: int) -> list[int]:
    """Process ids of the direct children of a process."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def _begin_with_what_all_have(data: Path) -> None:
    """Copy what every server makes by itself at its first start, made once a run by a real one.

    Describing all networks takes a quarter of a minute of a processor, and servers are thirty.
    """
    run = next(
        (folder for folder in data.parents if re.fullmatch(r"pytest-\d+", folder.name)), None
    )
    if run is None:
        return
    first = run / "first"
    with (run / "first.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not first.exists():
            making = run / "making"
            making.mkdir(exist_ok=True)
            with laterna(making) as server, server.client() as client:
                server.wait_until_ready()
                for model in client.get("/models.json").json()["models"]:
                    client.get(f"/models/{model['name']}.json")
            making.rename(first)
    shutil.copytree(first, data)


@contextmanager
def laterna(data: Path, **environment: str) -> Iterator[Laterna]:
    """A server that runs as long as the block."""
    server = Laterna(data, **environment)
    try:
        yield server.start()
    finally:
        if server.process is not None:
            server.stop()


def wait_until(condition: Callable[[], bool]) -> None:
    """Look again and again until it is so; fails when it never is."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


async def until(condition: Callable[[], object]) -> None:
    """The same for what an event loop does, which goes on meanwhile."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # other processes set no event
            await asyncio.sleep(0.01)
