"""The chapters of architectures: AlexNet, VGG, GoogLeNet and its ideas; they need no weights."""

from app.web import urls
from app.web.languages import gettext
from app.web.lecture.chapters import Chapter, Place
from app.web.networks.comparison import PUBLISHED


def architectures(there: frozenset[str]) -> tuple[Chapter, ...]:
    """All of them; there: names of the networks that can be described."""
    return (
        _alexnet(there),
        _vgg(there),
        _googlenet(there),
        _average_pooling(there),
        _auxiliary(there),
    )


def _of(there: frozenset[str], *places: tuple[str, str, str]) -> tuple[Place, ...]:
    """Of (network, what to look at, where) those whose network is there."""
    return tuple(Place(title, url) for model, title, url in places if not model or model in there)


def _absent(there: frozenset[str], name: str, title: str) -> str:
    """A sentence where a network is not in this server's catalogue."""
    if name in there:
        return ""
    return gettext("{network} is not among the networks of this server.").format(network=title)


def _alexnet(there: frozenset[str]) -> Chapter:
    return Chapter(
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
        gettext(
            "The paper writes 224 × 224, which gives 54.25 positions; its 55 need 227 × 227 (some "
            "notes have 277). It normalises first and pools then, and tells 1000 classes apart, "
            "not 100."
        ),
    )


def _vgg(there: frozenset[str]) -> Chapter:
    return Chapter(
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
    )


def _googlenet(there: frozenset[str]) -> Chapter:
    published = [name for name in PUBLISHED if name in there]
    return Chapter(
        "googlenet",
        "GoogLeNet",
        gettext(
            "An inception module looks through 1 × 1, 3 × 3 and 5 × 5 filters and a pool at "
            "once and puts the answers side by side. A 1 × 1 convolution in front makes that "
            "affordable: 5.3 million multiplications in place of 112.9."
        ),
        _of(
            there,
            (
                "googlenet-2014",
                gettext("GoogLeNet as published: architecture diagram"),
                urls.graph("googlenet-2014"),
            ),
            ("", gettext("The 1 × 1 bottleneck"), urls.calculators(anchor="bottleneck")),
            (
                "",
                gettext("AlexNet, VGG-16 and GoogLeNet as published, compared"),
                urls.architectures(models=",".join(published)),
            ),
        ),
        _absent(there, "googlenet-2014", "GoogLeNet"),
        gettext(
            "In the paper the pool comes before the first normalisation and after the second. "
            "torchvision's GoogLeNet is another network: batch norm, and 3 × 3 where the paper has "
            "5 × 5."
        ),
    )


def _average_pooling(there: frozenset[str]) -> Chapter:
    return Chapter(
        "gap",
        gettext("Global average pooling"),
        gettext(
            "Global average pooling (GAP) takes the mean of each map: 7 × 7 × 1024 numbers become "
            "1024, without a single weight, and one fully connected layer is enough after it. "
            "Each number says how much of something is there, no longer where."
        ),
        _of(
            there,
            ("", gettext("Weights of the head, with and without"), urls.calculators(anchor="head")),
            (
                "googlenet-2014",
                gettext("The pool at the end of GoogLeNet"),
                urls.layer("googlenet-2014", "pool5"),
            ),
        ),
        _absent(there, "googlenet-2014", "GoogLeNet"),
        gettext(
            "The paper reports that it raised the top-1 accuracy by about 0.6 percentage points; "
            "dropout was needed all the same."
        ),
    )


def _auxiliary(there: frozenset[str]) -> Chapter:
    return Chapter(
        "auxiliary",
        gettext("Auxiliary classifiers"),
        gettext(
            "A gradient that comes through 22 layers may vanish on its way. So in training two "
            "more classifiers hang on 4a and 4d, and what they get wrong counts 0.3 times as "
            "much: the early layers have a short way to a loss. Afterwards they are taken off."
        ),
        _of(
            there,
            (
                "googlenet-2014",
                gettext("4a in the diagram, where the first one hangs"),
                urls.graph("googlenet-2014", layer="inception_4a"),
            ),
            ("", gettext("The loss, put together"), urls.calculators(anchor="auxiliary")),
        ),
        _absent(there, "googlenet-2014", "GoogLeNet"),
        gettext(
            "The paper says that later experiments found about 0.5 percentage points by them, and "
            "one of the two to be enough."
        ),
    )
