"""Cuts: (a photo's bytes, a part of it) -> that part as a small JPEG.

Runs where pictures from outside are decoded (studio/engine/decoders.py), under the same limits.
"""

import io
from dataclasses import dataclass

from PIL import Image

from app.studio.pictures import clean

#: What lies beyond a photo's edges, where a part reaches over them.
BEYOND = (128, 128, 128)
QUALITY = 86


@dataclass(frozen=True)
class Cut:
    """Which part: (left, top, right, bottom) in pixels of the upright photo, None: all of it.

    side: the longer side of the result in pixels; the whole is not enlarged to it.
    """

    box: tuple[float, float, float, float] | None
    side: int


@dataclass(frozen=True)
class CutOut:
    """The part as JPEG."""

    jpeg: bytes


def cut_out(data: bytes, cut: Cut, max_pixels: int) -> CutOut:
    """Cut a part out. Raises what `pictures.checked` raises."""
    with clean.checked(data, max_pixels) as opened:
        whole = opened.size
        # Decoded at a fraction of the size where the part stays larger than it is shown.
        share = 1.0 if cut.box is None else _share(cut.box, whole)
        wanted = round(2 * cut.side / max(share, 1e-6))
        opened.draft("RGB", (wanted, wanted))
        scale = opened.width / whole[0]
        loaded = clean.loaded(opened, max_pixels).convert("RGB")
        picture = clean.turned(loaded, clean.orientation(opened))
    edges = cut.box or (0, 0, picture.width / scale, picture.height / scale)
    left, top, right, bottom = (
        edges[0] * scale,
        edges[1] * scale,
        edges[2] * scale,
        edges[3] * scale,
    )
    enlarged = cut.side / max(right - left, bottom - top)
    if cut.box is None:
        enlarged = min(1.0, enlarged)
    size = [max(1, round(length * enlarged)) for length in (right - left, bottom - top)]
    sampling = Image.Resampling.BICUBIC
    if left >= 0 and top >= 0 and right <= picture.width + 0.5 and bottom <= picture.height + 0.5:
        inside = (left, top, min(right, picture.width), min(bottom, picture.height))
        small = picture.resize((size[0], size[1]), sampling, inside, reducing_gap=2.0)
    else:
        transform = (1 / enlarged, 0, left, 0, 1 / enlarged, top)
        small = picture.transform(
            (size[0], size[1]), Image.Transform.AFFINE, transform, sampling, fillcolor=BEYOND
        )
    file = io.BytesIO()
    small.info.clear()
    small.save(file, "JPEG", quality=QUALITY)
    return CutOut(file.getvalue())


def _share(box: tuple[float, float, float, float], size: tuple[int, int]) -> float:
    """How much of the photo's longer side a part takes."""
    return max(box[2] - box[0], box[3] - box[1]) / max(size)
