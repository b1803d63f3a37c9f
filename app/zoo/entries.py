"""Entries: what is known of a network without loading it."""

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from app.errors import Words
from app.zoo.files import is_regular
from app.zoo.preprocessing import Preprocessing

UNTRAINED = "-untrained"
#: Hexadecimal digits of a definition.
DIGITS = 16
#: Definitions of the catalogue as it was before they came into keys. These networks have the empty
#: one, so that what was made of them then is still found. Never add to these, never change one.
FORMER = frozenset(
    {
        "50d8bd6135f8afa2",  # efficientnet-lite0
        "629738f78ea4ed14",  # alexnet
        "5b1cf3efb04636aa",  # vgg11
        "c0d30d3b7f4fa9ab",  # vgg11_bn
        "c59eadef90a390df",  # vgg16
        "8998fd68d8996f6c",  # vgg16_bn
        "08c41766e10aa3da",  # vgg19
        "f2c4633357823ef5",  # vgg19_bn
        "6f9429c9a2880dca",  # googlenet
        "a7655eb39c0c9a3a",  # resnet18
        "22daa259fec8d575",  # resnet50
        "de8b4433fa0caab4",  # squeezenet1_1
        "c686ddaa4f189242",  # mobilenet_v3_large
        "e7730d45bddfeb73",  # densenet121
        "19ad686f98432445",  # convnext_tiny
        "01d1bb37be97cae9",  # inception_v3
        "d9c9b4ccc37f26d8",  # alexnet-2012
        "b32af7ff897e11ca",  # googlenet-2014
    }
)


@dataclass(frozen=True)
class Entry:
    """One network as it is listed.

    architecture: "timm:NAME", "torchvision:NAME" or "laterna:NAME".
    weights: "package:PACKAGE/FILE", "torchvision:ENUM.MEMBER", "file:FILE", or None.
    file: where the weights lie, or will lie once they are fetched; url_name: their name at the
    mirror, for weights that can be fetched.
    input_size: (C, H, W). labels: "imagenet" or the classes' names. None: known only after loading.
    trained: False for an untrained copy. problem: why it cannot be used at all, as a sentence.
    preset_of: for a copy, the weights whose preprocessing it takes.
    part: where in its file the state dict is, "" for the usual places.
    """

    name: str
    title: str
    architecture: str
    paper: str = ""
    weights: str | None = None
    file: Path | None = None
    url_name: str | None = None
    input_size: tuple[int, int, int] | None = None
    classes: int | None = None
    parameters: int | None = None
    preprocessing: Preprocessing | None = None
    labels: str | tuple[str, ...] | None = None
    trained: bool = True
    problem: Words | None = None
    preset_of: str = ""
    part: str = ""

    @property
    def preset(self) -> str | None:
        """The member of torchvision's enums that says its preprocessing, "VGG16_Weights.MEMBER"."""
        family, _, member = (self.weights or self.preset_of).partition(":")
        return member if family == "torchvision" else None

    @property
    def original_name(self) -> str:
        """Its name; of an untrained copy, that of the network it is a copy of."""
        return self.name if self.trained else self.name.removesuffix(UNTRAINED)

    @cached_property
    def definition(self) -> str:
        """A digest of all that decides results beside the values of the weights; of a copy that of
        its original, and "" for what is in FORMER.
        """
        source = self.weights or self.preset_of
        parts = {
            "name": self.original_name,
            "architecture": self.architecture,
            "classes": self.classes,
            "labels": self.labels,
            "preset": self.preset,
            "names": source.partition(":")[0],  # a package's tensors are matched in their order
            "preprocessing": self.preprocessing and self.preprocessing.defining,
        }
        parts |= {"part": self.part} if self.part else {}
        digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:DIGITS]
        return "" if digest in FORMER else digest

    @property
    def present(self) -> bool:
        """Whether its weights are on this disk and can be read."""
        return self.problem is None and self.file is not None and is_regular(self.file)

    @property
    def untrained(self) -> "Entry":
        """The same architecture without weights (which still say the preprocessing)."""
        if not self.trained:
            return self
        return replace(
            self,
            name=self.name + UNTRAINED,
            title=f"{self.title} (untrained)",
            weights=None,
            preset_of=self.weights or "",
            file=None,
            url_name=None,
            trained=False,
        )
