"""Failures: what an exception in the device's process means to those who wait."""

import os

import structlog

from app.errors import LaternaError, OutOfMemory, Unexpected

log = structlog.get_logger("laterna.device")
#: How torch says that there is no memory, where it has no kind of error for that.
NO_MEMORY = ("can't allocate memory", "out of memory", "STATUS_ALLOC_FAILED")


def said(error: Exception, title: str, number: int) -> LaternaError:
    """The error that people are told. Ends this process when the device is of no more use to it."""
    if isinstance(error, LaternaError):
        return error
    if is_out_of_memory(error):
        return OutOfMemory()
    if _is_broken(error):
        log.exception("the device is broken", task=title)
        os._exit(1)  # its parent tells who waits; a new process gets the device anew
    log.exception("unexpected", task=title)
    return Unexpected(request=f"device-{os.getpid()}-{number}")


def is_out_of_memory(error: Exception) -> bool:
    """Whether there was no memory for it, so that less of it may work."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in NO_MEMORY)


def _is_broken(error: Exception) -> bool:
    """Whether CUDA is of no more use to this process, as after an access to wrong memory."""
    return type(error).__name__ == "AcceleratorError" or "CUDA error" in str(error)
