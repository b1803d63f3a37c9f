"""PNG: (uint8 rows, palette or RGB) -> bytes, lossless and fast.

An indexed sheet compressed by ISA-L takes a fraction of what Pillow's RGB PNG takes and is no
larger (docs/decisions.md has the figures), so the page's picture and the lossless `.png` are one.
Format: https://www.w3.org/TR/png-3/
"""

import struct
from collections.abc import Mapping

import torch
from torch import Tensor

try:
    from isal.isal_zlib import compress, crc32
except ImportError:  # a machine with torch alone
    from zlib import compress, crc32

LEVEL = 1


def blank(height: int, width: int, bands: int = 1, value: int = 0) -> tuple[Tensor, Tensor]:
    """Room for a picture: (raw rows with PNG's filter byte in front, view of the pixels in it).

    The view is uint8 [height, width] for one band, [height, width, 3] for three.
    """
    raw = torch.full((height, 1 + width * bands), value, dtype=torch.uint8)
    raw[:, 0] = 0
    pixels = raw[:, 1:]
    return raw, pixels if bands == 1 else pixels.view(height, width, bands)


def encode(raw: Tensor, palette: bytes | None, texts: Mapping[str, str] | None = None) -> bytes:
    """PNG bytes of `raw` from `blank`; with a palette (768 bytes) indexed, without it RGB."""
    height, stride = raw.shape
    width = stride - 1 if palette else (stride - 1) // 3
    header = struct.pack(">IIBBBBB", width, height, 8, 3 if palette else 2, 0, 0, 0)
    chunks = [_chunk(b"IHDR", header)]
    if palette:
        chunks.append(_chunk(b"PLTE", palette))
    chunks += [_text(key, value) for key, value in (texts or {}).items()]
    chunks.append(_chunk(b"IDAT", compress(raw.numpy().data, LEVEL)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc32(data, crc32(kind)))


def _text(key: str, value: str) -> bytes:
    """An iTXt chunk: UTF-8, uncompressed."""
    return _chunk(b"iTXt", key.encode("latin-1") + b"\0\0\0\0\0" + value.encode())
