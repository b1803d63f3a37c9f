"""Methods: everything that decides how a picture is made, and the values that were found best.

docs/synthesis.md says what was tried, and what networks that did not make the pictures saw in them.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any

from app.zoo.preprocessing import Sides, Size, plain, sides


@dataclass(frozen=True)
class Method:
    """How pictures are made by ascent.

    size: pixels a side of the canvas, or (height, width); power, gain, deviation: of the Fourier
    canvas's weights and of its start (canvas.py); smooth: weight of total variation, against noise
    that a layer misses; rate: of Adam, falling as a cosine to `last_rate` of it; scale, degrees,
    shift, flips, mirrors:
    of the affine transform drawn per step and picture; noise: its deviation, 0..1 is a picture's
    range; branches, straight: see gradients.shaped; coarse: the share of the steps in which the
    highest frequency grows from 4 cycles to all; average: share of the average of the last canvases
    that each step keeps, 0 for none; calm: share of the steps, the last ones, without transforms.
    """

    size: Size
    steps: int
    power: float = 1.5
    gain: float = 0.25
    deviation: float = 0.01
    smooth: float = 0.0
    rate: float = 0.05
    last_rate: float = 0.1
    scale: tuple[float, float] = (0.6, 1.4)
    degrees: float = 20.0
    shift: float = 32.0
    flips: bool = False
    mirrors: bool = False
    noise: float = 0.05
    branches: float = 1.0
    straight: bool = False
    coarse: float = 0.0
    average: float = 0.0
    calm: float = 0.0

    @property
    def sides(self) -> Sides:
        """(height, width) of the canvas."""
        return sides(self.size)

    def facts(self) -> dict[str, Any]:
        """All of it, for people and for PNG text chunks."""
        return asdict(self)


def _sized(method: Method, size: int, steps: int) -> Method:
    own = scaled(method.size, size) if size else method.size
    return replace(method, size=own, steps=steps or method.steps)


def scaled(size: Size, longest: int) -> Size:
    """A size in the same proportions, its longer side as told."""
    height, width = sides(size)
    whole = max(height, width)
    return plain([max(1, round(side * longest / whole)) for side in (height, width)])


def class_image(
    crop: Size, quality: str, size: int = 0, steps: int = 0, *, skips: bool = True
) -> Method:
    """For a class; crop: what the network takes; size: the longer side; 0: by the quality.

    skips: whether the network has any, for gradients to take: then more noise and closer views
    help others to see the class, else they cost it its details.
    """
    count = {"quick": 224, "fine": 512}[quality]
    base = Method(size=crop, steps=count)
    if skips:
        closer = (0.7, 1.7)
        base = replace(base, noise=0.1, scale=closer, shift=20.0, branches=0.5, straight=True)
    return _sized(base, size, steps)


def channel_image(crop: Size, field: int, quality: str, size: int = 0, steps: int = 0) -> Method:
    """For a channel of a layer whose units see `field` pixels."""
    early = field <= 32
    base = Method(
        size=crop,
        steps={"quick": 32 if early else 96, "fine": 96 if early else 256}[quality],
        power=1.25,
        gain=0.5,
        rate=0.08,
        scale=(0.8, 1.25),
        degrees=15.0,
        shift=16.0,
        mirrors=True,
        noise=0.02,
    )
    return _sized(base, size, steps)


def atlas(crop: Size, field: int, quality: str, size: int = 0, steps: int = 0) -> Method:
    """For every channel of a layer: as small as its units' view allows."""
    side = 64 if field <= 48 else 96 if field <= 96 else 128
    return channel_image(crop, field, quality, size or min(side, max(sides(crop))), steps)


def matching(crop: Size, quality: str, steps: int = 0) -> Method:
    """For a reconstruction by L-BFGS; its steps are evaluations."""
    count = {"quick": 120, "fine": 320}[quality]
    base = Method(size=crop, steps=count, power=1.15, deviation=1e-4, smooth=0.15)
    return _sized(base, 0, steps)


def likeness(crop: Size, quality: str, steps: int = 0) -> Method:
    """For a reconstruction from a layer that keeps little."""
    base = Method(
        size=crop,
        steps={"quick": 240, "fine": 480}[quality],
        last_rate=0.02,
        scale=(0.9, 1.1),
        degrees=5.0,
        shift=8.0,
        noise=0.03,
        straight=True,
        coarse=0.5,
        calm=0.2,
    )
    return _sized(base, 0, steps)
