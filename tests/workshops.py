"""Workshops for tests, which need no package of the web."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from app.studio.makers import Workshop

if TYPE_CHECKING:
    from app.settings import Settings

MIB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """What a workshop reads of app.settings, by default; without pydantic."""

    models_dir: Path
    default_model: str = "efficientnet-lite0"
    network_memory_bytes: int = 2048 * MIB
    activation_memory_bytes: int = 768 * MIB
    upload_max_bytes: int = 25 * MIB
    picture_max_pixels: int = 50_000_000
    picture_side: int = 2048
    decode_memory_bytes: int = 2048 * MIB
    decode_seconds: float = 10.0
    decoders: int = 1


def new_workshop(models: Path, device: str) -> Workshop:
    """A workshop that has made nothing yet."""
    return Workshop(cast("Settings", Limits(models)), device)
