"""Growth: (the picture so far, again and again) -> an animation of at most MOST_FRAMES frames."""

import io

from torch import Tensor

from app.vision.pixels import image, reduced

MOST_FRAMES = 40
#: Longest side of a frame, in pixels.
SIDE = 448
MILLISECONDS, LAST_MILLISECONDS = 80, 2400
NAME = "growth.webp"


class Animation:
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
