"""Records: what an index keeps of a channel, of fixed size, so that one is read without the others.

No torch and no numpy in here: the web process reads them too.
"""

from dataclasses import dataclass
from struct import Struct

#: Photos that are kept of either end, and bars of each histogram.
KEPT, BARS = 9, 24
#: In the place of a layer's name: the vectors of the pictures themselves, beside those of layers.
PIXELS = "pixels"
#: What no photo has for its number: there were fewer photos than KEPT.
NOBODY = 0xFFFF
#: A channel that fires for less than this share of the photos is called rare.
RARE = 0.01

#: The fields of a record in their order, as numpy names their types.
FIELDS: list[tuple[str, str, tuple[int, ...]]] = [
    ("low", "<f4", ()),
    ("mean", "<f4", ()),
    ("high", "<f4", ()),
    ("fired", "<u4", ()),
    ("share_active", "<f4", ()),
    ("photos", "<u2", (2, KEPT)),
    ("rows", "<u2", (2, KEPT)),
    ("columns", "<u2", (2, KEPT)),
    ("values", "<f4", (2, KEPT)),
    ("spread", "<u2", (BARS,)),
    ("positions", "<u2", (BARS,)),
]
_RECORD = Struct(f"<fffIf{KEPT * 2 * 3}H{KEPT * 2}f{BARS * 2}H")
SIZE = _RECORD.size


@dataclass(frozen=True)
class Excited:
    """What one photo does to a channel: its highest value, and where in the map that is."""

    photo: int
    row: int
    column: int
    value: float


@dataclass(frozen=True)
class ChannelRecord:
    """One channel over all photos of a collection.

    low, high: over some positions, and over all of them; mean: over all; fired: in how many photos
    it was above zero anywhere; share_active: of positions where it was. best, least: the photos by
    their highest value, from the outermost inwards. spread: how many photos have their highest
    value in each of BARS equal parts of 0 (or the lowest such value, if below) .. high; positions:
    how many of some positions have a value in each of BARS equal parts of low .. high.
    """

    low: float
    mean: float
    high: float
    fired: int
    share_active: float
    best: tuple[Excited, ...]
    least: tuple[Excited, ...]
    spread: tuple[int, ...]
    positions: tuple[int, ...]


def record(data: bytes, channel: int) -> ChannelRecord:
    """The record of one channel in a layer's part."""
    fields = iter(_RECORD.unpack_from(data, channel * SIZE))

    def some(count: int) -> list[float]:
        return [next(fields) for _ in range(count)]

    low, mean, high, fired, share = some(5)
    photos, rows, columns, values = (some(2 * KEPT) for _ in range(4))
    best, least = (
        tuple(
            Excited(int(photos[k]), int(rows[k]), int(columns[k]), values[k])
            for k in range(start, start + KEPT)
            if photos[k] != NOBODY
        )
        for start in (0, KEPT)
    )
    spread, positions = (tuple(int(n) for n in some(BARS)) for _ in range(2))
    return ChannelRecord(low, mean, high, int(fired), share, best, least, spread, positions)


def count(data: bytes) -> int:
    """How many channels a layer's part tells of."""
    return len(data) // SIZE
