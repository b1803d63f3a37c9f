"""CUDA devices, counted without torch: by the driver, and by what torch was built for."""

import ctypes
from contextlib import suppress
from importlib import metadata

from app.errors import DeviceMissing
from app.settings import Settings


def require_devices(settings: Settings) -> None:
    """Raise DeviceMissing when the settings name a CUDA device that is not there."""
    named = [name for name in settings.devices.split(",") if name.startswith("cuda")]
    if not named:
        return
    count = count_devices()
    for name in named:
        if int(name.partition(":")[2]) >= count:
            raise DeviceMissing(device=name, count=count)


def count_devices() -> int:
    """How many there are that torch can use; the driver heeds CUDA_VISIBLE_DEVICES."""
    with suppress(metadata.PackageNotFoundError):
        if metadata.version("torch").endswith("+cpu"):
            return 0
    try:
        driver = ctypes.CDLL("libcuda.so.1")
        count = ctypes.c_int(0)
        if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)):
            return 0
    except (OSError, AttributeError):
        return 0
    return count.value
