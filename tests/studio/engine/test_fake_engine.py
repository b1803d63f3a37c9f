"""The engine in memory answers as the one with processes does, so that it may stand in for it."""

import asyncio

import pytest

from app.errors import DeviceAway, NotFiniteStep, OutOfMemory, Unexpected
from app.settings import Settings
from app.studio.engine import Died, Engine, Step
from app.studio.recipes import ClassImage, Prediction
from tests.running import until
from tests.studio.engine.fake_engine import FakeEngine


def wanted(what: str, steps: int = 10) -> ClassImage:
    return ClassImage(model=what, weights="w", class_=0, steps=steps)


@pytest.mark.parametrize("for_real", [False, True])
def test_both_make_refuse_fail_and_stop_in_the_same_way(for_real: bool) -> None:
    async def story() -> None:
        settings = Settings(devices="cpu", torch_threads=1)
        small = "tests.studio.engine.workshops:Small"
        engine = Engine(settings, small) if for_real else FakeEngine(settings)
        ready: list[bool] = []
        engine.on_ready = lambda: ready.append(True)
        assert engine.places == 0
        await engine.start()
        await until(lambda: engine.places)
        assert ready
        await goes_well(engine)
        await goes_wrong(engine)
        await is_left(engine)
        await engine.stop()
        with pytest.raises(DeviceAway):
            await engine.call(Prediction(model="facts", image="x", source=""))
        with pytest.raises(DeviceAway):
            await engine.run(wanted("slow"), list[Step]().append)

    asyncio.run(story())


async def goes_well(engine: Engine) -> None:
    heard: list[Step] = []
    made = await engine.run(wanted("slow"), heard.append)
    assert (made.facts["device"], made.picture) == ("cpu", wanted("slow").title.encode())
    assert made.parts == {"growth.webp": b"growth"}
    assert [one.step for one in heard] == sorted({one.step for one in heard})
    assert (heard[0].preview, heard[-1].step, heard[-1].steps) == (b"preview", 10, 10)
    scores = [score for one in heard for score in one.scores]
    assert scores == pytest.approx([step / 10 for step in range(1, 11)])
    assert (await engine.run(wanted("large"), heard.append)).picture == bytes(50_000)


async def goes_wrong(engine: Engine) -> None:
    troubles = {"nan": NotFiniteStep, "memory": OutOfMemory, "break": Unexpected, "die": Died}
    pid = engine.devices()[0].pid
    for what, error in troubles.items():
        with pytest.raises(error):
            await engine.run(wanted(what), list[Step]().append)
        assert (engine.devices()[0].pid == pid) == (what != "die")
    await until(lambda: engine.places)


async def is_left(engine: Engine) -> None:
    heard: list[Step] = []
    climbing = asyncio.create_task(engine.run(wanted("slow", 100_000), heard.append))
    await until(lambda: heard)
    assert engine.devices()[0].climbing
    with pytest.raises(DeviceAway):
        await engine.run(wanted("slow"), heard.append)
    quick = await engine.call(Prediction(model="facts", image="x", source=""))
    assert quick.facts["pid"] == engine.devices()[0].pid
    assert not climbing.done()
    climbing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await climbing
    assert not engine.devices()[0].climbing
    assert (await engine.run(wanted("slow"), heard.append)).facts["device"] == "cpu"
