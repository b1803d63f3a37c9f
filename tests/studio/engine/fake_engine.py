"""An engine in memory: the same two verbs and the same errors, without a process."""

import asyncio
import itertools
from collections.abc import Callable

from app.errors import DeviceAway, NotFiniteStep, OutOfMemory, Unexpected
from app.settings import Settings
from app.studio.engine import NO_SOURCES, DeviceState, Died, Engine, Step
from app.studio.engine.requests import Ascent
from app.studio.engine.supervision import State
from app.studio.recipes import JobRecipe, Made, Recipe, Sources, Visualization

#: Seconds that a step takes, by what the recipe's `model` says.
STEP, PACES = 0.001, {"long": 0.05, "stuck": 3600.0}


class FakeEngine(Engine):
    """One device. It does what a recipe's `model` says, as the small workshop of test_engine."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._state: State = "starting"
        self._ascent: Ascent | None = None
        self._stopped: set[int] = set()
        self._pids, self._pid = itertools.count(1), 0
        self._climbing: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._get_ready()

    async def stop(self) -> None:
        self._lose(DeviceAway())
        for task in self._climbing:
            task.cancel()
        await asyncio.gather(*self._climbing, return_exceptions=True)

    def kill(self) -> None:
        """End the device in the middle of what it does; another one comes."""
        self._lose(Died())
        asyncio.get_running_loop().call_later(STEP, self._get_ready)

    async def call(self, recipe: Recipe, sources: Sources = NO_SOURCES) -> Made:
        self._last_call = asyncio.get_running_loop().time()  # the clock of time.monotonic
        if self._state != "ready":
            raise DeviceAway()
        await asyncio.sleep(0)
        return Made({"pid": self._pid})

    async def run(
        self,
        recipe: JobRecipe,
        on_step: Callable[[Step], None],
        idle: bool = False,
        sources: Sources = NO_SOURCES,
    ) -> Made:
        if not self.places or self._ascent is not None:
            raise DeviceAway()
        ascent = self._ascent = Ascent(next(self._runs), recipe, on_step)
        task = asyncio.create_task(self._climb(ascent, recipe))
        self._climbing.add(task)
        task.add_done_callback(self._climbing.discard)
        try:
            made = await asyncio.shield(ascent.ended)
        except asyncio.CancelledError:
            self._stopped.add(ascent.number)
            await ascent.over()
            raise
        assert made is not None
        return made

    async def _climb(self, ascent: Ascent, recipe: JobRecipe) -> None:
        made: Made | Exception | None = None
        steps = recipe.steps if isinstance(recipe, Visualization) else 1
        for step in range(1, steps + 1):
            await asyncio.sleep(PACES.get(recipe.model, STEP))
            if self._ascent is not ascent:
                return  # the device died
            if step == 3 and (made := self._trouble(recipe)):
                break
            ascent.on_step(Step(ascent.number, step, steps, (step / 10,), b"preview", "growing"))
            if ascent.number in self._stopped:
                break
        else:
            picture = bytes(50_000) if recipe.model == "large" else recipe.title.encode()
            made = Made({"device": "cpu"}, picture, parts={"growth.webp": b"growth"})
        if recipe.model == "die" and made is not None:
            self.kill()
            return
        self._ascent = None
        ascent.settle(made)

    def _trouble(self, recipe: JobRecipe) -> Exception | None:
        return {
            "nan": NotFiniteStep(model=recipe.model, step=3),
            "memory": OutOfMemory(),
            "break": Unexpected(request="device"),
            "die": Died(),
        }.get(recipe.model)

    def is_silent(self, recipe: Recipe) -> bool:
        return False

    @property
    def places(self) -> int:
        return int(self._state == "ready")

    def forget(self, image: str) -> None:
        """Nothing is kept of it."""

    def devices(self) -> list[DeviceState]:
        doing = self._ascent.recipe.title if self._ascent else None
        pid = self._pid if self.places else None
        return [DeviceState("cpu", self._state, doing, 0, pid, self._ascent is not None)]

    def _get_ready(self) -> None:
        self._state, self._pid = "ready", next(self._pids)
        self.on_ready()

    def _lose(self, error: Exception) -> None:
        self._state, ascent, self._ascent = "away", self._ascent, None
        if ascent is not None:
            ascent.settle(error)
