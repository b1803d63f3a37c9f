"""BigTIFF -> TIFF: Pillow reads only those with the low byte first, so others become ordinary.

The picture's own bytes stay where they are; only the table of its first page is written anew.
"""

import struct

BIG_ENDIAN_BIG = b"MM\0+"
#: Bytes of a value, by TIFF's types; those that only BigTIFF has become 32-bit numbers.
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
WIDE = {16: "Q", 17: "q", 18: "Q"}
LONG = 4
#: A table has some twenty entries; Pillow reads no more than this anyway.
MOST_ENTRIES = 4096


def as_tiff(data: bytes) -> bytes:
    """The same picture as an ordinary TIFF. ValueError and struct.error for damaged files."""
    order = ">" if data[:2] == b"MM" else "<"
    (table,) = struct.unpack_from(order + "Q", data, 8)
    (count,) = struct.unpack_from(order + "Q", data, table)
    if count > MOST_ENTRIES:
        raise ValueError("too many entries")
    end = len(data) + len(data) % 2
    more_at = end + 2 + 12 * count + 4
    entries, more = b"", b""
    for number in range(count):
        at = table + 8 + 20 * number
        tag, kind, many = struct.unpack_from(order + "HHQ", data, at)
        kind, values = _values(data, at + 12, order, kind, many)
        if len(values) > 4:
            place = struct.pack(order + "I", more_at + len(more))
            more += values + b"\0" * (len(values) % 2)
            values = place
        entries += struct.pack(order + "HHI", tag, kind, many) + values.ljust(4, b"\0")
    head = data[:2] + struct.pack(order + "HI", 42, end)
    written = head + data[8:] + b"\0" * (len(data) % 2)
    return written + struct.pack(order + "H", count) + entries + bytes(4) + more


def _values(data: bytes, at: int, order: str, kind: int, many: int) -> tuple[int, bytes]:
    """(an ordinary type, the bytes of an entry's values)."""
    width = 8 if kind in WIDE else SIZES.get(kind, 1)
    size = width * many
    if size > 8:
        (at,) = struct.unpack_from(order + "Q", data, at)
    if size > len(data) or at + size > len(data):
        raise ValueError("values beyond the end")
    values = data[at : at + size]
    if kind in WIDE:
        wide = struct.unpack(f"{order}{many}{WIDE[kind]}", values)
        return LONG, struct.pack(f"{order}{many}I", *wide)
    return kind, values
