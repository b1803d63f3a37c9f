"""The engine with real processes: killed, hanging, full; and what its children leave behind."""

import asyncio
import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.errors import (
    DeviceAway,
    DeviceRefuses,
    DeviceStarting,
    NoFilters,
    OutOfMemory,
    QueueFull,
    Unexpected,
)
from app.settings import ROOT, Settings
from app.studio.engine import Engine, supervision
from app.studio.engine.child import Child
from app.studio.recipes import ClassImage, Description, Member, Prediction, Recipe, Sources
from tests.running import PATIENCE, children_of, until, wait_until

pytestmark = pytest.mark.first

WORKSHOPS = "tests.studio.engine.workshops"
SMALL = f"{WORKSHOPS}:Small"
Work = Callable[[Engine], Awaitable[None]]


def asked(what: str, source: Path | str = "", weights: str = "") -> Recipe:
    return Prediction(model=what, image=str(source) or "picture", weights=weights)


def ready(engine: Engine) -> bool:
    return engine.devices()[0].state == "ready"


class Bench:
    """One engine for several tests: its loop stands still between them."""

    def __init__(self, workshop: str = "Small", **set_to: Any) -> None:
        self.runner = asyncio.Runner()
        settings = Settings(devices="cpu", torch_threads=1, **set_to)
        self.engine = Engine(settings, f"{WORKSHOPS}:{workshop}")
        self.runner.run(self.engine.start())

    def do(self, work: Work) -> None:
        """Once nothing is left of the work before: what is answered may not be free yet."""

        async def whole() -> None:
            await until(lambda: ready(self.engine) and self.engine.devices()[0].doing is None)
            try:
                await work(self.engine)
            except BaseException:
                if pid := self.engine.devices()[0].pid:
                    os.kill(pid, signal.SIGKILL)  # what failed here shall not fail the next one
                raise

        self.runner.run(whole())

    def close(self) -> None:
        self.runner.run(self.engine.stop())
        self.runner.close()


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    made = Bench(queue_max=3)
    yield made
    made.close()


def test_what_is_made_comes_back(bench: Bench) -> None:
    async def work(engine: Engine) -> None:
        made = await engine.call(asked("facts"))
        assert made.facts["nice"] - os.nice(0) == 10
        assert made.facts["pid"] == engine.devices()[0].pid != os.getpid()
        assert made.facts["device"] == "cpu"
        assert (await engine.call(asked("picture"))).picture == bytes(30_000_000)

    bench.do(work)


def test_torch_gets_the_threads_that_are_set(bench: Bench) -> None:
    async def work(engine: Engine) -> None:
        assert (await engine.call(asked("threads"))).facts == {"threads": 1}

    bench.do(work)


@pytest.mark.parametrize(
    ("what", "error"),
    [
        ("refuse", NoFilters),
        ("break", Unexpected),
        ("memory", OutOfMemory),
        ("silent", Unexpected),
        ("heavy", Unexpected),
    ],
)
def test_failures_come_back_as_themselves_and_end_nothing(
    bench: Bench, what: str, error: type[Exception]
) -> None:
    async def work(engine: Engine) -> None:
        before = engine.devices()[0].pid
        with pytest.raises(error) as caught:
            await engine.call(asked(what))
        assert "secret" not in str(caught.value)
        assert (await engine.call(asked("facts"))).facts["pid"] == before

    bench.do(work)


def test_an_early_answer_is_given_before_the_device_is_free(bench: Bench, tmp_path: Path) -> None:
    async def work(engine: Engine) -> None:
        go = tmp_path / "go"
        made = await engine.call(asked("early", go))
        assert made.facts == {"early": True}
        assert engine.devices()[0].doing == "prediction of early"
        next_one = asyncio.create_task(engine.call(asked("facts")))
        await until(lambda: engine.waiting() == ["prediction of facts"])
        go.touch()
        await next_one
        await until(lambda: engine.devices()[0].doing is None)

    bench.do(work)


def test_the_queue_is_bounded_and_in_order(bench: Bench, tmp_path: Path) -> None:
    async def work(engine: Engine) -> None:
        go, order = tmp_path / "go", list[str]()
        first = asyncio.create_task(engine.call(asked("wait", go)))
        await until(lambda: engine.devices()[0].doing is not None)

        async def ask(name: str) -> None:
            await engine.call(asked("facts", weights=name))
            order.append(name)

        waiting = [asyncio.create_task(ask(name)) for name in ("one", "two", "three")]
        await until(lambda: engine.devices()[0].waiting == 3)
        with pytest.raises(QueueFull):
            await engine.call(asked("facts"))
        waiting[1].cancel()  # nobody waits for that one any more
        go.touch()
        await first
        await asyncio.gather(*waiting, return_exceptions=True)
        assert order == ["one", "three"]

    bench.do(work)


def test_what_is_forgotten_meanwhile_is_forgotten_before_the_next_recipe(
    bench: Bench, tmp_path: Path
) -> None:
    async def work(engine: Engine) -> None:
        go = tmp_path / "go"
        first = asyncio.create_task(engine.call(asked("wait", go)))
        await until(lambda: engine.devices()[0].doing is not None)
        for number in range(20_000):  # far more than a pipe holds
            engine.forget(f"picture-{number}")
        go.touch()
        await first
        engine.forget("last")
        made = await engine.call(asked("forgotten"))
        assert len(made.facts["forgotten"]) == 20_001
        assert made.facts["forgotten"][-1] == "last"

    bench.do(work)


def test_what_a_busy_device_is_told_holds_up_nobody(bench: Bench, tmp_path: Path) -> None:
    """Far more than a pipe holds, of every kind of message, while the device does not listen."""
    many = Sources(members=tuple(Member(f"{n}.jpg", "x" * 100) for n in range(20_000)))

    async def work(engine: Engine) -> None:
        quick, step = tmp_path / "quick", tmp_path / "step"
        # If the loop stood still, nobody else would let the device go on.
        rescue = threading.Timer(PATIENCE / 2, touch, (quick, step))
        rescue.start()
        calling = asyncio.create_task(engine.call(asked("wait", quick)))
        await until(lambda: engine.devices()[0].doing is not None)
        recipe = ClassImage(model="wait", class_=1, steps=3)
        files = replace(many, picture=str(step))
        running = asyncio.create_task(engine.run(recipe, lambda step: None, sources=files))
        await asyncio.sleep(0.1)
        assert not quick.exists(), "a climb was told"
        quick.touch()
        await calling
        for number in range(20_000):
            engine.forget(f"picture-{number}")
        calling = asyncio.create_task(engine.call(asked("forgotten"), many))
        await asyncio.sleep(0.1)
        assert not step.exists(), "a call was told, and what to forget"
        step.touch()
        assert len((await calling).facts["forgotten"]) >= 20_000
        await running
        rescue.cancel()

    bench.do(work)


def test_a_child_holds_its_own_pipe_and_no_other_socket(bench: Bench) -> None:
    async def work(engine: Engine) -> None:
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        second = Engine(Settings(devices="cpu,cpu"), SMALL)
        await second.start()
        await until(lambda: all(device.state == "ready" for device in second.devices()))
        for _ in second.devices():
            made = await second.call(asked("descriptors"))
            assert len(made.facts["sockets"]) == 1
        server.close()
        await server.wait_closed()
        await second.stop()
        assert (await engine.call(asked("facts"))).facts["pid"]

    bench.do(work)


def test_a_device_killed_at_work_is_away_and_then_ready_again(bench: Bench, tmp_path: Path) -> None:
    async def work(engine: Engine) -> None:
        before = engine.devices()[0].pid
        assert before
        tasks = [
            asyncio.create_task(engine.call(asked("wait", tmp_path / "never"))),
            asyncio.create_task(engine.call(asked("facts"))),
        ]
        await until(lambda: engine.devices()[0].doing is not None)
        os.kill(before, signal.SIGKILL)
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(ended, DeviceAway)
        with pytest.raises(DeviceAway):
            await engine.call(asked("facts"))
        await until(lambda: ready(engine))
        assert (await engine.call(asked("facts"))).facts["pid"] != before

    bench.do(work)


def test_a_broken_device_is_got_anew(bench: Bench) -> None:
    """Nothing works any more in a process whose CUDA context is broken."""

    async def work(engine: Engine) -> None:
        before, files = engine.devices()[0].pid, open_files()
        with pytest.raises(DeviceAway):
            await engine.call(asked("broken"))
        await until(lambda: ready(engine))
        assert (await engine.call(asked("facts"))).facts["pid"] != before
        assert open_files() == files

    bench.do(work)


def test_those_who_left_do_not_fill_the_queue(bench: Bench, tmp_path: Path) -> None:
    async def work(engine: Engine) -> None:
        go = tmp_path / "go"
        tasks = [asyncio.create_task(engine.call(asked("wait", go))) for _ in range(4)]
        await until(lambda: engine.devices()[0].waiting == 3)
        for task in tasks[1:]:
            task.cancel()
        await asyncio.wait(tasks[1:])
        assert engine.waiting() == []
        last = asyncio.create_task(engine.call(asked("facts")))
        await asyncio.sleep(0)
        go.touch()
        assert (await last).facts

    bench.do(work)


def test_a_device_is_silent_while_it_hangs_and_not_while_it_loads(
    tmp_path: Path,
) -> None:
    bench = Bench(silent_seconds=0.5)

    async def work(engine: Engine) -> None:
        hangs, loads = asked("wait", tmp_path / "hangs"), asked("load", tmp_path / "loads")
        assert not engine.is_silent(hangs), "it has nothing to do"
        calling = asyncio.create_task(engine.call(hangs))
        await until(lambda: engine.is_silent(hangs))
        (tmp_path / "hangs").touch()
        await calling
        assert not engine.is_silent(hangs)
        calling = asyncio.create_task(engine.call(loads))
        await asyncio.sleep(1.5)
        assert not engine.is_silent(loads)
        (tmp_path / "loads").touch()
        await calling

    try:
        bench.do(work)
    finally:
        bench.close()


def test_a_recipe_that_kills_the_device_each_time_is_not_tried_for_ever(bench: Bench) -> None:
    async def work(engine: Engine) -> None:
        for _ in range(3):
            await until(lambda: ready(engine))
            with pytest.raises(DeviceAway):
                await engine.call(asked("die"))
        await until(lambda: ready(engine))
        with pytest.raises(DeviceRefuses):
            await engine.call(asked("die"))
        assert (await engine.call(asked("facts"))).facts

    bench.do(work)


def test_a_device_that_hangs_is_restarted_and_faults_strike_the_request_named(
    capfd: pytest.CaptureFixture[str],
) -> None:
    bench = Bench(call_seconds=1.5, fault="call-oom:2,call-hang:3,call-die:4")

    async def work(engine: Engine) -> None:
        await engine.call(asked("facts"))
        with pytest.raises(OutOfMemory):
            await engine.call(asked("facts"))
        with pytest.raises(DeviceAway):
            await engine.call(asked("facts"))
        await until(lambda: ready(engine))
        with pytest.raises(DeviceAway):
            await engine.call(asked("facts"))
        await until(lambda: ready(engine))
        assert (await engine.call(asked("facts"))).facts

    bench.do(work)
    bench.close()
    log = capfd.readouterr().err
    for fault in ("oom", "hang", "die"):
        assert f'"fault": "{fault}", "task": "prediction of facts"' in log


def test_nobody_waits_for_a_device_that_is_starting() -> None:
    async def work() -> None:
        engine = Engine(Settings(devices="cpu"), "tests.studio.engine.workshops:Slow")
        await engine.start()
        with pytest.raises(DeviceStarting):
            await engine.call(Description(model="facts"))
        pid = engine.devices()[0].pid
        await engine.stop()
        assert pid not in children_of(os.getpid())

    asyncio.run(work())


def test_a_default_network_that_cannot_be_loaded_keeps_no_other_from_work() -> None:
    bench = Bench("Cold")

    async def work(engine: Engine) -> None:
        assert (await engine.call(asked("facts"))).facts

    bench.do(work)
    bench.close()


def test_a_process_that_cannot_be_started_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def unlucky(*arguments: Any) -> Child:
        tried.append(arguments[0])
        if len(tried) < 3:
            raise OSError(errno.EAGAIN, "no process left")
        return Child(*arguments)

    monkeypatch.setattr(supervision, "Child", unlucky)
    bench = Bench()

    async def work(engine: Engine) -> None:
        assert (await engine.call(asked("facts"))).facts

    bench.do(work)
    bench.close()
    assert len(tried) == 3


def test_an_engine_that_was_stopped_says_so() -> None:
    bench = Bench()

    async def work(engine: Engine) -> None:
        pid = engine.devices()[0].pid
        await engine.stop()
        assert pid not in children_of(os.getpid())
        with pytest.raises(DeviceAway):
            await engine.call(asked("facts"))

    bench.do(work)
    bench.close()


SERVER = """
import asyncio
from app.settings import Settings
from app.studio.engine import Engine
from app.studio.engine.decoders import Decoders
from tests.studio.engine.test_engine import SMALL, asked, ready, until

async def main():
    engine, decoders = Engine(Settings(devices="cpu"), SMALL), Decoders(Settings())
    await decoders.start()
    await engine.start()
    await until(lambda: ready(engine))
    await engine.call(asked("early", "/nowhere/at/all"))  # is answered in the middle of it
    print("busy", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def test_children_leave_when_their_parent_is_killed(tmp_path: Path) -> None:
    """Also in the middle of a recipe; the parent is a script that runs elsewhere."""
    script = tmp_path / "server.py"
    script.write_text(SERVER)
    with subprocess.Popen(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as parent:
        assert parent.stdout is not None
        while b"busy" not in parent.stdout.readline():
            assert parent.poll() is None
        children = children_of(parent.pid)
        assert len(children) == 3
        parent.kill()
        wait_until(lambda: not any(lives(child) for child in children))


def touch(*files: Path) -> None:
    for file in files:
        file.touch()


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
