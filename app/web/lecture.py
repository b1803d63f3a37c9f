"""The lecture: its chapters, each with the places of this program where it can be seen."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.errors import LaternaError
from app.studio import networks
from app.studio.collections.folders import SAMPLES, Collection
from app.studio.studio import Studio
from app.web import pages, pickers, urls
from app.web.api.schemas import lecture as schemas
from app.web.dependencies import TheStudio, description, sample_images
from app.web.images import sides
from app.web.languages import gettext
from app.web.networks.layers import has_filters
from app.zoo.described import NetworkDescription

router = APIRouter()
#: The sample photo, the class and the channel that the chapters look at, where they are there.
PHOTO, CLASS, CHANNEL = "chelsea", "banana", 3
#: Seconds that the page waits for the description of a network that was never described.
PATIENCE = 10.0


@dataclass(frozen=True)
class Chapter:
    """One chapter: what the lecture says, and (what to look at, where).

    note: why something cannot be looked at here, "" where all can.
    """

    name: str
    title: str
    text: str
    places: tuple[tuple[str, str], ...]
    note: str = ""


@dataclass(frozen=True)
class Shown:
    """What the chapters look at: a network, some of its layers by depth, a class, a photo.

    first: the first layer with filters, "" for none; vector: what it knows of a photo at last, one
    number per channel; label: a class that the network knows, "" for none.
    """

    model: str
    title: str
    first: str
    early: str
    middle: str
    late: str
    vector: str
    channel: int
    label: str
    photo: str
    collection: str


def shown(described: NetworkDescription, photo: str = PHOTO, collection: str = SAMPLES) -> Shown:
    """What is worth looking at in a network: chosen from its description, whatever its names."""
    layers = described["layers"]
    maps = [layer for layer in layers if layer["shape"][1] * layer["shape"][2] > 1] or layers
    labels = [str(label) for label in described["labels"]]
    vectors = [layer for layer in layers if layer["shape"][1:] == [1, 1]]
    known = [layer for layer in vectors if layer["shape"][0] != len(labels)]
    middle = maps[len(maps) // 2]
    return Shown(
        model=described["name"],
        title=described["title"],
        first=next((layer["name"] for layer in layers if has_filters(layer)), ""),
        early=sides.worth_looking(described)["name"],
        middle=middle["name"],
        late=maps[-1]["name"],
        vector=(known or vectors or maps)[-1]["name"],
        channel=min(CHANNEL, middle["shape"][0] - 1),
        label=next((label for label in labels if label == CLASS), next(iter(labels), "")),
        photo=photo,
        collection=collection,
    )


def introduction() -> str:
    """What this is, in this request's language."""
    return gettext(
        "The architectures of convolutional networks and what they see, chapter by chapter, each "
        "with the places of this program where it can be looked at."
    )


def chapters(there: Iterable[str], look: Shown | None, why: str = "") -> tuple[Chapter, ...]:
    """All chapters in this request's language.

    there: names of the networks that can be described; look: what the chapters look at, None where
    no network can be shown; why: the reason, or why it is another network than the usual one.
    """
    shown_on = (*_looking(look), *_synthesis(look), *_judging(look)) if look else _unseen(why)
    noted = tuple(replace(chapter, note=chapter.note or why) for chapter in shown_on)
    return (*_architectures(frozenset(there)), *noted)


def _unseen(why: str) -> tuple[Chapter, ...]:
    """The chapters that need a network, without one: what they say, and why nothing can be seen."""
    nothing = Shown("-", "", "-", "-", "-", "-", "-", 0, "-", "-", "-")
    told = (*_looking(nothing), *_synthesis(nothing), *_judging(nothing))
    return tuple(replace(chapter, places=(), note=why) for chapter in told)


def _of(there: frozenset[str], *places: tuple[str, str, str]) -> tuple[tuple[str, str], ...]:
    """Of (network, what to look at, where) those whose network is there."""
    return tuple((title, url) for model, title, url in places if not model or model in there)


def _absent(there: frozenset[str], name: str, title: str) -> str:
    """A sentence where a network is not in this server's catalogue."""
    if name in there:
        return ""
    return gettext("{network} is not among the networks of this server.").format(network=title)


def _architectures(there: frozenset[str]) -> tuple[Chapter, ...]:
    return (
        Chapter(
            "alexnet",
            "AlexNet",
            gettext(
                "Five convolutions and three fully connected layers: in 2012 they brought the "
                "top-5 error on ImageNet from 26 to 15 per cent. The first filters are 11 × 11 "
                "with stride 4, so (227 - 11 + 2 · 0) / 4 + 1 = 55 positions a side. Nearly all of"
                " the 61 million weights are in the fully connected layers."
            ),
            _of(
                there,
                (
                    "alexnet-2012",
                    gettext("AlexNet as published: architecture diagram"),
                    urls.graph("alexnet-2012"),
                ),
                (
                    "alexnet-2012",
                    gettext("Its first layer, with the arithmetic"),
                    urls.layer("alexnet-2012", "conv1"),
                ),
            ),
            _absent(there, "alexnet-2012", "AlexNet"),
        ),
        Chapter(
            "vgg",
            "VGG",
            gettext(
                "Nothing but 3 × 3 convolutions, and many of them. Two see as far as one 5 × 5, "
                "for 18 weights in place of 25, with one ReLU more between them. The price: 138 "
                "million parameters, 103 million of them in the first fully connected layer."
            ),
            _of(
                there,
                ("vgg16", gettext("VGG-16: architecture diagram"), urls.graph("vgg16")),
                ("", gettext("One 5 × 5 against two 3 × 3"), urls.calculators(anchor="stacks")),
            ),
            _absent(there, "vgg16", "VGG-16"),
        ),
        Chapter(
            "googlenet",
            "GoogLeNet",
            gettext(
                "An inception module looks through 1 × 1, 3 × 3 and 5 × 5 filters and a pool at "
                "once and puts the answers side by side. A 1 × 1 convolution in front makes that "
                "affordable: 5.3 million multiplications in place of 112.9. Global average pooling"
                " takes the place of the fully connected layers, and two auxiliary classifiers "
                "(weight 0.3, in training only) bring the gradient to the early layers."
            ),
            _of(
                there,
                (
                    "googlenet-2014",
                    gettext("GoogLeNet as published: architecture diagram"),
                    urls.graph("googlenet-2014"),
                ),
                ("", gettext("The 1 × 1 bottleneck"), urls.calculators(anchor="bottleneck")),
                ("", gettext("AlexNet, VGG-16 and GoogLeNet compared"), urls.architectures()),
            ),
            _absent(there, "googlenet-2014", "GoogLeNet"),
        ),
    )


def _looking(look: Shown) -> tuple[Chapter, ...]:
    model, collection = look.model, look.collection
    return (
        Chapter(
            "activations",
            gettext("Activations"),
            gettext(
                "Feature maps: the activation of every channel of a layer for a photo. Early "
                "channels are activated by edges and colours, pixel by pixel; later ones at few "
                "places, by things. Black is zero, and every picture has its scale."
            ),
            (
                (gettext("An early layer"), urls.grid(look.photo, model, look.early)),
                (gettext("A late layer"), urls.grid(look.photo, model, look.late)),
                (gettext("The strongest map of every layer"), urls.graph(model, image=look.photo)),
            ),
        ),
        Chapter(
            "filters",
            gettext("Filters"),
            gettext(
                "The filters of the first layer can be seen as what they are: small colour "
                "pictures of edges and blobs. Trained ones are smooth; noise tells of too little "
                "training."
            ),
            (
                *(
                    (
                        (
                            gettext("The first layer's filters, beside untrained ones"),
                            urls.filters_page(model, look.first),
                        ),
                    )
                    if look.first
                    else ()
                ),
                (
                    gettext("Trained and untrained, side by side"),
                    urls.side_by_side(
                        left_image=look.photo,
                        left_model=model,
                        left_layer=look.early,
                        right_image=look.photo,
                        right_model=urls.counterpart(model),
                        right_layer=look.early,
                    ),
                ),
            ),
            ""
            if look.first
            else gettext("{network} has no convolutions, so it has no filters to look at.").format(
                network=look.title
            ),
        ),
        Chapter(
            "dead",
            gettext("Dead channels"),
            gettext(
                "A channel that no photo of a collection activates is dead: its weights cost "
                "memory and time for nothing. A channel that is all zero for one photo is only "
                "silent."
            ),
            (
                (
                    gettext("Dead channels by depth"),
                    urls.collection_model(collection, model),
                ),
            ),
        ),
        Chapter(
            "neighbours",
            gettext("Neighbours"),
            gettext(
                "k-NN in feature space: photos whose pixels are close have the same background; "
                "photos whose late feature vectors are close show the same thing. Transfer "
                "learning rests on this."
            ),
            (
                (
                    gettext("k-NN accuracy by layer (k = 5)"),
                    urls.neighbour_shares(collection, model),
                ),
                (gettext("Neighbours of a photo"), urls.neighbours(collection, model, look.vector)),
                (gettext("All photos on a map"), urls.photo_map(collection, model, look.vector)),
            ),
        ),
    )


def _synthesis(look: Shown) -> tuple[Chapter, ...]:
    model = look.model
    return (
        Chapter(
            "reconstruction",
            gettext("Reconstruction"),
            gettext(
                "What does a layer still know of a photo? From noise an image is optimised until "
                "its activation in this layer matches that of the photo. From early layers nearly "
                "all comes back; the deeper the layer, the more abstract the picture."
            ),
            (
                (
                    gettext("Depth strip: reconstructions from six depths"),
                    urls.visualization_new("strip", model, image=look.photo),
                ),
                (
                    gettext("From one layer"),
                    urls.visualization_new(
                        "reconstruction", model, image=look.photo, layer=look.middle
                    ),
                ),
            ),
        ),
        Chapter(
            "max-filter",
            gettext("Max-filter images"),
            gettext(
                "Feature visualization: which image activates a channel most? Made from noise by "
                "gradient ascent it shows what the channel responds to; the max-activating photos "
                "stand beside it, and people predict a channel better from those (Borowski et al. "
                "2021)."
            ),
            (
                (
                    gettext("One channel, photos and synthetic"),
                    urls.channel(model, look.middle, look.channel),
                ),
                (
                    gettext("A whole layer as an atlas"),
                    urls.visualization_new("atlas", model, layer=look.first),
                ),
            ),
        ),
        Chapter(
            "classes",
            gettext("Class images"),
            gettext(
                "Class visualization: the same gradient ascent, on the logit of a class. The "
                "network's own confidence proves nothing, for noise can have it too; so a second "
                "network is asked for its prediction."
            ),
            (
                (
                    gettext("A class image of “{label}”").format(label=look.label),
                    urls.visualization_new("class", model, q=look.label),
                ),
                (gettext("All classes"), urls.classes(model)),
            )
            if look.label
            else (),
            "" if look.label else _nameless(look),
        ),
    )


def _judging(look: Shown) -> tuple[Chapter, ...]:
    model = look.model
    return (
        Chapter(
            "where",
            gettext("Where did it look?"),
            gettext(
                "Which part of a photo speaks for a class, by its gradient and by covering piece "
                "after piece. Then cover something yourself, and watch the five likeliest classes:"
                " does the banana need the monkey's hand?"
            ),
            (
                (gettext("Where it looked in a photo"), urls.where(look.photo, model)),
                (gettext("Cover a part of it"), urls.covering(look.photo, model)),
            )
            if look.label
            else (),
            "" if look.label else _nameless(look),
        ),
    )


def _nameless(look: Shown) -> str:
    """Why there is nothing to see of the classes of a network that tells none."""
    return gettext("{network} names no classes, so none can be asked for.").format(
        network=look.title
    )


@router.get(urls.LECTURE + urls.JSON)
async def lecture_json(studio: TheStudio) -> schemas.Lecture:
    """The chapters of the lecture, and where each can be seen."""
    return schemas.Lecture(chapters=[_told(chapter) for chapter in await here(studio)])


async def here(studio: Studio) -> tuple[Chapter, ...]:
    """The chapters, on what is here."""
    entries = await asyncio.to_thread(studio.catalogue.entries)
    there = [entry.name for entry in entries if entry.problem is None]
    described, why = await _described(studio)
    if described is None:
        return chapters(there, None, why)
    collection = await asyncio.to_thread(lambda: telling(studio.collections.all(None)))
    samples = [image.id for image in await sample_images(studio)]
    photo = PHOTO if PHOTO in samples else next(iter(samples), PHOTO)
    return chapters(there, shown(described, photo, collection), why)


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


def telling(collections: list[Collection]) -> str:
    """The largest collection that is everybody's and says what its photos show; else the samples.

    Only there can neighbours be right or wrong.
    """
    told = [one for one in collections if one.has_labels and not one.whose]
    return max(told, key=lambda one: len(one.photos)).name if told else SAMPLES


def _told(chapter: Chapter) -> schemas.Chapter:
    return {
        "name": chapter.name,
        "title": chapter.title,
        "text": chapter.text,
        "places": [{"title": title, "url": url} for title, url in chapter.places],
        "note": chapter.note,
    }


@router.get(urls.LECTURE, include_in_schema=False)
async def lecture_page(request: Request, studio: TheStudio) -> Response:
    """The lecture, chapter by chapter."""
    told = await here(studio)
    return pages.respond(request, "lecture.html", introduction=introduction(), chapters=told)
