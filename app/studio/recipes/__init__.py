"""Frozen requests: what somebody wants made, as a value whose hash is its address.

`.key` is the hash of all fields, `.title` says it in plain words. No torch in here.
"""

from dataclasses import fields
from typing import Any

from app.studio.recipes.answered import (
    ActivationGrid,
    ChannelMap,
    Covering,
    Fill,
    Filters,
    GradCam,
    LayerStatistics,
    LegendSheet,
    Look,
    Prediction,
    Scale,
    Smoothness,
    Sort,
    Thumbnails,
)
from app.studio.recipes.collected import (
    CollectionIndex,
    Neighbours,
    NeighbourShares,
    NeighboursOfPicture,
    OfCollection,
    OfIndex,
    PhotoMap,
    PhotoPlane,
    Sameness,
)
from app.studio.recipes.grown import (
    Atlas,
    ChannelImage,
    ClassImage,
    JobRecipe,
    Occlusion,
    Quality,
    Reconstruction,
    Strip,
    Unit,
    Visualization,
)
from app.studio.recipes.recipe import (
    CHANGED,
    EDITION,
    Description,
    Made,
    OfPicture,
    Recipe,
    require_definition,
)
from app.studio.recipes.sources import KeptVectors, Member, Sources

__all__ = [
    "CHANGED",
    "EDITION",
    "VISUALIZATIONS",
    "ActivationGrid",
    "Atlas",
    "ChannelImage",
    "ChannelMap",
    "ClassImage",
    "CollectionIndex",
    "Covering",
    "Description",
    "Fill",
    "Filters",
    "GradCam",
    "JobRecipe",
    "KeptVectors",
    "LayerStatistics",
    "LegendSheet",
    "Look",
    "Made",
    "Member",
    "NeighbourShares",
    "Neighbours",
    "NeighboursOfPicture",
    "Occlusion",
    "OfCollection",
    "OfIndex",
    "OfPicture",
    "PhotoMap",
    "PhotoPlane",
    "Prediction",
    "Quality",
    "Recipe",
    "Reconstruction",
    "Sameness",
    "Scale",
    "Smoothness",
    "Sort",
    "Sources",
    "Strip",
    "Thumbnails",
    "Unit",
    "Visualization",
    "require_definition",
    "visualization",
]

VISUALIZATIONS: dict[str, type[JobRecipe]] = {
    made.kind: made
    for made in (
        ClassImage,
        ChannelImage,
        Atlas,
        Reconstruction,
        Strip,
        Occlusion,
        CollectionIndex,
        PhotoMap,
    )
}


def visualization(facts: dict[str, Any]) -> JobRecipe:
    """A recipe from its `facts()`, as they come back from JSON.

    What it has no field for is left out; `source` (see OfPicture) may be among them.
    """
    made = VISUALIZATIONS[facts["kind"]]
    renamed = {name + "_" if name == "class" else name: value for name, value in facts.items()}
    known = {one.name for one in fields(made)}
    values = {name: value for name, value in renamed.items() if name in known}
    if issubclass(made, OfPicture):
        values["source"] = facts.get("source", "")
    if "layers" in values:
        values["layers"] = tuple(values["layers"])
    return made(**values)
