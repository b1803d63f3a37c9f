"""Maps: (the vectors of an index) -> photos in the plane, near those that are like them (t-SNE)."""

import time
from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from app.errors import EmptyCollection, NotFiniteStep
from app.studio.makers.device_cache import DeviceCache
from app.studio.makers.neighbours import placed, readable, vectors_of
from app.studio.makers.synthesis import facts
from app.studio.recipes import Made, Member, PhotoMap, Sources
from app.studio.recipes.progress import Making, Progress
from app.vision import embedding
from app.vision.drawing import dots
from app.vision.pixels import jpeg

#: Photos that are placed, evenly over the collection: the time grows with their square.
MOST = 2000
#: By the quality, unless a number is asked for.
STEPS = {"quick": 500, "fine": 1000}
SIDE = 448


def photo_map(cache: DeviceCache, recipe: PhotoMap, sources: Sources) -> Making:
    """Move photos until the plane is like the layer. Raises NotMade, NotFiniteStep."""
    began = time.perf_counter()
    network = cache.network_of(recipe)
    kept = vectors_of(sources)
    among = readable(kept)
    if not len(among):
        raise EmptyCollection(collection=recipe.collection)
    if len(among) > MOST:
        among = among[torch.arange(MOST) * len(among) // MOST]
    groups = torch.tensor(kept.groups or [-1] * kept.photos)[among]
    towards = cache.vectors.directions(kept, recipe.layer)[among]
    method = embedding.tsne_method(len(among), recipe.steps or STEPS[recipe.quality])
    scores: list[float] = []
    places = embedding.principal(towards).places
    for step in embedding.tsne(towards, method):
        places = step.places
        if step.divergence is not None:
            if not places.isfinite().all():
                raise NotFiniteStep(step=step.step)
            scores.append(step.divergence)
        told = scores[-1] if scores else None
        yield Progress(step.step, method.steps, told, partial(_seen, places, groups))
    seconds = time.perf_counter() - began
    result = facts.making_facts(recipe, network, method.facts(), scores, seconds)
    result |= {"steps": method.steps, "divergence": scores[-1] if scores else None, "parts": []}
    result |= {"placed": len(among), "places": placed(places, among, kept.photos)}
    result |= {"photos": images(sources.members), "width": SIDE, "height": SIDE}
    return Made(result, _seen(places, groups), "image/jpeg")


def images(members: Sequence[Member]) -> list[dict[str, str]]:
    """Those photos that are kept here: what was made from them goes with them."""
    return [{"image": member.image} for member in members if member.image]


def _seen(places: Tensor, groups: Tensor) -> bytes:
    return jpeg(dots.drawn(places, groups, SIDE))
