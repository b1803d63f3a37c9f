"""The engine: all devices behind one verb, `call`; `enqueue` for long work comes beside it.

One spawned process owns each device. The parent keeps the queues, so that what waits can be seen,
refused, and one day reordered; a process has one recipe at a time.
"""

import asyncio
import itertools
import zlib

import structlog

from app.settings import Settings
from app.studio.engine.device import Device, DeviceState
from app.studio.recipes import Made, OfPicture, Recipe

__all__ = ["DeviceState", "Engine"]

log = structlog.get_logger("laterna.engine")
WORKSHOP = "app.studio.makers:Workshop"


class Engine:
    """The devices of this machine."""

    def __init__(self, settings: Settings, workshop: str = WORKSHOP) -> None:
        self._settings, self._workshop = settings, workshop
        self._devices: list[Device] = []
        self._asked = itertools.count(1)
        self._faults = _faults(settings.fault)
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

    async def call(self, recipe: Recipe) -> Made:
        """Have something made by the device that has most of it already.

        Raises what the maker raises, DeviceStarting, DeviceAway, DeviceRefuses or QueueFull.
        """
        return await self._device_for(recipe).call(recipe)

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
        device = Device(self._settings, name, self._workshop, self._counted, self._fault)
        self._devices.append(device)
        device.start()

    def _counted(self, count: int) -> None:
        """The first process has counted the CUDA devices: start owners for the others."""
        if self._settings.devices == "auto":
            for number in range(len(self._devices), count):
                self._add(f"cuda:{number}")

    def _device_for(self, recipe: Recipe) -> Device:
        """One that is ready; for a picture always the same, as that one keeps its activations."""
        ready = [device for device in self._devices if device.state == "ready"] or self._devices
        said = recipe.image if isinstance(recipe, OfPicture) else recipe.model
        return ready[zlib.crc32(said.encode()) % len(ready)]

    def _fault(self) -> str:
        """The fault that strikes the task now handed out, if any."""
        return self._faults.get(next(self._asked), "")


def _faults(setting: str) -> dict[int, str]:
    """ "die:2,hang:5" -> {2: "die", 5: "hang"}."""
    pairs = (part.split(":") for part in setting.split(",") if part.strip())
    return {int(number): kind.strip() for kind, number in pairs}
