"""Failures: what an exception in the device's process means to those who wait."""

import os
from contextlib import suppress

import structlog

from app.errors import LaternaError, OutOfMemory, Unexpected
from app.studio.engine import plain
from app.vision.memory import is_out_of_memory

log = structlog.get_logger("laterna.device")


def said(error: Exception, title: str, number: int) -> LaternaError:
    """The error that people are told. Ends this process when the device is of no more use to it."""
    if isinstance(error, LaternaError):
        with suppress(plain.NotPlain):
            return plain.checked(error)
    if is_out_of_memory(error):
        return OutOfMemory()
    if _is_broken(error):
        log.exception("the device is broken", task=title)
        os._exit(1)  # its parent tells who waits; a new process gets the device anew
    log.exception("unexpected", task=title)
    return Unexpected(request=f"device-{os.getpid()}-{number}")


def _is_broken(error: Exception) -> bool:
    """Whether CUDA is of no more use to this process, as after an access to wrong memory."""
    return type(error).__name__ == "AcceleratorError" or "CUDA error" in str(error)
