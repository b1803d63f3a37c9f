"""Memory: what was freed goes back to the system, so that a budget is one of resident memory too.

glibc keeps what is freed in holes of its heap, and a device's process tells it to keep much
(app/studio/engine/allocation.py): right for the tensors of a sheet, wrong for a network that left.
No torch in here.
"""

import ctypes
from functools import cache
from typing import Any


def give_back() -> None:
    """Return what is free to the system; does nothing where the C library is another one."""
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Any:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return None
