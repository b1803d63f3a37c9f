"""Pictures: (picture, preprocessing) -> a network's input, exactly as its weights expect it.

The same numbers as torchvision's ImageClassification preset: resize, centre crop, normalise. The
first two need no torch, as photos of folders are opened where there is none.
"""

from typing import TYPE_CHECKING

from PIL import Image

from app.zoo.entries import Preprocessing

if TYPE_CHECKING:
    from torch import Tensor

Box = tuple[float, float, float, float]

#: Longer pictures are cropped first: 2000 x 1 pixels would become 512,000 x 256.
LONGEST = 8
FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


def crop_box(width: int, height: int, preprocessing: Preprocessing) -> Box:
    """(left, top, right, bottom) of what the network sees, in pixels of the picture."""
    sizes = (width, height)
    resized = _resized(width, height, preprocessing)
    starts = _starts(resized, preprocessing)
    scales = [size / after for size, after in zip(sizes, resized, strict=True)]
    left, top = (start * scale for start, scale in zip(starts, scales, strict=True))
    right, bottom = (
        min((start + preprocessing.crop) * scale, size)
        for start, scale, size in zip(starts, scales, sizes, strict=True)
    )
    return left, top, right, bottom


def prepared(picture: Image.Image, preprocessing: Preprocessing) -> "Tensor":
    """A picture as the network's input: [1,3,crop,crop], float32."""
    return normalised(seen(picture.convert("RGB"), preprocessing), preprocessing)


def normalised(small: Image.Image, preprocessing: Preprocessing) -> "Tensor":
    """What `seen` gives as the network's input: [1,3,crop,crop], float32."""
    import numpy as np
    import torch

    values = torch.from_numpy(np.array(small)).permute(2, 0, 1)[None].float()
    if preprocessing.channels == "BGR":
        values = values.flip(1)
    mean, std = (
        torch.tensor(numbers).view(1, 3, 1, 1)
        for numbers in (preprocessing.mean, preprocessing.std)
    )
    return (values * (preprocessing.range / 255.0) - mean) / std


def seen(picture: Image.Image, preprocessing: Preprocessing) -> Image.Image:
    """The centre crop of a resized RGB picture: crop x crop pixels."""
    crop, filter_ = preprocessing.crop, FILTERS[preprocessing.interpolation]
    resized = _resized(*picture.size, preprocessing)
    if max(resized) > LONGEST * preprocessing.resize:
        return picture.resize((crop, crop), filter_, box=crop_box(*picture.size, preprocessing))
    left, top = _starts(resized, preprocessing)
    return picture.resize(resized, filter_).crop((left, top, left + crop, top + crop))


def _resized(width: int, height: int, preprocessing: Preprocessing) -> tuple[int, int]:
    """The sizes with the shorter side at `resize`; cut off as torchvision does, not rounded."""
    shorter, resize = min(width, height), preprocessing.resize
    return int(resize * width / shorter), int(resize * height / shorter)


def _starts(resized: tuple[int, int], preprocessing: Preprocessing) -> tuple[int, int]:
    """Left and top of the centre crop."""
    left, top = (round((size - preprocessing.crop) / 2.0) for size in resized)
    return left, top
