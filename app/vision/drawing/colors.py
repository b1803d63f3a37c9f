"""Colours: (name, one-sided or signed) -> palette of 256 colours.

Entry 0 of a one-sided palette is black whatever the map's own first colour, so that zero is
always dark and never mistaken for a little. Names can be read without torch or numpy.
Colour maps come from cmap; Crameri's berlin has a black centre (https://doi.org/10.5281/zenodo.1243862).
"""

import math
from functools import cache
from typing import Literal

Sided = Literal["one", "signed"]

SEQUENTIAL = {
    "gray": "gray",
    "viridis": "viridis",
    "magma": "magma",
    "inferno": "inferno",
    "cividis": "cividis",
}
DIVERGING = {"berlin": "crameri:berlin", "vanimo": "crameri:vanimo", "vik": "crameri:vik"}
NAMES = (*SEQUENTIAL, *DIVERGING)
DEFAULT: dict[Sided, str] = {"one": "gray", "signed": "berlin"}

#: Palette entries: 0..LAST carry values (CENTRE is zero when signed), the rest are signs.
LAST, CENTRE = 252, 126
DEAD, MARK, GAP = 253, 254, 255
DEAD_COLOR = (58, 58, 66)
_SIGNS = {DEAD: DEAD_COLOR, MARK: (224, 36, 36), GAP: (40, 40, 46)}


@cache
def palette(name: str, sided: Sided, gamma: float = 1.0) -> bytes:
    """768 bytes, RGB by entry: 0..LAST from low to high, then the signs DEAD, MARK, GAP.

    gamma: entries stay linear in what they stand for; below 1 small magnitudes are brighter.
    """
    from cmap import Colormap

    colormap = Colormap(SEQUENTIAL.get(name) or DIVERGING[name])
    start = 0.5 if sided == "one" and name in DIVERGING else 0.0
    zero = 0 if sided == "one" else CENTRE
    reaches = [(entry - zero) / (LAST - zero) for entry in range(LAST + 1)]
    bright = [math.copysign(abs(reach) ** gamma, reach) for reach in reaches]
    low = 0.0 if sided == "one" else -1.0
    values = [start + (1 - start) * (reach - low) / (1 - low) for reach in bright]
    colors = [tuple(colormap(value).rgba8[:3]) for value in values]
    if sided == "one":
        colors[0] = (0, 0, 0)
    return bytes(part for color in [*colors, *_SIGNS.values()] for part in color)


@cache
def stops(name: str, sided: Sided, gamma: float = 1.0, count: int = 17) -> tuple[str, ...]:
    """The palette for a legend: `count` colours from low to high as #rrggbb."""
    entries = palette(name, sided, gamma)
    places = [round(LAST * step / (count - 1)) * 3 for step in range(count)]
    return tuple("#" + entries[place : place + 3].hex() for place in places)
