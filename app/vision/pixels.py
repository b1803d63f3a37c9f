"""Pixels: pictures of 0..1 as whole levels and back, and as small files to look at."""

import io

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

#: What makes grey of red, green and blue, as Pillow does.
GREY = (0.299, 0.587, 0.114)


def grey_of(pictures: Tensor) -> Tensor:
    """[N,3,H,W] -> [N,1,H,W]."""
    weights = torch.tensor(GREY, device=pictures.device, dtype=pictures.dtype)
    return (pictures * weights.view(1, 3, 1, 1)).sum(1, keepdim=True)


def in_pixels(pictures: Tensor) -> Tensor:
    """[N,3,H,W] of 0..1 -> uint8 [N,H,W,3] on the CPU."""
    levels = (pictures.detach().float().clamp(0, 1) * 255).round().to(torch.uint8)
    return levels.permute(0, 2, 3, 1).contiguous().cpu()


def in_units(tiles: Tensor) -> Tensor:
    """The way back: uint8 [N,H,W,3] -> [N,3,H,W] of 0..1, as whoever opens the PNG sees it."""
    return tiles.permute(0, 3, 1, 2).float() / 255


def reduced(pixels: Tensor, side: int) -> Tensor:
    """uint8 [H,W,3], averaged down to `side` pixels on the longer side; never enlarged."""
    height, width = pixels.shape[:2]
    if max(height, width) <= side:
        return pixels
    scale = side / max(height, width)
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    planes = pixels.permute(2, 0, 1)[None].float()
    small = functional.interpolate(planes, size=size, mode="area")[0]
    return small.round().to(torch.uint8).permute(1, 2, 0).contiguous()


def image(pixels: Tensor) -> Image.Image:
    """uint8 [H,W,3] as Pillow has it."""
    return Image.fromarray(pixels.contiguous().numpy())


def jpeg(pixels: Tensor) -> bytes:
    """uint8 [H,W,3] as a JPEG for looking at while it grows."""
    file = io.BytesIO()
    image(pixels).save(file, "JPEG", quality=82)
    return file.getvalue()
