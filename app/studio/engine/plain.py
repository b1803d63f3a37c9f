"""Plain: (what a device's process says) -> the same, if its parent needs no package to read it.

The web's process has no torch and no numpy; unpickling a single value of theirs would import them
there: 600 MB, and seconds in which nobody is answered.
"""

from dataclasses import fields, is_dataclass
from typing import TypeVar

from app.errors import LaternaError, Words

PLAIN = {type(None), bool, int, float, str, bytes}
Message = TypeVar("Message")


class NotPlain(TypeError):
    """A value that only the device's own packages can read."""


def checked(message: Message) -> Message:
    """The message itself. Raises NotPlain, which says where in it the value is and what it is."""
    _look(message, type(message).__name__)
    return message


def _look(value: object, place: str) -> None:
    """Exact types only: torch's version is a str, and a float64 of numpy a float, but not one."""
    kind = type(value)
    if kind in PLAIN:
        return
    if kind is dict:
        assert isinstance(value, dict)
        for name, inner in value.items():
            _look(name, f"{place}, a key")
            _look(inner, f"{place}[{name!r}]")
    elif kind in (list, tuple):
        assert isinstance(value, list | tuple)
        for n, inner in enumerate(value):
            _look(inner, f"{place}[{n}]")
    elif kind.__module__.startswith("app.") and is_dataclass(value):
        for field in fields(value):
            _look(getattr(value, field.name), f"{place}.{field.name}")
    elif kind is Words or isinstance(value, LaternaError):
        assert isinstance(value, Words | LaternaError)
        _look(value.facts, f"{place}.facts")
    else:
        raise NotPlain(f"{place} is a {kind.__module__}.{kind.__qualname__}, which is not plain")
