"""Classes: (class image recipe) -> what the network takes for a class, and who else sees it."""

from typing import Any

import torch
from torch import Tensor

from app.errors import NoClassifier, UnknownClass
from app.studio.makers.device_cache import DeviceCache
from app.studio.makers.synthesis.photo_maxima import DRAWS, SEED, as_taken
from app.studio.makers.synthesis.rendering import Rendering
from app.studio.makers.synthesis.sizes import fitting
from app.studio.makers.synthesis.tile_sheet import tile_sheet
from app.studio.makers.told import top
from app.studio.recipes import ClassImage
from app.studio.recipes.progress import Making
from app.vision import ascent, methods, objectives
from app.vision.methods import Method
from app.vision.pixels import image, in_units
from app.zoo.keeper import Network

#: Why there is no second opinion.
NO_OTHER = "no other trained network with these classes has its weights on this server"


def class_image(cache: DeviceCache, recipe: ClassImage) -> Making:
    """Climb the class's logit. Raises NoClassifier, UnknownClass."""
    network = cache.network_of(recipe)
    _check(network, recipe.class_)
    crop = network.preprocessing.crop
    chosen = methods.class_image(
        crop, recipe.quality, recipe.size, recipe.steps, skips=bool(network.branches)
    )
    method = fitting(network, chosen)
    rendering = Rendering(network, method.steps, tile_sheet(1, method.size, not network.trained))
    generator = ascent.seeded(recipe.seed)
    climb = yield from rendering.climb(
        ascent.ascend(network, objectives.logit(recipe.class_), method, generator)
    )
    rendering.tiles.put([0], climb.tiles)
    yield rendering.still("measured")
    seen = _seen(network, recipe.class_, in_units(climb.tiles), method)
    yield rendering.still("shown to a second network")
    seen |= _second(cache, network, recipe.class_, climb.tiles)
    return rendering.made(recipe, method.facts(), climb.scores, seen)


def _check(network: Network, class_: int) -> None:
    if not network.labels:
        raise NoClassifier(model=network.entry.title)
    if not 0 <= class_ < len(network.labels):
        raise UnknownClass(model=network.entry.title, classes=len(network.labels), number=class_)


def _seen(network: Network, class_: int, picture: Tensor, method: Method) -> dict[str, Any]:
    """What the network itself says, of the clean picture [1,3,H,W] and under random transforms."""
    whole = picture.to(network.device)
    generator = ascent.seeded(SEED)
    transform = ascent.transform(network, method)
    with torch.no_grad():
        clean = (
            network(ascent.normalized(network, as_taken(network, picture)))[0]
            .float()
            .softmax(0)
            .cpu()
        )
        many = transform(whole.expand(DRAWS, -1, -1, -1), generator)
        moved = torch.cat([network(ascent.normalized(network, one[None])) for one in many])
    return {
        "label": network.labels[class_],
        "probability": float(clean[class_]),
        "probability_under_transforms": float(moved.float().softmax(1)[:, class_].mean()),
        "draws": DRAWS,
        "top": top(network, clean),
    }


def _second(cache: DeviceCache, network: Network, class_: int, tiles: Tensor) -> dict[str, Any]:
    """What another network sees in it, given the picture as any photo would be."""
    other = cache.second(network)
    if other is None:
        return {"second": None, "second_reason": NO_OTHER}
    with torch.no_grad():
        logits = other(other.prepare(image(tiles[0])))
    rows = top(other, logits[0].float().softmax(0).cpu())
    return {
        "second": {
            "model": other.entry.name,
            "title": other.entry.title,
            "weights_sha256": other.weights_sha256,
            "top": rows,
            "contains": class_ in [row["class"] for row in rows],
        }
    }
