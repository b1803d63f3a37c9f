"""Colour profiles made by hand, as Pillow can only make sRGB: Display P3, and an odd CMYK."""

import struct
from itertools import product

#: What the colorants of Display P3 are in XYZ under D50, and all greys' exponent here.
P3 = {
    "rXYZ": (0.51512, 0.24120, -0.00105),
    "gXYZ": (0.29198, 0.69225, 0.04189),
    "bXYZ": (0.15710, 0.06657, 0.78407),
}
WHITE = (0.9642, 1.0, 0.8249)
GAMMA = 2.2


def display_p3() -> bytes:
    """A wide-gamut RGB profile."""
    curve = b"curv" + struct.pack(">4xIHxx", 1, round(GAMMA * 256))
    tags = {name: _xyz(values) for name, values in (P3 | {"wtpt": WHITE}).items()}
    return _profile(
        b"mntr", b"RGB ", b"XYZ ", tags | dict.fromkeys(("rTRC", "gTRC", "bTRC"), curve)
    )


def odd_cmyk() -> bytes:
    """A printer whose cyan ink is green; all its other inks and overprints are black."""
    paper, green = (255, 128, 128), (round(0.6 * 255), 128 - 60, 128 + 50)
    black = (0, 128, 128)
    cube = bytearray()
    for inks in product("01", repeat=4):
        cube += bytes({"0000": paper, "1000": green}.get("".join(inks), black))
    identity = struct.pack(">9i", *(65536 * value for value in (1, 0, 0, 0, 1, 0, 0, 0, 1)))
    ramp = bytes(range(256))
    table = b"mft1" + struct.pack(">4xBBBx", 4, 3, 2) + identity + 4 * ramp + cube + 3 * ramp
    return _profile(b"prtr", b"CMYK", b"Lab ", {"A2B0": table, "wtpt": _xyz(WHITE)})


def _xyz(values: tuple[float, float, float]) -> bytes:
    return b"XYZ " + struct.pack(">4x3i", *(round(value * 65536) for value in values))


def _profile(kind: bytes, space: bytes, connection: bytes, tags: dict[str, bytes]) -> bytes:
    """A profile of version 2: header, table of tags, tags."""
    text = b"desc" + struct.pack(">4xI", 5) + b"test\0" + bytes(78)
    tags = {"desc": text, "cprt": b"text" + bytes(4) + b"none\0"} | tags
    at, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, tag in tags.items():
        tag += bytes(-len(tag) % 4)
        table += name.encode() + struct.pack(">II", at + len(body), len(tag))
        body += tag
    header = (
        struct.pack(">I4xI", at + len(body), 0x02400000)
        + kind + space + connection + bytes(12) + b"acsp" + bytes(28)
        + struct.pack(">3i", *(round(value * 65536) for value in WHITE))
    )  # fmt: skip
    return header + bytes(128 - len(header)) + struct.pack(">I", len(tags)) + table + body
