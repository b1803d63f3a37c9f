"""The optics: tensors in, tensors out. No web, no disk, no processes."""

from importlib import import_module
from types import ModuleType

#: What notebooks that earlier versions gave away import from here; it lies in `drawing` now.
DRAWN = ("colors", "filters", "sheets")


def __getattr__(name: str) -> ModuleType:
    """A module that lay here. Raises AttributeError for all others."""
    if name in DRAWN:
        return import_module(f"app.vision.drawing.{name}")
    raise AttributeError(name)
