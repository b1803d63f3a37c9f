"""Presets: what torchvision's weights enums say of preprocessing and labels."""

from functools import cache

from app.errors import ModelUnavailable, Words
from app.zoo.entries import Entry
from app.zoo.preprocessing import Preprocessing, plain


def preprocessing_for(entry: Entry) -> Preprocessing:
    """A network's preprocessing: its own, else that of its torchvision weights."""
    if entry.preprocessing is not None:
        return entry.preprocessing
    return _preset(entry)


def labels_for(entry: Entry) -> tuple[str, ...]:
    """The names of a network's classes, in the order of its logits; () where there are none."""
    if isinstance(entry.labels, tuple):
        return entry.labels
    return imagenet() if entry.labels == "imagenet" and entry.classes != 0 else ()


@cache
def imagenet() -> tuple[str, ...]:
    """ImageNet's 1000 class names."""
    from torchvision.models import ResNet50_Weights

    return tuple(ResNet50_Weights.IMAGENET1K_V1.meta["categories"])


def _preset(entry: Entry) -> Preprocessing:
    """That of the enum whose member is named as the entry's preset, as "VGG16_Weights.MEMBER"."""
    from torchvision.models import get_weight

    try:
        preset = get_weight(entry.preset or "").transforms()
    except (ValueError, AttributeError):
        raise ModelUnavailable(
            model=entry.title, reason=Words("Its preprocessing is not known.")
        ) from None
    return Preprocessing(
        resize=preset.resize_size[0],
        crop=plain((preset.crop_size * 2)[:2]),
        interpolation=preset.interpolation.value,
        channels="RGB",
        range=1.0,
        mean=tuple(preset.mean),
        std=tuple(preset.std),
    )
