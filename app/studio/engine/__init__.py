"""The engine: all devices behind two verbs: `call` for quick work, `run` for what takes long.

One spawned process owns each device. The parent keeps the queues, so that what waits can be seen,
refused and reordered; a process has one quick recipe and one long one, and serves the quick ones
before and between the steps of the long one.
"""

import asyncio
import itertools
import time
import zlib
from collections.abc import Callable

import structlog

from app.errors import DeviceAway
from app.settings import Settings
from app.studio.engine.cuda import require_devices
from app.studio.engine.device import Device, DeviceState
from app.studio.engine.messages import Step
from app.studio.engine.requests import Died
from app.studio.recipes import JobRecipe, Made, OfPicture, Recipe, Sources

__all__ = ["DeviceState", "Died", "Engine", "Step"]

log = structlog.get_logger("laterna.engine")
#: Of what needs no files but the network's.
NO_SOURCES = Sources()
WORKSHOP = "app.studio.makers:Workshop"


class Engine:
    """The devices of this machine. Raises DeviceMissing where one of the settings' is not there."""

    def __init__(self, settings: Settings, workshop: str = WORKSHOP) -> None:
        require_devices(settings)
        self._settings, self._workshop = settings, workshop
        self._devices: list[Device] = []
        self._calls, self._runs = itertools.count(1), itertools.count(1)
        self._faults = _faults(settings.fault)
        self._last_call = time.monotonic()
        #: Called when a device has got ready.
        self.on_ready: Callable[[], None] = lambda: None
        if self._faults:
            log.warning("faults are on: this is a test", fault=settings.fault)

    async def start(self) -> None:
        """Start the processes; returns at once, they get ready by themselves."""
        for name in self._settings.devices.split(","):
            if name.strip():
                self._add(name.strip())

    async def stop(self) -> None:
        """End all processes."""
        await asyncio.gather(*(device.stop() for device in self._devices))

    async def call(self, recipe: Recipe, sources: Sources = NO_SOURCES) -> Made:
        """Have something made of these files by the device that has most of it already.

        Raises what the maker raises, DeviceStarting, DeviceAway, DeviceRefuses or QueueFull.
        """
        self._last_call = time.monotonic()
        return await self._device_for(recipe).call(recipe, sources)

    async def run(
        self,
        recipe: JobRecipe,
        on_step: Callable[[Step], None],
        idle: bool = False,
        sources: Sources = NO_SOURCES,
    ) -> Made:
        """Have something made step by step, on a device that does nothing of the kind.

        heard: is called with each Step that the device tells of. idle: the work of an idle machine,
        which stands back for long when somebody calls. Cancelled, it ends before the next step, and
        returns when the device has left it. Raises what the maker raises, Died when the process
        ends in the middle, and DeviceAway when there is no device with a place.
        """
        for device in self._devices:
            if device.now.state == "ready" and not device.now.climbing:
                if idle:
                    return await device.run(recipe, sources, on_step, "", idle=True)
                fault = self._fault("", next(self._runs))
                try:
                    return await device.run(recipe, sources, on_step, fault, idle=False)
                finally:
                    self._last_call = time.monotonic()
        raise DeviceAway()

    def is_silent(self, recipe: Recipe) -> bool:
        """Whether the device that would make a recipe gives no sign of life for long."""
        return self._device_for(recipe).is_silent

    @property
    def places(self) -> int:
        """How many can run at a time: the devices that are ready."""
        return sum(device.state == "ready" for device in self._devices)

    @property
    def quiet_seconds(self) -> float:
        """How long nobody has wanted anything."""
        return time.monotonic() - self._last_call

    @property
    def has_faults(self) -> bool:
        """Whether faults are to strike, in tests."""
        return bool(self._faults)

    def forget(self, image: str) -> None:
        """Drop what the devices keep of a picture."""
        for device in self._devices:
            device.forget(image)

    def devices(self) -> list[DeviceState]:
        """How the devices are."""
        return [device.now for device in self._devices]

    def waiting(self) -> list[str]:
        """What waits, in order, device by device."""
        return [title for device in self._devices for title in device.waiting]

    def _add(self, name: str) -> None:
        device = Device(self._settings, name, self._workshop, self._counted, self._call_fault)
        self._devices.append(device)
        device.start()

    def _counted(self, count: int) -> None:
        """The first process has counted the CUDA devices: start owners for the others."""
        if self._settings.devices == "auto":
            for number in range(len(self._devices), count):
                self._add(f"cuda:{number}")
        self.on_ready()

    def _device_for(self, recipe: Recipe) -> Device:
        """One that is ready; for a picture always the same, as that one keeps its activations."""
        ready = [device for device in self._devices if device.state == "ready"] or self._devices
        wanted = recipe.image if isinstance(recipe, OfPicture) else recipe.model
        return ready[zlib.crc32(wanted.encode()) % len(ready)]

    def _call_fault(self) -> str:
        """The fault that strikes the quick task now handed out, if any."""
        return self._fault("call-", next(self._calls))

    def _fault(self, prefix: str, number: int) -> str:
        return self._faults.get((prefix, number), "")


def _faults(setting: str) -> dict[tuple[str, int], str]:
    """ "die:2,call-hang:5" -> {("", 2): "die", ("call-", 5): "hang"}."""
    found = {}
    for part in setting.split(","):
        if part.strip():
            kind, _, number = part.strip().partition(":")
            prefix = "call-" if kind.startswith("call-") else ""
            found[prefix, int(number)] = kind.removeprefix(prefix)
    return found
