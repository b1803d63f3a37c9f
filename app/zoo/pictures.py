"""Pictures: (picture, preprocessing) -> a network's input, exactly as its weights expect it.

The same numbers as torchvision's ImageClassification preset (resize, centre crop, normalise), but
only the part that is seen is resized: a picture of 2000 x 1 pixels costs no more than any other.
"""

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from app.zoo.entries import Preprocessing

Box = tuple[float, float, float, float]

FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


def crop_box(width: int, height: int, preprocessing: Preprocessing) -> Box:
    """(left, top, right, bottom) of what the network sees, in pixels of the picture."""
    shorter, sizes = min(width, height), (width, height)
    resized = [int(preprocessing.resize * size / shorter) for size in sizes]
    starts = [round((size - preprocessing.crop) / 2.0) for size in resized]
    scales = [size / after for size, after in zip(sizes, resized, strict=True)]
    left, top = (start * scale for start, scale in zip(starts, scales, strict=True))
    right, bottom = (
        min((start + preprocessing.crop) * scale, size)
        for start, scale, size in zip(starts, scales, sizes, strict=True)
    )
    return left, top, right, bottom


def prepared(picture: Image.Image, preprocessing: Preprocessing) -> Tensor:
    """A picture as the network's input: [1,3,crop,crop], float32."""
    seen = picture.convert("RGB").resize(
        (preprocessing.crop, preprocessing.crop),
        FILTERS[preprocessing.interpolation],
        box=crop_box(*picture.size, preprocessing),
    )
    values = torch.from_numpy(np.array(seen)).permute(2, 0, 1)[None].float()
    if preprocessing.channels == "BGR":
        values = values.flip(1)
    mean, std = (
        torch.tensor(numbers).view(1, 3, 1, 1)
        for numbers in (preprocessing.mean, preprocessing.std)
    )
    return (values * (preprocessing.range / 255.0) - mean) / std
