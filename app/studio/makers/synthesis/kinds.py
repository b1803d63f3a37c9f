"""Kinds: (visualization recipe) -> its making."""

from app.studio.makers.device_cache import DeviceCache
from app.studio.makers.synthesis.atlases import atlas
from app.studio.makers.synthesis.channels import channel_image
from app.studio.makers.synthesis.classes import class_image
from app.studio.makers.synthesis.indices import index
from app.studio.makers.synthesis.maps import photo_map
from app.studio.makers.synthesis.occlusions import occlusion_map
from app.studio.makers.synthesis.reconstructions import reconstruction
from app.studio.makers.synthesis.strips import strip
from app.studio.recipes import (
    Atlas,
    ChannelImage,
    ClassImage,
    CollectionIndex,
    JobRecipe,
    Occlusion,
    PhotoMap,
    Reconstruction,
    Sources,
    Strip,
)
from app.studio.recipes.progress import Making


def making(cache: DeviceCache, recipe: JobRecipe, sources: Sources) -> Making:
    """The steps of a visualization; in the end what came of it."""
    match recipe:
        case ClassImage():
            return class_image(cache, recipe)
        case ChannelImage():
            return channel_image(cache, recipe)
        case Atlas():
            return atlas(cache, recipe)
        case Reconstruction():
            return reconstruction(cache, recipe, sources.picture)
        case Strip():
            return strip(cache, recipe, sources.picture)
        case Occlusion():
            return occlusion_map(cache, recipe, sources.picture)
        case CollectionIndex():
            return index(cache, recipe, sources.members)
        case PhotoMap():
            return photo_map(cache, recipe, sources)
        case _:
            raise TypeError(f"no maker for a {type(recipe).__name__}")
