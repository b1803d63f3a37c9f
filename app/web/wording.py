"""Wording: names that the program gives -> words that people read, in this request's language."""

from collections.abc import Mapping
from typing import Any

from app.archive import KeptImage
from app.studio import samples
from app.studio.recipes.facts import ScaleFacts
from app.web import languages
from app.web.languages import gettext, kind
from app.zoo.described import PreprocessingFacts
from app.zoo.preprocessing import preprocessing_from, sides

#: What ends the title of an untrained network.
COPY = " (untrained)"


def beyond(scale: ScaleFacts) -> str:
    """What exceeds the ends of a scale, in a sentence; empty where nothing does."""
    if not scale.get("beyond") or "peak" not in scale:
        return ""
    end = ("±" if scale["sided"] == "signed" else "") + languages.short(scale["high"])
    words = {"end": end, "peak": languages.short(scale["peak"])}
    if "clipped" in scale:
        words["share"] = languages.percent(scale["clipped"])
        return gettext("%(share)s of the values are beyond %(end)s, up to %(peak)s.") % words
    words["count"] = languages.whole(scale["beyond"])
    sentence = languages.ngettext(
        "%(count)s channel has values beyond %(end)s, up to %(peak)s.",
        "%(count)s channels have values beyond %(end)s, up to %(peak)s.",
        scale["beyond"],
    )
    return sentence % words


def shown(image: KeptImage) -> str:
    """What a picture is called: a sample by its title, an upload as it was named."""
    is_sample = image.owner == samples.OWNER and image.id in samples.all_samples()
    return gettext(samples.all_samples()[image.id].title) if is_sample else image.name


def titled(name: str) -> str:
    """A photo's name; that of a sample in this request's language."""
    for sample in samples.all_samples().values():
        # As the name of a class a title has lost the number at its end.
        if name in (sample.title, sample.title.rstrip(" 0123456789")):
            return gettext(sample.title)
    return name


def network(title: str) -> str:
    """A network's title."""
    if not title.endswith(COPY):
        return title
    return gettext("{network} (untrained)").format(network=title.removesuffix(COPY))


def layer_kind(layer: Mapping[str, Any]) -> str:
    """The kind of a described layer; a convolution with a filter per channel is depthwise."""
    kinds: str = layer["kind"]
    window, given = layer.get("window"), layer.get("given")
    is_depthwise = window and given and window["groups"] == given[0] > 1
    if not is_depthwise or not kinds.startswith("convolution"):
        return kind(kinds)
    rest = [kind(part) for part in kinds.split(" + ")[1:]]
    return " + ".join([gettext("depthwise convolution"), *rest])


def quality(name: str) -> str:
    """A quality of what is made by gradient ascent."""
    return {"quick": gettext("quick"), "fine": gettext("fine")}.get(name, name)


def unit(name: str) -> str:
    """What of a channel is maximised."""
    names = {"channel": gettext("the whole channel"), "neuron": gettext("one position (neuron)")}
    return names.get(name, name)


def task(title: str) -> str:
    """What a device is asked for, from a recipe's title: `class of resnet18 954`."""
    made, _, where = title.partition(" of ")
    kinds = {
        "activation grid": gettext("Activation grid"),
        "channel map": gettext("Feature map"),
        "covering": gettext("Occlusion by hand"),
        "description": gettext("Description of a network"),
        "filters": gettext("Filters"),
        "map": gettext("Map of a collection (t-SNE)"),
        "neighbour shares": gettext("k-NN accuracy by layer"),
        "neighbours": gettext("Nearest neighbours"),
        "neighbours of picture": gettext("Nearest neighbours"),
        "plane": gettext("Map of a collection (PCA)"),
        "sheet with legend": gettext("Activation grid with legend"),
        "smoothness": gettext("High-frequency energy of the filters"),
        "statistics": gettext("Statistics of all layers"),
        "thumbnails": gettext("Strongest feature map of every layer"),
        "where": gettext("Grad-CAM"),
        "class": gettext("Class visualization"),
        "channel": gettext("Feature visualization"),
        "atlas": gettext("Layer atlas"),
        "reconstruction": gettext("Reconstruction"),
        "strip": gettext("Depth strip"),
        "occlusion": gettext("Occlusion map"),
        "index": gettext("Index of a collection"),
        "prediction": gettext("Prediction"),
    }
    return f"{kinds.get(made, gettext('Picture'))} · {where}"


def preprocessing(facts: PreprocessingFacts) -> str:
    """How a picture becomes a network's input, in a sentence."""
    known = preprocessing_from(facts)
    mean, std = (" / ".join(f"{value:g}" for value in values) for values in (known.mean, known.std))
    if known.is_whole:
        sentence = gettext(
            "Squashed to {resize} pixels, whatever its proportions ({interpolation}), "
            "{channels} from 0 to {range}, minus {mean}, divided by {std}."
        )
    elif known.fit == "squash":
        sentence = gettext(
            "Squashed to {resize} pixels, whatever its proportions ({interpolation}), "
            "centre crop of {crop}, {channels} from 0 to {range}, minus {mean}, divided by {std}."
        )
    elif isinstance(known.resize, int):
        sentence = gettext(
            "Shorter side to {shorter} pixels ({interpolation}), centre crop of {crop}, "
            "{channels} from 0 to {range}, minus {mean}, divided by {std}."
        )
    else:
        sentence = gettext(
            "Scaled until it covers {resize} pixels ({interpolation}), centre crop of {crop}, "
            "{channels} from 0 to {range}, minus {mean}, divided by {std}."
        )
    return sentence.format(
        shorter=known.resize,
        resize=" × ".join(map(str, sides(known.resize))),
        crop=" × ".join(map(str, known.sides)),
        interpolation=known.interpolation,
        channels=gettext("grey") if known.channels == "L" else known.channels,
        range=f"{known.range:g}",
        mean=mean,
        std=std,
    )


def parameter(name: str) -> tuple[str, str]:
    """(the name of a parameter of a method, what it does); the name itself where none is known."""
    known = {
        "power": (
            gettext("Spectrum exponent"),
            gettext("How fast the Fourier coefficients' weights fall with frequency."),
        ),
        "gain": (gettext("Gain"), gettext("The factor on all Fourier coefficients.")),
        "deviation": (
            gettext("Noise at the start"),
            gettext("Standard deviation of the coefficients that the ascent starts from."),
        ),
        "smooth": (
            gettext("Total variation"),
            gettext("Weight of the penalty on differences between neighbouring pixels."),
        ),
        "rate": (gettext("Learning rate"), gettext("Step size of Adam at the start.")),
        "last_rate": (
            gettext("Last learning rate"),
            gettext("The share of the learning rate that is left at the end (cosine schedule)."),
        ),
        "scale": (
            gettext("Random scale"),
            gettext("Range of the factors by which the picture is scaled at each step."),
        ),
        "degrees": (
            gettext("Random rotation"),
            gettext("Largest angle in degrees by which the picture is rotated at each step."),
        ),
        "shift": (
            gettext("Random shift (jitter)"),
            gettext("Largest number of pixels by which the picture is shifted at each step."),
        ),
        "flips": (
            gettext("Random flips"),
            gettext("Whether the picture is flipped left to right at random."),
        ),
        "mirrors": (
            gettext("Mirrored edges"),
            gettext("Whether the picture is continued by its mirror image beyond its edges."),
        ),
        "noise": (
            gettext("Added noise"),
            gettext("Standard deviation of the noise that is added at each step."),
        ),
        "branches": (
            gettext("Gradient of branches"),
            gettext("Factor on the gradient that flows through residual branches."),
        ),
        "straight": (
            gettext("Gradient through ReLU"),
            gettext("Whether the gradient passes activation functions unchanged."),
        ),
        "coarse": (
            gettext("Coarse to fine"),
            gettext("Share of the steps in which the highest frequency grows to all of them."),
        ),
        "average": (
            gettext("Averaging"),
            gettext("Share of the mean of the last canvases that each step keeps."),
        ),
        "calm": (
            gettext("Steps without transforms"),
            gettext("Share of the steps, the last ones, that are made without random transforms."),
        ),
        "window": (
            gettext("Window"),
            gettext("Side of the square that covers the picture, in pixels."),
        ),
        "step": (gettext("Stride"), gettext("Pixels between two places of the square.")),
        "fill": (gettext("Fill"), gettext("What lies under the square.")),
        "passes": (gettext("Forward passes"), gettext("How many covered pictures were run.")),
        "perplexity": (
            gettext("Perplexity"),
            gettext("About how many neighbours each photo looks at."),
        ),
        "exaggeration": (
            gettext("Early exaggeration"),
            gettext("Factor on the attraction between neighbours in the first steps."),
        ),
        "exaggerated": (
            gettext("Steps with early exaggeration"),
            gettext("How many of the first steps have it."),
        ),
        "kept": (gettext("Kept photos"), gettext("Photos kept at each end of a channel.")),
        "bars": (gettext("Bars"), gettext("Bars of the histogram of each channel.")),
        "sampled_photos": (
            gettext("Sampled photos"),
            gettext("Photos of which single values are kept for the histograms."),
        ),
        "pixels": (
            gettext("Pixels"),
            gettext("Side of the photos whose plain pixels are compared, for the neighbours."),
        ),
        "begin": (gettext("Starting layout"), gettext("Where the points are before step 1.")),
    }
    return known.get(name, (name, ""))


def asked(name: str) -> tuple[str, str]:
    """(the name of a field of a recipe, what it decides)."""
    known = {
        "model": (gettext("Network"), gettext("The network that it is made with.")),
        "layer": (gettext("Layer"), gettext("The layer whose activation counts.")),
        "layers": (gettext("Layers"), gettext("The layers whose activations count.")),
        "channel": (gettext("Channel"), gettext("The number of the channel, from 0.")),
        "unit": (
            gettext("Unit"),
            gettext("Whether the mean over the map or one position of it is maximised."),
        ),
        "pictures": (gettext("Pictures"), gettext("How many, made to differ from each other.")),
        "class": (gettext("Class"), gettext("The number of the class whose logit is maximised.")),
        "image": (gettext("Picture"), gettext("The picture that it is made from.")),
        "collection": (gettext("Collection"), gettext("The photos that it is made from.")),
        "quality": (gettext("Quality"), gettext("Decides size and steps where they are not set.")),
        "seed": (gettext("Seed"), gettext("Decides the random noise; the same gives the same.")),
        "size": (gettext("Size"), gettext("Pixels a side.")),
        "steps": (gettext("Steps"), gettext("Steps of gradient ascent; more are finer.")),
    }
    return known.get(name, (name, ""))


def tip(name: str) -> str:
    """What a field of a recipe decides."""
    return asked(name)[1]


def value(name: str, text: str) -> str:
    """The value of a field or parameter, where it is a word of the program."""
    match name:
        case "quality":
            return quality(text)
        case "unit":
            return unit(text)
        case "fill":
            fills = {
                "mean": gettext("mean colour"),
                "blur": gettext("blur"),
                "noise": gettext("noise"),
                "black": gettext("black"),
            }
            return fills.get(text, text)
        case _:
            return text
