"""Masks: cells over what a network sees of a picture, written so that an address can hold them.

SIDE x SIDE cells, one bit each, row by row, in base64 as addresses have it, without the zeros at
the end. No torch in here: the web reads them too.
"""

import base64
import binascii

from app.errors import Words

#: Cells per side. A network that sees 224 pixels a side has 4 of them to a cell.
SIDE = 56
BYTES = SIDE * SIDE // 8
#: The longest that a mask can be, written.
LONGEST = (BYTES + 2) // 3 * 4
ALLOWED = Words(
    "at most {side} x {side} cells, a bit each, in base64 as addresses have it.", side=SIDE
)


def read(mask: str) -> bytes:
    """The bits of a written mask, BYTES of them. Raises ValueError for what is none."""
    if len(mask) > LONGEST or not mask.isascii():
        raise ValueError(ALLOWED)
    try:
        packed = base64.b64decode(mask + "=" * (-len(mask) % 4), b"-_", validate=True)
    except binascii.Error:
        raise ValueError(ALLOWED) from None
    if len(packed) > BYTES:
        raise ValueError(ALLOWED)
    return packed.ljust(BYTES, b"\0")


def written(bits: bytes) -> str:
    """A mask as text; the same cells always give the same text."""
    return base64.urlsafe_b64encode(bits.rstrip(b"\0")).decode().rstrip("=")


def joined(first: bytes, second: bytes) -> bytes:
    """What either covers."""
    return bytes(one | other for one, other in zip(first, second, strict=True))


def rectangle(left: float, top: float, width: float, height: float) -> bytes:
    """A rectangle, given in per cent of the side, on whole cells; at least one cell of each side.

    Nothing where a side is 0.
    """
    if not width or not height:
        return bytes(BYTES)
    rows, columns = _cells(top, height), _cells(left, width)
    bits = bytearray(BYTES)
    for row in rows:
        for column in columns:
            place = row * SIDE + column
            bits[place // 8] |= 128 >> place % 8
    return bytes(bits)


def _cells(start: float, length: float) -> range:
    first = min(SIDE - 1, round(start * SIDE / 100))
    last = min(SIDE, round((start + length) * SIDE / 100))
    return range(first, max(first + 1, last))
