"""The chapters that need many photos: dead channels, KNN, transfer learning."""

from app.web import languages, urls
from app.web.languages import gettext
from app.web.lecture.chapters import Chapter, Place, Shown

#: Below so many photos a channel that none of them activates proves little.
ENOUGH = 100


def gathering(look: Shown) -> tuple[Chapter, ...]:
    """All of them, in their order."""
    return (_dead(look), _neighbours(look), _transfer(look))


def _dead(look: Shown) -> Chapter:
    few = gettext(
        "So few photos ({photos}) prove little: a channel that none activates may be activated by "
        "the next. A folder of {enough} or more (LATERNA_COLLECTIONS) proves more."
    ).format(photos=languages.whole(look.photos), enough=ENOUGH)
    return Chapter(
        "dead",
        gettext("Dead channels"),
        gettext(
            "A channel that no photo of a collection activates is dead: its weights cost "
            "memory and time for nothing. A channel that is all zero for one photo is only "
            "silent."
        ),
        (
            Place(
                gettext("Dead channels by depth"),
                urls.collection_model(look.collection, look.model),
                look.index,
            ),
        ),
        few if look.photos < ENOUGH else "",
    )


def _neighbours(look: Shown) -> Chapter:
    model, collection, vector = look.model, look.collection, look.vector
    shares = Place(
        gettext("k-NN accuracy by layer (k = 5)"),
        urls.neighbour_shares(collection, model),
        look.index,
    )
    unsure = gettext(
        "No two of these photos are known to show the same, so there is no accuracy to measure: "
        "photos in folders by class (LATERNA_COLLECTIONS) would tell."
    )
    return Chapter(
        "neighbours",
        gettext("KNN: nearest neighbours"),
        gettext(
            "KNN (k-nearest neighbours, k-NN) in feature space: photos whose pixels are close have "
            "the same background; photos whose late feature vectors are close show the same "
            "thing. Transfer learning rests on this."
        ),
        (
            *((shares,) if look.has_pairs else ()),
            Place(
                gettext("Neighbours of a photo"),
                urls.neighbours(collection, model, vector),
                look.index,
            ),
            Place(
                gettext("All photos on a map"),
                urls.photo_map(collection, model, vector),
                look.index,
            ),
        ),
        "" if look.has_pairs else unsure,
    )


def _transfer(look: Shown) -> Chapter:
    return Chapter(
        "transfer",
        gettext("Transfer learning"),
        gettext(
            "What was learnt for 1000 classes serves others too: the convolutional part is kept, "
            "the last layer is replaced and trained on some photos of one's own, with the rest "
            "frozen or at a low learning rate. Trained from scratch, the maps of a layer develop "
            "from noise to edges to things, epoch by epoch."
        ),
        (
            Place(
                gettext("Before and after: a layer trained and untrained"),
                urls.side_by_side(
                    left_image=look.photo,
                    left_model=urls.counterpart(look.model),
                    left_layer=look.middle,
                    right_image=look.photo,
                    right_model=look.model,
                    right_layer=look.middle,
                ),
            ),
        ),
        gettext(
            "To come: a lab, where a network learns from photos of your own and you watch its "
            "maps develop. Until then the beginning and the end of it stand side by side."
        ),
    )
