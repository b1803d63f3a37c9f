"""What is made step by step: visualizations of a network and of a picture."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from app.studio.recipes.answered import Fill
from app.studio.recipes.recipe import OfPicture, Recipe

Quality = Literal["quick", "fine"]
Unit = Literal["channel", "neuron"]


@dataclass(frozen=True, kw_only=True)
class JobRecipe(Recipe):
    """What takes long, and is made step by step."""

    @property
    def id(self) -> str:
        """128 bits of the key, hexadecimal: the address that is shared."""
        return self.key[:32]


@dataclass(frozen=True, kw_only=True)
class Visualization(JobRecipe):
    """A picture that is made step by step. size (pixels a side) and steps: 0 by quality.

    seed: of the one generator that all its noise comes from.
    """

    quality: Quality = "quick"
    size: int = 0
    steps: int = 0
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class ClassImage(Visualization):
    """What the network takes for a class: from noise, towards its logit."""

    kind: ClassVar[str] = "class"
    class_: int


@dataclass(frozen=True, kw_only=True)
class ChannelImage(Visualization):
    """What excites a channel: everywhere ("channel"), or at the centre of its map ("neuron").

    pictures: that many at once, made to differ.
    """

    kind: ClassVar[str] = "channel"
    layer: str
    channel: int
    unit: Unit = "channel"
    pictures: int = 1


@dataclass(frozen=True, kw_only=True)
class Atlas(Visualization):
    """What excites each channel of a layer, on one sheet."""

    kind: ClassVar[str] = "atlas"
    layer: str


@dataclass(frozen=True, kw_only=True)
class Reconstruction(Visualization, OfPicture):
    """A picture again, from what one layer knows of it."""

    kind: ClassVar[str] = "reconstruction"
    layer: str


@dataclass(frozen=True, kw_only=True)
class Strip(Visualization, OfPicture):
    """A picture again from several layers, early to late; no layers: chosen over the depth."""

    kind: ClassVar[str] = "strip"
    layers: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Occlusion(Visualization, OfPicture):
    """What a class loses where a square of the picture is covered; fine: in smaller steps.

    window: its side in pixels of the network's input, 0 for a seventh; size and steps are unused.
    """

    kind: ClassVar[str] = "occlusion"
    class_: int
    window: int = 0
    fill: Fill = "mean"
