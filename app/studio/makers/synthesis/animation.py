"""Growth: (the picture so far, again and again) -> an animation of at most MOST_FRAMES frames."""

import io

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

MOST_FRAMES = 40
#: Longest side of a frame, in pixels.
SIDE = 448
MILLISECONDS, LAST_MILLISECONDS = 80, 2400
NAME = "growth.webp"


class Growth:
    """Keeps frames evenly over a number of steps that is known before, as uint8; then the end.

    after: steps that were gone before, and are not counted.
    """

    def __init__(self, steps: int, after: int = 0, side: int = SIDE) -> None:
        self._side = side
        self._wanted = [after + step for step in wanted(steps)]
        self._frames: list[Tensor] = []

    def wants(self, step: int) -> bool:
        """Whether the picture after this step (1 is the first) is to be kept; asked in order."""
        due = bool(self._wanted) and self._wanted[0] <= step
        while self._wanted and self._wanted[0] <= step:
            self._wanted.pop(0)
        return due

    def add(self, pixels: Tensor) -> None:
        """Keep a frame: uint8 [H,W,3]."""
        self._frames.append(reduced(pixels, self._side))

    def __len__(self) -> int:
        return len(self._frames)

    def webp(self) -> bytes:
        """The animation, which rests at its end. Fast before small: 40 frames in 0.1 s."""
        first, *others = [image(frame) for frame in self._frames]
        file = io.BytesIO()
        first.save(
            file,
            "WEBP",
            save_all=True,
            append_images=others,
            duration=[MILLISECONDS] * len(others) + [LAST_MILLISECONDS],
            loop=0,
            method=0,
            quality=80,
            minimize_size=False,
        )
        return file.getvalue()


def wanted(steps: int) -> list[int]:
    """The steps, counted from 1, whose pictures become frames: all but that of the end."""
    frames = min(steps - 1, MOST_FRAMES - 1)
    if frames <= 1:
        return [1] * frames
    return [1 + round(k * (steps - 2) / (frames - 1)) for k in range(frames)]


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
