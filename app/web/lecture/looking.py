"""The chapters that look into a network: its maps, filters, channels, classes, reconstructions."""

from app.studio.recipes import JobRecipe
from app.web import languages, urls
from app.web.languages import gettext
from app.web.lecture.chapters import Chapter, Place, Shown
from app.web.visualizations import view


def own(title: str, recipe: JobRecipe, **more: str) -> Place:
    """A visualization: its own page, once it has been asked for; until then its form."""
    fields = view.fields(recipe)
    url = urls.visualization_new(fields.pop("kind"), fields.pop("model"), **fields, **more)
    return Place(title, url, recipe, own=True)


def looking(look: Shown) -> tuple[Chapter, ...]:
    """All of them, in their order."""
    return (
        _encoder(look),
        _activations(look),
        _filters(look),
        _learnt(look),
        _channels(look),
        _classes(look),
        _reconstruction(look),
        _where(look),
    )


def _encoder(look: Shown) -> Chapter:
    return Chapter(
        "encoder",
        gettext("Encoder and decoder"),
        gettext(
            "The convolutional part is an encoder: {inputs} numbers of a picture become {features} "
            "features. What comes after it decodes them: the classifier into classes, and a "
            "decoder proper into a picture again. None is trained here; gradient ascent does a "
            "decoder's work, and shows what the code still holds."
        ).format(inputs=languages.whole(look.inputs), features=languages.whole(look.features)),
        (
            Place(
                gettext("Encoded: the features of a photo"),
                urls.grid(look.photo, look.model, look.vector),
            ),
            own(gettext("Decoded: reconstructions from six depths"), look.pictures["strip"]),
        ),
    )


def _activations(look: Shown) -> Chapter:
    model = look.model
    return Chapter(
        "activations",
        gettext("Activations"),
        gettext(
            "Feature maps: the activation of every channel of a layer for a photo. Early "
            "channels are activated by edges and colours, pixel by pixel; later ones at few "
            "places, by things. Black is zero, and every picture has its scale."
        ),
        (
            Place(gettext("An early layer"), urls.grid(look.photo, model, look.early)),
            Place(gettext("A late layer"), urls.grid(look.photo, model, look.late)),
            Place(gettext("The strongest map of every layer"), urls.graph(model, image=look.photo)),
        ),
    )


#: The side from which on a pattern can be seen in a filter.
WIDE = 7


def _filters(look: Shown) -> Chapter:
    found = look.filters
    beside = Place(
        gettext("Trained and untrained, side by side"),
        urls.side_by_side(
            left_image=look.photo,
            left_model=look.model,
            left_layer=look.early,
            right_image=look.photo,
            right_model=urls.counterpart(look.model),
            right_layer=look.early,
        ),
    )
    if found is None:
        note = gettext("{network} has no convolutions, so it has no filters to look at.").format(
            network=look.title
        )
        places: tuple[Place, ...] = (beside,)
    else:
        address = urls.filters_page(found.model, found.layer)
        places = (
            Place(
                gettext("The first layer's filters, beside untrained ones ({network})").format(
                    network=found.title
                ),
                address,
            ),
            beside,
        )
        note = "" if found.kernel >= WIDE else _too_small(found.kernel)
    return Chapter(
        "filters",
        gettext("Filters"),
        gettext(
            "The filters of the first layer can be seen as what they are: small colour "
            "pictures of edges and blobs. Trained ones are smooth; noise tells of too little "
            "training."
        ),
        places,
        note,
    )


def _too_small(kernel: int) -> str:
    return gettext(
        "{side} × {side} filters look like nothing: so few pixels hold no edge that the eye knows. "
        "AlexNet's are 11 × 11, GoogLeNet's and ResNet's 7 × 7; as soon as the weights of one are "
        "here, this chapter shows it."
    ).format(side=kernel)


def _learnt(look: Shown) -> Chapter:
    names = (
        gettext("Edges"),
        gettext("Textures"),
        gettext("Patterns"),
        gettext("Parts"),
        gettext("Templates"),
    )
    pictures = zip(names, look.depths, strict=False)
    return Chapter(
        "learnt",
        gettext("What layers learn"),
        gettext(
            "From the picture to the class: edges and colours first, then textures and patterns, "
            "then parts of things, and last templates of whole ones. Five depths of {network}, a "
            "max-filter image for each channel."
        ).format(network=look.title),
        tuple(own(f"{name}: {recipe.facts()['layer']}", recipe) for name, recipe in pictures),
    )


def _channels(look: Shown) -> Chapter:
    return Chapter(
        "max-filter",
        gettext("Max-filter images"),
        gettext(
            "Feature visualization: which image activates a channel most? Made from noise by "
            "gradient ascent it shows what the channel responds to; the max-activating photos "
            "stand beside it, and people predict a channel better from those (Borowski et al. "
            "2021)."
        ),
        (
            Place(
                gettext("One channel, photos and synthetic"),
                urls.channel(look.model, look.middle, look.channel),
                look.pictures["channel"],
            ),
        ),
    )


def _classes(look: Shown) -> Chapter:
    places: tuple[Place, ...] = ()
    if look.label:
        title = gettext("A class image of “{label}”").format(label=look.label)
        places = (
            own(title, look.pictures["class"], q=look.label),
            Place(gettext("All classes"), urls.classes(look.model)),
        )
    return Chapter(
        "classes",
        gettext("Class images"),
        gettext(
            "Class visualization: the same gradient ascent, on the logit of a class. The "
            "network's own confidence proves nothing, for noise can have it too; so a second "
            "network is asked for its prediction."
        ),
        places,
        "" if look.label else _nameless(look),
    )


def _reconstruction(look: Shown) -> Chapter:
    return Chapter(
        "reconstruction",
        gettext("Reconstruction"),
        gettext(
            "What does a layer still know of a photo? From noise an image is optimised until "
            "its activation in this layer matches that of the photo. From early layers nearly "
            "all comes back; the deeper the layer, the more abstract the picture."
        ),
        (
            own(gettext("Depth strip: reconstructions from six depths"), look.pictures["strip"]),
            own(gettext("From one layer"), look.pictures["reconstruction"]),
        ),
    )


def _where(look: Shown) -> Chapter:
    places = (
        Place(gettext("Where it looked in a photo"), urls.where(look.photo, look.model)),
        Place(gettext("Cover a part of it"), urls.covering(look.photo, look.model)),
    )
    return Chapter(
        "where",
        gettext("Where did it look?"),
        gettext(
            "Which part of a photo speaks for a class, by its gradient and by covering piece "
            "after piece. Then cover something yourself, and watch the five likeliest classes:"
            " does the banana need the monkey's hand?"
        ),
        places if look.label else (),
        "" if look.label else _nameless(look),
    )


def _nameless(look: Shown) -> str:
    """Why there is nothing to see of the classes of a network that tells none."""
    return gettext("{network} names no classes, so none can be asked for.").format(
        network=look.title
    )
