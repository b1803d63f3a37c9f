"""Sight: a visualization as people and programs see it, from its job, its snapshot, its result."""

import asyncio
import base64
from contextlib import suppress
from dataclasses import replace
from typing import Any

from app.archive import KeptImage, Result
from app.errors import LaternaError, UnknownVisualization
from app.studio.jobs.board import Snapshot
from app.studio.jobs.job import Job, State
from app.studio.recipes import (
    Atlas,
    ChannelImage,
    ClassImage,
    JobRecipe,
    Occlusion,
    OfCollection,
    OfPicture,
    Quality,
    Reconstruction,
    Visualization,
)
from app.studio.studio import Studio
from app.web import languages, urls, wording
from app.web.api.schemas import visualizations as schemas
from app.web.api.schemas.base import Problem
from app.web.visualizations import provenance
from app.zoo.described import NetworkNames
from app.zoo.pictures import crop_box
from app.zoo.preprocessing import preprocessing_from

#: States in which it still changes by itself.
GROWING = ("queued", "running")
QUALITIES: tuple[Quality, ...] = ("fine", "quick")


def moment(snapshot: Snapshot) -> dict[str, Any]:
    """What the live blocks of the page need of a snapshot."""
    return {
        "snapshot": snapshot,
        "scores": [float(f"{score:.4g}") for score in snapshot.scores],
        "preview": data_uri(snapshot.preview),
    }


def data_uri(jpeg: bytes | None) -> str | None:
    """A small picture as an address that holds it."""
    return None if jpeg is None else "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()


async def outcome(studio: Studio, job: Job) -> tuple[Result | None, Snapshot]:
    """(what came of it, how far it is), which agree. A large picture's hash takes its time."""
    for _ in range(2):  # it may be done, or found to be damaged, meanwhile
        result = await asyncio.to_thread(studio.outcome, job.id)
        snapshot = studio.snapshot(job.id)
        if (result is not None) == (snapshot.state is State.DONE):
            break
    return result, snapshot


async def facts(studio: Studio, job: Job) -> schemas.Visualization:
    """All that is known of a visualization, in JSON."""
    result, snapshot = await outcome(studio, job)
    made = dict(result.facts) if result else {}
    known = {"device": job.device, "versions": None, "weights_sha256": job.recipe.weights}
    told = {
        "id": job.id,
        "state": snapshot.state,
        "url": urls.visualization(job.id),
        "step": made.get("steps", snapshot.step),
        "steps": made.get("steps", snapshot.steps),
        "scores": made.get("scores") or list(snapshot.scores),
        "stage": snapshot.stage,
        "position": snapshot.position,
        "left": snapshot.left,
        "seconds": made.get("seconds", snapshot.seconds),
        "recipe": job.recipe.facts(),
        "picture": urls.visualization(job.id, urls.PNG) if result else None,
        "parts": {name: urls.visualization_part(job.id, name) for name in made.get("parts", ())},
        "error": error(snapshot.error or job.error),
    }
    return schemas.Visualization(**known | made | told)


def error(problem: LaternaError | None) -> Problem | None:
    """What went wrong, for programs and for people."""
    if problem is None:
        return None
    return Problem(code=problem.code, message=problem.message(languages.gettext))


async def made_already(studio: Studio, recipe: Visualization) -> str | None:
    """The id of a picture that is there, by this recipe in the better quality or the quick one."""
    return await asyncio.to_thread(_made_already, studio, recipe)


def _made_already(studio: Studio, recipe: Visualization) -> str | None:
    for quality in QUALITIES:
        complete = studio.complete(replace(recipe, quality=quality))
        with suppress(UnknownVisualization):
            if complete is not None and studio.outcome(complete.id) is not None:
                return complete.id
    return None


def network(studio: Studio, model: str) -> NetworkNames:
    """What is known of a network without asking the device: title, labels, layers, trained."""
    names: NetworkNames = {
        "name": model,
        "title": model,
        "labels": [],
        "layers": [],
        "trained": True,
        "definition": "unknown",
    }
    try:
        entry = studio.catalogue.entry(model)
    except LaternaError:  # it was taken out of the catalogue since
        return names
    names |= {"title": entry.title, "trained": entry.trained, "definition": entry.definition}
    names = studio.known_entry(entry) or names
    return names | {"title": wording.network(names["title"])}


def label(described: NetworkNames, number: int) -> str:
    """A class in words, as far as the network's labels are known."""
    labels = described["labels"]
    return labels[number] if number < len(labels) else str(number)


def class_label(studio: Studio, recipe: ClassImage | Occlusion) -> str:
    """What a recipe's class is called; where the network was defined anew since, as it was then."""
    described = network(studio, recipe.model)
    if recipe.definition != described["definition"]:
        result = studio.archive.result(recipe.key)
        return str(result.facts["label"] if result else recipe.class_)
    return label(described, recipe.class_)


def title(studio: Studio, recipe: JobRecipe, image: KeptImage | None = None) -> str:
    """What it shows, in a few words of this person's language; image: the one that was rebuilt."""
    name = wording.shown(image) if image else languages.gettext("A picture")
    match recipe:
        case OfCollection():
            return collection(recipe.collection)
        case ClassImage():
            return class_label(studio, recipe)
        case ChannelImage():
            sentence = languages.gettext("Channel {channel} of {layer}")
            return sentence.format(channel=recipe.channel, layer=recipe.layer)
        case Atlas():
            return languages.gettext("Atlas of {layer}").format(layer=recipe.layer)
        case Occlusion():
            sentence = languages.gettext("{label} in {picture}, covered bit by bit")
            return sentence.format(label=class_label(studio, recipe), picture=name)
        case Reconstruction():
            sentence = languages.gettext("{picture}, reconstructed from {layer}")
            return sentence.format(picture=name, layer=recipe.layer)
        case _:
            return languages.gettext("{picture}, layer by layer").format(picture=name)


def collection(name: str, folder: str = "") -> str:
    """A collection's name to show; folder: what its folder is called, if it has one."""
    match name:
        case "samples":
            return languages.gettext("Sample photos")
        case "uploads":
            return languages.gettext("Your pictures")
    return folder or name


async def page_facts(studio: Studio, owner: str | None, job: Job) -> dict[str, Any]:
    """What the page of a visualization shows."""
    result, snapshot = await outcome(studio, job)
    return await asyncio.to_thread(_page_facts, studio, owner, job, result, snapshot)


def _page_facts(
    studio: Studio, owner: str | None, job: Job, result: Result | None, snapshot: Snapshot
) -> dict[str, Any]:
    recipe, described = job.recipe, network(studio, job.recipe.model)
    image = studio.image(recipe.image, owner) if isinstance(recipe, OfPicture) else None
    return {
        "job": job,
        "recipe": recipe,
        "kind_of": recipe.kind,
        "title": title(studio, recipe, image),
        "model": described,
        "image": image,
        "crop": _crop(studio, image, recipe.model, result) if image else None,
        "growing": snapshot.state in GROWING,
        "made": result.facts if result else None,
        "mine": owner is not None and studio.wants(job.id, owner),
        "error": error(snapshot.error or job.error),
        "rows": provenance.rows(job, described, result.facts if result else None),
        "asked": fields(recipe),
        "again": _again(recipe) if isinstance(recipe, Visualization) else {},
        "finer": fields(recipe) | {"quality": "fine"},
        "change": _change(recipe),
        "layer_url": _layer_url(recipe),
        **moment(snapshot),
    }


def _crop(
    studio: Studio, image: KeptImage, model: str, result: Result | None
) -> tuple[float, ...] | None:
    """(left, top, right, bottom) of what the network sees; to the pixel once it has been made."""
    if result and "crop" in result.facts:
        return tuple(result.facts["crop"])
    known = None
    with suppress(LaternaError):
        known = studio.known(model)
    if known is None:
        return None
    return crop_box(image.width, image.height, preprocessing_from(known["preprocessing"]))


def fields(recipe: JobRecipe) -> dict[str, Any]:
    """A recipe as the fields of a form that asks for it."""
    known = ("weights", "definition")
    values = {name: value for name, value in recipe.facts().items() if name not in known}
    return {
        name: value
        for name, value in values.items()
        if value not in ("", (), 0) or name in ("class", "channel")
    }


def _again(recipe: Visualization) -> dict[str, Any]:
    """The same from other noise."""
    return fields(recipe) | {"seed": recipe.seed + 1}


def _change(recipe: JobRecipe) -> str:
    """The form with everything filled in; of an occlusion map, the page that asks for it."""
    if isinstance(recipe, Occlusion):
        chosen: dict[str, Any] = {"class": recipe.class_, "method": recipe.kind}
        return urls.where(recipe.image, recipe.model, **chosen)
    values = fields(recipe)
    return urls.visualization_new(values.pop("kind"), values.pop("model"), **values)


def _layer_url(recipe: JobRecipe) -> str | None:
    """The page of the channel or layer that it is of."""
    match recipe:
        case ChannelImage():
            return urls.channel(recipe.model, recipe.layer, recipe.channel)
        case Atlas():
            return urls.layer(recipe.model, recipe.layer)
        case Reconstruction():
            return urls.grid(recipe.image, recipe.model, recipe.layer)
        case _:
            return None
