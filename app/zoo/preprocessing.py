"""Preprocessing: (a TOML table) -> how a picture becomes a network's input, checked."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from app.errors import Words
from app.zoo.described import PreprocessingFacts

#: (height, width) in pixels.
Sides = tuple[int, int]
#: A square's side, or (height, width); equal sides are always written as one.
Size = int | Sides

LEAST_SIDE, MOST_SIDE = 16, 1024
MUST = {"crop", "mean", "std"}
MAY = {"resize": None, "interpolation": "bilinear", "channels": "RGB", "range": 1.0, "fit": "crop"}
RESIZE_IS = Words(
    'resize must be a whole number (pixels of the shorter side; with fit = "squash" of both) '
    "or [height, width]"
)
CROP_IS = Words("crop must be a whole number of pixels or [height, width]")


@dataclass(frozen=True)
class Preprocessing:
    """How a picture becomes a network's input; it belongs to the weights.

    fit "crop": scaled until it just covers `resize` (a single number: its shorter side), then
    centre crop of `crop`. fit "squash": brought to `resize` whatever its proportions, then the
    same. Then channels in the order of `channels`, "L" one of grey; values 0..range, minus mean,
    divided by std (both one number for each channel, in that order).
    """

    resize: Size
    crop: Size
    interpolation: Literal["bilinear", "bicubic"]
    channels: Literal["RGB", "BGR", "L"]
    range: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    fit: Literal["crop", "squash"] = "crop"

    @property
    def sides(self) -> Sides:
        """(height, width) of the network's input."""
        return sides(self.crop)

    @property
    def input_size(self) -> tuple[int, int, int]:
        """(C, H, W) of the network's input."""
        return len(self.mean), *self.sides

    @property
    def facts(self) -> PreprocessingFacts:
        """For JSON."""
        return {
            "resize": self.resize if isinstance(self.resize, int) else list(self.resize),
            "crop": self.crop if isinstance(self.crop, int) else list(self.crop),
            "interpolation": self.interpolation,
            "channels": self.channels,
            "range": self.range,
            "mean": list(self.mean),
            "std": list(self.std),
            "fit": self.fit,
            "text": self.text,
        }

    @property
    def defining(self) -> dict[str, Any]:
        """What goes into a definition: without what is as it was before it could be said."""
        fields = asdict(self)
        if self.fit == "crop":
            del fields["fit"]
        return fields

    @property
    def text(self) -> str:
        """In plain words."""
        mean, std = (
            " / ".join(f"{value:g}" for value in values) for values in (self.mean, self.std)
        )
        crop = "" if self.is_whole else f"centre crop of {written(self.crop)}, "
        return (
            f"{self._fitted} ({self.interpolation}), {crop}"
            f"{self.channels} from 0 to {self.range:g}, minus {mean}, divided by {std}."
        )

    @property
    def is_whole(self) -> bool:
        """Whether the network sees all of every picture."""
        return self.fit == "squash" and self.resize == self.crop

    @property
    def _fitted(self) -> str:
        if self.fit == "squash":
            return f"Squashed to {written(self.resize)} pixels"
        if isinstance(self.resize, int):
            return f"Shorter side to {self.resize} pixels"
        return f"Scaled until it covers {written(self.resize)} pixels"


def sides(size: Size) -> Sides:
    """(height, width) of either way to say a size."""
    if isinstance(size, int):
        return size, size
    return size


def written(size: Size) -> str:
    """A size as people write it: height x width."""
    return " x ".join(map(str, sides(size)))


def plain(pair: Sequence[int]) -> Size:
    """A size from (height, width): one number for a square."""
    height, width = pair
    return height if height == width else (height, width)


def preprocessing_from(facts: PreprocessingFacts) -> Preprocessing:
    """The preprocessing whose `facts` these are."""
    return Preprocessing(
        resize=_size(facts["resize"], RESIZE_IS),
        crop=_size(facts["crop"], CROP_IS),
        interpolation=facts["interpolation"],
        channels=facts["channels"],
        range=facts["range"],
        mean=tuple(facts["mean"]),
        std=tuple(facts["std"]),
        fit=facts["fit"],
    )


def preprocessing_of(table: Mapping[str, Any]) -> Preprocessing:
    """The preprocessing that a TOML table says. Raises ValueError with what is wrong, as Words."""
    if not set(table) >= MUST or not set(table) <= MUST | set(MAY):
        raise ValueError(
            Words(
                "it takes resize, crop, mean and std, and may say interpolation, channels, range "
                "and fit"
            )
        )
    complete: dict[str, Any] = {**MAY, **table}
    if complete["interpolation"] not in ("bilinear", "bicubic"):
        raise ValueError(Words('interpolation must be "bilinear" or "bicubic"'))
    if complete["channels"] not in ("RGB", "BGR", "L"):
        raise ValueError(Words('channels must be "RGB", "BGR" or "L"'))
    if complete["fit"] not in ("crop", "squash"):
        raise ValueError(Words('fit must be "crop" or "squash"'))
    if complete["range"] not in (1.0, 255.0):
        raise ValueError(Words("range must be 1.0 or 255.0"))
    resize, crop = _sizes(complete)
    count = 1 if complete["channels"] == "L" else 3
    mean, std = (_numbers(complete[name], count) for name in ("mean", "std"))
    if not all(value > 0 for value in std):
        raise ValueError(Words("std must be above 0"))
    return Preprocessing(
        resize=resize,
        crop=crop,
        interpolation=complete["interpolation"],
        channels=complete["channels"],
        range=float(complete["range"]),
        mean=mean,
        std=std,
        fit=complete["fit"],
    )


def _sizes(table: Mapping[str, Any]) -> tuple[Size, Size]:
    """(resize, crop). Raises ValueError for what would leave it open what a network sees."""
    crop, squashed = _size(table["crop"], CROP_IS), table["fit"] == "squash"
    if table["resize"] is None and not squashed:
        raise ValueError(Words('resize is missing; only with fit = "squash" it may be left out'))
    resize = crop if table["resize"] is None else _size(table["resize"], RESIZE_IS)
    if squashed and isinstance(table["resize"], int) and not isinstance(crop, int):
        raise ValueError(
            Words(
                'with fit = "squash" and a crop of [height, width], resize must be [height, width] '
                "too, or be left out: then the whole picture is brought to the size of crop"
            )
        )
    within = zip(sides(crop), sides(resize), strict=True)
    if not all(LEAST_SIDE <= inner <= outer <= MOST_SIDE for inner, outer in within):
        raise ValueError(
            Words(
                "resize and crop must be whole numbers, 16 <= crop <= resize <= 1024, for each side"
            )
        )
    return resize, crop


def _size(value: Any, rule: Words) -> Size:
    """A size as TOML and JSON say it. Raises ValueError with the rule."""
    if type(value) is int:
        return value
    pair = value if isinstance(value, list | tuple) else ()
    if len(pair) != 2 or not all(type(side) is int for side in pair):
        raise ValueError(rule)
    return plain(pair)


def _numbers(values: Any, count: int) -> tuple[float, ...]:
    """One number for each channel; a single one needs no list."""
    numbers = values if isinstance(values, list) else [values]
    fine = [type(value) in (int, float) and abs(value) < 1e6 for value in numbers]
    if len(numbers) != count or not all(fine):
        if count == 1:
            raise ValueError(Words('mean and std must be one number each, as channels is "L"'))
        raise ValueError(Words("mean and std must be three numbers each"))
    return tuple(float(number) for number in numbers)
