"""Pictures: (picture, preprocessing) -> a network's input, exactly as its weights expect it.

The same numbers as torchvision's ImageClassification preset: resize, centre crop, normalise. The
first two need no torch, as photos of folders are opened where there is none.
"""

from typing import TYPE_CHECKING

from PIL import Image

from app.zoo.preprocessing import Preprocessing, sides

if TYPE_CHECKING:
    from torch import Tensor

Box = tuple[float, float, float, float]

#: Longer pictures are cropped first: 2000 x 1 pixels would become 512,000 x 256.
LONGEST = 8
FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


def crop_box(width: int, height: int, preprocessing: Preprocessing) -> Box:
    """(left, top, right, bottom) of what the network sees, in pixels of the picture."""
    sizes = (width, height)
    resized, crop = _resized(width, height, preprocessing), preprocessing.sides[::-1]
    starts = _starts(resized, preprocessing)
    scales = [size / after for size, after in zip(sizes, resized, strict=True)]
    left, top = (start * scale for start, scale in zip(starts, scales, strict=True))
    right, bottom = (
        min((start + side) * scale, size)
        for start, side, scale, size in zip(starts, crop, scales, sizes, strict=True)
    )
    return left, top, right, bottom


def prepared(picture: Image.Image, preprocessing: Preprocessing) -> "Tensor":
    """A picture as the network's input: [1,C,H,W], float32."""
    return normalised(seen(picture, preprocessing), preprocessing)


def normalised(small: Image.Image, preprocessing: Preprocessing) -> "Tensor":
    """What `seen` gives as the network's input: [1,C,H,W], float32."""
    import numpy as np
    import torch

    pixels = torch.from_numpy(np.array(small))
    values = pixels.view(*pixels.shape[:2], -1).permute(2, 0, 1)[None].float()
    if preprocessing.channels == "BGR":
        values = values.flip(1)
    mean, std = (
        torch.tensor(numbers).view(1, -1, 1, 1)
        for numbers in (preprocessing.mean, preprocessing.std)
    )
    return (values * (preprocessing.range / 255.0) - mean) / std


def seen(picture: Image.Image, preprocessing: Preprocessing) -> Image.Image:
    """What a network sees of a picture: brought to size and cropped; RGB, or L for one of grey."""
    picture = picture.convert("L" if preprocessing.channels == "L" else "RGB")
    (height, width), filter_ = preprocessing.sides, FILTERS[preprocessing.interpolation]
    resized = _resized(*picture.size, preprocessing)
    if max(resized) > LONGEST * max(sides(preprocessing.resize)):
        box = crop_box(*picture.size, preprocessing)
        return picture.resize((width, height), filter_, box=box)
    left, top = _starts(resized, preprocessing)
    return picture.resize(resized, filter_).crop((left, top, left + width, top + height))


def _resized(width: int, height: int, preprocessing: Preprocessing) -> tuple[int, int]:
    """Width and height before the crop: `resize` itself, or the least that covers it in the
    picture's proportions; cut off as torchvision does, not rounded.
    """
    down, across = sides(preprocessing.resize)
    if preprocessing.fit == "squash":
        return across, down
    if across * height >= down * width:
        return across, max(down, int(across * height / width))
    return max(across, int(down * width / height)), down


def _starts(resized: tuple[int, int], preprocessing: Preprocessing) -> tuple[int, int]:
    """Left and top of the centre crop."""
    crop = preprocessing.sides[::-1]
    left, top = (round((size - side) / 2.0) for size, side in zip(resized, crop, strict=True))
    return left, top
