"""Kinds: (visualization recipe) -> its making."""

from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from app.studio.makers import Workshop


def making(workshop: "Workshop", recipe: JobRecipe, sources: Sources) -> Making:
    """The steps of a visualization; in the end what came of it."""
    match recipe:
        case ClassImage():
            return class_image(workshop, recipe)
        case ChannelImage():
            return channel_image(workshop, recipe)
        case Atlas():
            return atlas(workshop, recipe)
        case Reconstruction():
            return reconstruction(workshop, recipe, sources.picture)
        case Strip():
            return strip(workshop, recipe, sources.picture)
        case Occlusion():
            return occlusion_map(workshop, recipe, sources.picture)
        case CollectionIndex():
            return index(workshop, recipe, sources.members)
        case PhotoMap():
            return photo_map(workshop, recipe, sources)
        case _:
            raise TypeError(f"no maker for a {type(recipe).__name__}")
