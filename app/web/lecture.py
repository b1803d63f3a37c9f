"""The lecture: its chapters, each with the places of this program where it can be seen."""

import asyncio
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.studio.collections.folders import SAMPLES, Collection
from app.studio.studio import Studio
from app.web import pages, urls
from app.web.api import schemas
from app.web.dependencies import TheStudio
from app.web.languages import gettext

router = APIRouter()
#: The sample photo and the class that the chapters look at.
PHOTO, CLASS = "chelsea", "banana"
#: Layers of the default network that the chapters look at: by depth.
FIRST, EARLY, MIDDLE, LATE = "conv_stem", "blocks.1.0", "blocks.3.1", "bn2"
#: What it knows of a photo at last: one number per channel.
VECTOR = "global_pool.pool"


@dataclass(frozen=True)
class Chapter:
    """One chapter: what the lecture says, and (what to look at, where)."""

    name: str
    title: str
    text: str
    places: tuple[tuple[str, str], ...]


def introduction() -> str:
    """What this is, in this request's language."""
    return gettext(
        "The architectures of convolutional networks and what they see, chapter by chapter, each "
        "with the places of this program where it can be looked at."
    )


def chapters(model: str, collection: str = SAMPLES) -> tuple[Chapter, ...]:
    """All chapters in this request's language, shown on a network and a collection of photos."""
    return (*_architectures(), *_looking(model, collection), *_synthesis(model), *_judging(model))


def _architectures() -> tuple[Chapter, ...]:
    return (
        Chapter(
            "alexnet",
            "AlexNet",
            gettext(
                "Five convolutions and three fully connected layers: in 2012 they brought the "
                "top-5 error on ImageNet from 26 to 15 per cent. The first filters are 11 × 11 "
                "with stride 4, so (227 - 11 + 2 · 0) / 4 + 1 = 55 positions a side. Nearly all "
                "of the 61 million weights are in the fully connected layers."
            ),
            (
                (gettext("AlexNet as published, drawn"), urls.graph("alexnet-2012")),
                (
                    gettext("Its first layer, with the arithmetic"),
                    urls.layer("alexnet-2012", "conv1"),
                ),
            ),
        ),
        Chapter(
            "vgg",
            "VGG",
            gettext(
                "Nothing but 3 × 3 convolutions, and many of them. Two see as far as one 5 × 5, "
                "for 18 weights in place of 25, with one ReLU more between them. The price: 138 "
                "million parameters, 103 million of them in the first fully connected layer."
            ),
            (
                (gettext("VGG-16, drawn"), urls.graph("vgg16")),
                (gettext("One 5 × 5 against two 3 × 3"), urls.calculators(anchor="stacks")),
            ),
        ),
        Chapter(
            "googlenet",
            "GoogLeNet",
            gettext(
                "An inception module looks through 1 × 1, 3 × 3 and 5 × 5 filters and a pool at "
                "once and puts the answers side by side. A 1 × 1 convolution in front makes that "
                "affordable: 5.3 million multiplications in place of 112.9. Global average pooling "
                "takes the place of the fully connected layers, and two auxiliary classifiers "
                "(weight 0.3, in training only) bring the gradient to the early layers."
            ),
            (
                (gettext("GoogLeNet as published, drawn"), urls.graph("googlenet-2014")),
                (gettext("The 1 × 1 bottleneck"), urls.calculators(anchor="bottleneck")),
                (gettext("AlexNet, VGG-16 and GoogLeNet compared"), urls.architectures()),
            ),
        ),
    )


def _looking(model: str, collection: str) -> tuple[Chapter, ...]:
    return (
        Chapter(
            "activations",
            gettext("Activations"),
            gettext(
                "What every channel of a layer answers to a photo. Early ones answer to edges and "
                "colours, pixel by pixel; later ones at few places, to things. Black is zero, and "
                "every picture has its scale."
            ),
            (
                (gettext("An early layer"), urls.grid(PHOTO, model, EARLY)),
                (gettext("A late layer"), urls.grid(PHOTO, model, LATE)),
                (gettext("The strongest map of every layer"), urls.graph(model, image=PHOTO)),
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
                (
                    gettext("The first layer's filters, beside untrained ones"),
                    urls.filters_page(model, FIRST),
                ),
                (
                    gettext("Trained and untrained, side by side"),
                    urls.side_by_side(
                        left_image=PHOTO,
                        left_model=model,
                        left_layer=EARLY,
                        right_image=PHOTO,
                        right_model=model + urls.UNTRAINED,
                        right_layer=EARLY,
                    ),
                ),
            ),
        ),
        Chapter(
            "dead",
            gettext("Dead channels"),
            gettext(
                "A channel that no photo moves is dead: its weights cost memory and time for "
                "nothing. One photo that leaves it at zero proves little; a collection proves more."
            ),
            (
                (
                    gettext("Channels that never fire, by depth"),
                    urls.collection_model(collection, model),
                ),
            ),
        ),
        Chapter(
            "neighbours",
            gettext("Neighbours"),
            gettext(
                "Photos whose pixels are close have the same background; photos whose late "
                "feature vectors are close show the same thing."
            ),
            (
                (
                    gettext("Share of right neighbours, by depth"),
                    urls.neighbour_shares(collection, model),
                ),
                (gettext("Neighbours of a photo"), urls.neighbours(collection, model, VECTOR)),
                (gettext("All photos on a map"), urls.photo_map(collection, model, VECTOR)),
            ),
        ),
    )


def _synthesis(model: str) -> tuple[Chapter, ...]:
    return (
        Chapter(
            "reconstruction",
            gettext("Reconstruction"),
            gettext(
                "What does a layer still know of a photo? From noise a picture is grown that this "
                "layer takes for the photo. From early layers nearly all comes back; the deeper "
                "the layer, the more abstract the picture."
            ),
            (
                (
                    gettext("A photo rebuilt from six depths"),
                    urls.visualization_new("strip", model, image=PHOTO),
                ),
                (
                    gettext("From one layer"),
                    urls.visualization_new("reconstruction", model, image=PHOTO, layer=MIDDLE),
                ),
            ),
        ),
        Chapter(
            "max-filter",
            gettext("Max-filter images"),
            gettext(
                "Which picture excites a channel most? Grown out of noise by gradient ascent it "
                "shows everything that the channel answers to; photos that excite it most stand "
                "beside it, and people predict a channel better from those (Borowski et al. 2021)."
            ),
            (
                (gettext("One channel, photos and synthetic"), urls.channel(model, MIDDLE, 3)),
                (
                    gettext("A whole layer as an atlas"),
                    urls.visualization_new("atlas", model, layer=FIRST),
                ),
            ),
        ),
        Chapter(
            "classes",
            gettext("Class images"),
            gettext(
                "What does the network take for a banana? The same ascent, towards a class. Its "
                "own confidence proves nothing, for noise can have it too; so a second network is "
                "asked what it sees."
            ),
            (
                (gettext("A banana out of noise"), urls.visualization_new("class", model, q=CLASS)),
                (gettext("All classes"), urls.classes(model)),
            ),
        ),
    )


def _judging(model: str) -> tuple[Chapter, ...]:
    return (
        Chapter(
            "where",
            gettext("Where did it look?"),
            gettext(
                "Which part of a photo speaks for a class, by its gradient and by covering piece "
                "after piece. Then cover something yourself, and watch the five likeliest classes: "
                "does the banana need the monkey's hand?"
            ),
            (
                (gettext("Where it looked in a photo"), urls.where(PHOTO, model)),
                (gettext("Cover a part of it"), urls.covering(PHOTO, model)),
            ),
        ),
    )


@router.get(urls.LECTURE + urls.JSON, response_model=schemas.Lecture)
async def lecture_json(studio: TheStudio) -> dict[str, object]:
    """The chapters of the lecture, and where each can be seen."""
    return {"chapters": [_said(chapter) for chapter in await _here(studio)]}


async def _here(studio: Studio) -> tuple[Chapter, ...]:
    """The chapters, on what is here."""
    shown = await asyncio.to_thread(lambda: telling(studio.collections.all(None)))
    return chapters(studio.settings.default_model, shown)


def telling(collections: list[Collection]) -> str:
    """The largest collection that is everybody's and says what its photos show; else the samples.

    Only there can neighbours be right or wrong.
    """
    told = [one for one in collections if one.has_labels and not one.whose]
    return max(told, key=lambda one: len(one.photos)).name if told else SAMPLES


def _said(chapter: Chapter) -> dict[str, object]:
    places = [{"title": title, "url": url} for title, url in chapter.places]
    return {"name": chapter.name, "title": chapter.title, "text": chapter.text, "places": places}


@router.get(urls.LECTURE, include_in_schema=False)
async def lecture_page(request: Request, studio: TheStudio) -> Response:
    """The lecture, chapter by chapter."""
    shown = await _here(studio)
    return pages.respond(request, "lecture.html", introduction=introduction(), chapters=shown)
