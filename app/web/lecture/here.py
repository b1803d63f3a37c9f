"""Here: what of the lecture can be looked at on this server, and what is made of it already."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from math import prod

from app.errors import LaternaError
from app.studio import lecture, networks
from app.studio.collections.folders import SAMPLES, Collection
from app.studio.jobs.job import State
from app.studio.recipes import CollectionIndex
from app.studio.studio import Studio
from app.web import pickers, urls
from app.web.dependencies import description, sample_images
from app.web.images import sides
from app.web.languages import gettext
from app.web.lecture.architectures import architectures
from app.web.lecture.chapters import Chapter, Filtered, Place, Shown, noted
from app.web.lecture.gathering import gathering
from app.web.lecture.looking import WIDE, looking
from app.web.networks.layers import has_filters
from app.web.visualizations import view
from app.zoo.described import NetworkDescription

#: Seconds that the page waits for the description of a network that was never described.
PATIENCE = 10.0


async def chapters(studio: Studio) -> tuple[Chapter, ...]:
    """The chapters, on what is here; what was made already is not looked up."""
    entries = await asyncio.to_thread(studio.catalogue.entries)
    there = frozenset(entry.name for entry in entries if entry.problem is None)
    described, why = await _described(studio)
    if described is None:
        return (*architectures(there), *_unseen(why))
    samples = [image.id for image in await sample_images(studio)]
    photo = lecture.PHOTO if lecture.PHOTO in samples else next(iter(samples), lecture.PHOTO)
    look = await asyncio.to_thread(_shown, studio, described, photo)
    return (*architectures(there), *noted((*looking(look), *gathering(look)), why))


async def looked_up(studio: Studio, told: Iterable[Chapter]) -> tuple[Chapter, ...]:
    """The same with what was made, or is being made, of what their places want."""
    return await asyncio.to_thread(lambda: tuple(_looked_up(studio, one) for one in told))


def _looked_up(studio: Studio, chapter: Chapter) -> Chapter:
    return replace(chapter, places=tuple(_with_state(studio, place) for place in chapter.places))


def _with_state(studio: Studio, place: Place) -> Place:
    """A place and how it is with what it wants; one that is failed or stopped may be asked anew."""
    recipe = place.wants
    if recipe is None:
        return place
    asks = replace(place, state=State.UNMADE, ask=view.fields(recipe))
    if isinstance(recipe, CollectionIndex):
        asks = replace(asks, ask={name: asks.ask[name] for name in ("kind", "model", "collection")})
    with suppress(LaternaError):
        complete = studio.complete(recipe)
        if complete is None:
            return asks
        job = studio.job(complete.id)
        made = urls.visualization(job.id)
        if job.is_active:
            return replace(place, state=job.state, made=made)
        if studio.outcome(job.id) is not None:
            return replace(place, made=made if place.own else None)
    return asks


def _unseen(why: str) -> tuple[Chapter, ...]:
    """The chapters that need a network, without one: what they say, and why nothing can be seen."""
    recipe = CollectionIndex(model="-", collection="-", photos="-")
    pictures = dict.fromkeys(("class", "channel", "reconstruction", "strip"), recipe)
    nothing = Shown(
        model="-",
        title="-",
        early="-",
        middle="-",
        late="-",
        vector="-",
        inputs=3 * 224 * 224,
        features=1024,
        channel=0,
        label="-",
        photo="-",
        filters=None,
        pictures=dict(pictures),
        depths=(),
        collection="-",
        photos=0,
        has_pairs=False,
        index=recipe,
    )
    told = (*looking(nothing), *gathering(nothing))
    return tuple(replace(chapter, places=(), note=why) for chapter in told)


def _shown(studio: Studio, described: NetworkDescription, photo: str) -> Shown:
    """What is worth looking at in a network: chosen from its description, whatever its names."""
    layers, labels = described["layers"], described["labels"]
    vectors = [layer for layer in layers if layer["shape"][1:] == [1, 1]]
    known = [layer for layer in vectors if layer["shape"][0] != len(labels)]
    maps = lecture.maps(described)
    vector, middle = (known or vectors or maps)[-1], lecture.middle(described)
    collection = telling(studio.collections.all(None))
    return Shown(
        model=described["name"],
        title=described["title"],
        early=sides.worth_looking(described)["name"],
        middle=middle["name"],
        late=maps[-1]["name"],
        vector=vector["name"],
        inputs=prod(described["input_size"]),
        features=prod(vector["shape"]),
        channel=lecture.channel(middle),
        label=lecture.label(described),
        photo=photo,
        filters=_filtered(studio, described),
        pictures={
            "class": lecture.class_image(described),
            "channel": lecture.channel_image(described),
            "strip": lecture.strip(described, photo),
            "reconstruction": lecture.reconstruction(described, photo),
        },
        depths=tuple(lecture.atlases(described)),
        collection=collection.name,
        photos=len(collection.photos),
        has_pairs=has_pairs(collection),
        index=collection.index(described["name"]),
    )


def _filtered(studio: Studio, shown: NetworkDescription) -> Filtered | None:
    """The network whose first filters are the widest of all that are here, if a pattern can be seen
    in them; else the one that is shown.
    """
    own = _first_filters(shown)
    if own and own.kernel >= WIDE:
        return own
    known = (studio.known_entry(entry) for entry in pickers.ready_now(studio))
    found = [one for described in known if described and (one := _first_filters(described))]
    best = max(found, key=lambda one: one.kernel, default=None)
    return best if best and best.kernel >= WIDE else own


def _first_filters(described: NetworkDescription) -> Filtered | None:
    """The first layer of a network whose filters can be drawn."""
    for layer in described["layers"]:
        if has_filters(layer) and layer["window"]:
            kernel = min(layer["window"]["kernel"])
            return Filtered(described["name"], described["title"], layer["name"], kernel)
    return None


async def _described(studio: Studio) -> tuple[NetworkDescription | None, str]:
    """(the description of the network to look at, why it is not the usual one).

    The usual one, if it can be run; else the first that can; else an untrained copy.
    """
    usual = studio.settings.default_model
    why = ""
    try:
        await asyncio.to_thread(_require_weights, studio, usual)
    except LaternaError as error:
        why = error.message(gettext)
    else:
        found = await _tried(studio, usual)
        if isinstance(found, dict):
            return found, ""
        why = found
    others = [entry.name for entry in await pickers.ready(studio) if entry.name != usual]
    for name in [*others, urls.counterpart(usual)]:
        found = await _tried(studio, name)
        if isinstance(found, dict):
            instead = gettext("{network} is shown instead.").format(network=found["title"])
            return found, f"{why} {instead}"
    return None, why


def _require_weights(studio: Studio, model: str) -> None:
    networks.require_weights(studio.catalogue.entry(model))


async def _tried(studio: Studio, name: str) -> NetworkDescription | str:
    """A network's description, or why there is none."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await description(studio, name)
    except LaternaError as error:
        return error.message(gettext)
    except TimeoutError:
        return gettext("The network is still being loaded; come back in a moment.")


def telling(collections: list[Collection]) -> Collection:
    """The largest collection that is everybody's and has photos of the same; else the samples.

    Only there can neighbours be right or wrong.
    """
    everybodys = [one for one in collections if not one.whose]
    told = [one for one in everybodys if has_pairs(one)]
    samples = next(one for one in everybodys if one.name == SAMPLES)
    return max(told, key=lambda one: len(one.photos), default=samples)


def has_pairs(collection: Collection) -> bool:
    """Whether it is known of some photos that they show the same."""
    labels = Counter(photo.member.label for photo in collection.photos if photo.member.label)
    return collection.has_labels and any(count > 1 for count in labels.values())
