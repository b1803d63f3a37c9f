"""Addresses: the only place that writes a path. A template for the routes, a call for links.

Names with a dot in front (`.json`) are twins of the page; routes declare them before the bare one.

Behind a proxy all of it may lie under a path (LATERNA_ROOT_PATH): templates for the routes and the
constants never have it in front, links always have; `at` makes a link of a constant.
"""

import re
from contextvars import ContextVar
from typing import Protocol
from urllib.parse import quote, urlencode

from app.zoo.entries import UNTRAINED

HOME = "/"
MODELS = "/models"
MODEL = "/models/{model}"
CLASSES = "/models/{model}/classes"
FETCH = "/models/{model}/fetch"
FETCH_CANCEL = "/models/{model}/fetch/cancel"
FETCH_EVENTS = "/models/{model}/events"
FETCHES_EVENTS = "/models/events"
LAYER = "/models/{model}/layers/{layer}"
GRAPH = "/models/{model}/graph"
FILTERS = "/models/{model}/layers/{layer}/filters.png"
FILTERS_PAGE = "/models/{model}/layers/{layer}/filters"
CHANNEL = "/models/{model}/layers/{layer}/channels/{channel}"
CHANNEL_FILTERS = "/models/{model}/layers/{layer}/channels/{channel}/filters.png"
IMAGES = "/images"
IMAGE = "/images/{image}"
IMAGE_PREVIEW = "/images/{image}/preview.jpg"
IMAGE_DELETE = "/images/{image}/delete"
IMAGE_SHARE = "/images/{image}/share"
PREDICTION = "/images/{image}/models/{model}"
THUMBNAILS = "/images/{image}/models/{model}/thumbnails"
WHERE = "/images/{image}/models/{model}/where"
COVERING = "/images/{image}/models/{model}/covering"
GRID = "/images/{image}/models/{model}/layers/{layer}"
MAP = "/images/{image}/models/{model}/layers/{layer}/channels/{channel}"
LEGEND_SHEET = "/images/{image}/models/{model}/layers/{layer}/sheet.png"
STATISTICS = "/images/{image}/models/{model}/layers/{layer}/statistics.csv"
ALL_STATISTICS = "/images/{image}/models/{model}/statistics.csv"
GRID_NOTEBOOK = "/images/{image}/models/{model}/layers/{layer}/notebook.ipynb"
CHANNEL_NOTEBOOK = "/models/{model}/layers/{layer}/channels/{channel}/notebook.ipynb"
VISUALIZATION_NOTEBOOK = "/visualizations/{id}/notebook.ipynb"
SIDE_BY_SIDE = "/side-by-side"
SIDE = "/side-by-side/{side}.png"
CALCULATORS = "/calculators"
ARCHITECTURES = "/architectures"
VISUALIZATIONS = "/visualizations"
VISUALIZATION_NEW = "/visualizations/new"
VISUALIZATION = "/visualizations/{id}"
VISUALIZATION_EVENTS = "/visualizations/{id}/events"
VISUALIZATION_CANCEL = "/visualizations/{id}/cancel"
VISUALIZATION_GROWTH = "/visualizations/{id}/growth.webp"
VISUALIZATION_SCRIPT = "/visualizations/{id}/script.py"
VISUALIZATION_PART = "/visualizations/{id}/parts/{name}"
COLLECTIONS = "/collections"
COLLECTION = "/collections/{collection}"
COLLECTION_PHOTO = "/collections/{collection}/photos/{photo}"
COLLECTION_PHOTO_OPEN = "/collections/{collection}/photos/{photo}/open"
COLLECTION_MODEL = "/collections/{collection}/models/{model}"
COLLECTION_LAYER = "/collections/{collection}/models/{model}/layers/{layer}"
COLLECTION_SHARES = "/collections/{collection}/models/{model}/neighbours"
COLLECTION_NEIGHBOURS = "/collections/{collection}/models/{model}/layers/{layer}/neighbours"
COLLECTION_MAP = "/collections/{collection}/models/{model}/layers/{layer}/map"
FIRING = "/images/{image}/models/{model}/firing"
LECTURE = "/lecture"
SEARCH = "/search"
QUEUE = "/queue"
PREFERENCES = "/preferences"
HEALTHZ = "/healthz"
READYZ = "/readyz"
METRICS = "/metrics"
OPENAPI = "/openapi.json"
DOCS = "/docs"
STATIC_FILES = "/static"
STATIC = STATIC_FILES + "/{digest}/{path:path}"

JSON, PNG, JPG = ".json", ".png", ".jpg"


#: The names in a template, and what a query field may be.
NAME = re.compile(r"{(\w+)}")
Value = str | float | None
#: The path under which everything lies, as the request under way has it.
_root: ContextVar[str] = ContextVar("root", default="")


def lie_under(root: str) -> None:
    """From here on in this context, links begin with this path; "" for none."""
    _root.set(root)


def root() -> str:
    """The path under which everything lies, without a slash at its end; "" for none."""
    return _root.get()


def at(path: str) -> str:
    """The link to a constant path."""
    return _root.get() + path


def below(path: str) -> str:
    """A path as the constants have it, of one that was asked for."""
    found = path.removeprefix(_root.get())
    return found if found.startswith("/") else path


def firsts() -> set[str]:
    """What the paths of our own pages begin with."""
    paths = [value for name, value in globals().items() if name.isupper()]
    known = (path.split("/") for path in paths if isinstance(path, str) and path.startswith("/"))
    return {"/" + parts[1].partition(".")[0] for parts in known if parts[1]}


class Links:
    """What templates know as `urls`: the same names, but all that are paths are links."""

    def __getattr__(self, name: str) -> object:
        found = globals()[name]
        return at(found) if isinstance(found, str) and found.startswith("/") else found


def filled(template: str, suffix: str = "", **parts: str | int) -> str:
    """A template with its names filled in, percent-encoded."""
    quoted = {name: quote(str(value), safe="") for name, value in parts.items()}
    return at(template.format(**quoted) + suffix)


def with_query(path: str, **fields: Value) -> str:
    """A path with those query fields that say something."""
    query = {name: value for name, value in fields.items() if value not in (None, "", 0)}
    return f"{path}?{urlencode(query)}" if query else path


class OfOne(Protocol):
    """Links of a network, a picture, a collection, a visualization."""

    def __call__(self, one: str, suffix: str = "", /, **fields: Value) -> str:
        """The link, with those query fields that say something."""


class OfTwo(Protocol):
    """Links of two names."""

    def __call__(self, one: str, other: str, suffix: str = "", /, **fields: Value) -> str:
        """The link, with those query fields that say something."""


class OfThree(Protocol):
    """Links of three names."""

    def __call__(
        self, one: str, other: str, third: str, suffix: str = "", /, **fields: Value
    ) -> str:
        """The link, with those query fields that say something."""


class OfNumber(Protocol):
    """Links of a name and a number in it."""

    def __call__(self, one: str, number: int, suffix: str = "", /, **fields: Value) -> str:
        """The link, with those query fields that say something."""


class OfChannel(Protocol):
    """Links of a channel."""

    def __call__(
        self, model: str, layer: str, channel: int, suffix: str = "", /, **fields: Value
    ) -> str:
        """The link, with those query fields that say something."""


class OfMap(Protocol):
    """Links of a channel for a picture."""

    def __call__(
        self, image: str, model: str, layer: str, channel: int, suffix: str = "", /, **fields: Value
    ) -> str:
        """The link, with those query fields that say something."""


class Template:
    """Makes the links of a template: of a value for each of its names, in their order.

    After these the suffix, if there is one; query fields by name.
    """

    def __init__(self, template: str) -> None:
        self._template, self._names = template, NAME.findall(template)

    def __call__(self, *parts: str | int, **fields: Value) -> str:
        """The link. Raises TypeError unless there are as many values as names."""
        count = len(self._names)
        if not count <= len(parts) <= count + 1:
            raise TypeError(f"{self._template} is made of {self._names}, not of {len(parts)} parts")
        suffix = "".join(str(part) for part in parts[count:])
        named = dict(zip(self._names, parts[:count], strict=True))
        return with_query(filled(self._template, suffix, **named), **fields)


#: The page of a network.
model: OfOne = Template(MODEL)
#: Where fetching a network's weights is started.
fetch: OfOne = Template(FETCH)
#: Where fetching is stopped.
fetch_cancel: OfOne = Template(FETCH_CANCEL)
#: The stream that tells how far the fetching is.
fetch_events: OfOne = Template(FETCH_EVENTS)
#: The page of one layer.
layer: OfTwo = Template(LAYER)
#: A network drawn; fields: image, layer.
graph: OfOne = Template(GRAPH)
#: The strongest map of every layer of a network for a picture.
thumbnails: OfTwo = Template(THUMBNAILS)
#: The picture of a convolution's filters; fields: colors, tile, reach.
filters: OfTwo = Template(FILTERS)
#: The page of one channel, without a picture; fields: collection.
channel: OfChannel = Template(CHANNEL)
#: The picture of one filter, one tile per input channel; fields: colors, tile, reach.
channel_filters: OfChannel = Template(CHANNEL_FILTERS)
#: The page of a picture.
image: OfOne = Template(IMAGE)
#: A small JPEG of a picture.
image_preview: OfOne = Template(IMAGE_PREVIEW)
#: Where a form deletes a picture.
image_delete: OfOne = Template(IMAGE_DELETE)
#: Where a form turns a picture's share link on or off.
image_share: OfOne = Template(IMAGE_SHARE)
#: What a network takes a picture for.
prediction: OfTwo = Template(PREDICTION)
#: A picture with a part covered; fields: mask, fill, seed.
covering: OfTwo = Template(COVERING)
#: The activation grid of a picture; fields: scale, sort, colors, tile, first.
grid: OfThree = Template(GRID)
#: One channel's map of a picture; fields: scale, colors, size.
map: OfMap = Template(MAP)
#: A layer's sheet with heading, numbers and legend; fields as those of the grid.
legend_sheet: OfThree = Template(LEGEND_SHEET)
#: A layer's numbers for a picture, a row per channel, as CSV.
statistics: OfThree = Template(STATISTICS)
#: A notebook that makes a layer's sheet; fields as those of the grid.
grid_notebook: OfThree = Template(GRID_NOTEBOOK)
#: A notebook that makes what the page of a channel shows.
channel_notebook: OfChannel = Template(CHANNEL_NOTEBOOK)
#: A notebook that makes the same picture without the web.
visualization_notebook: OfOne = Template(VISUALIZATION_NOTEBOOK)
#: The sheet of one of the two sides; the same fields.
side: OfOne = Template(SIDE)
#: The photos of a collection; fields: first.
collection: OfOne = Template(COLLECTION)
#: One photo of a collection: its page, or a part of it as JPEG; fields: crop, size.
collection_photo: OfNumber = Template(COLLECTION_PHOTO)
#: Where a form takes a photo into one's own pictures.
collection_photo_open: OfNumber = Template(COLLECTION_PHOTO_OPEN)
#: What a network makes of a collection, layer by layer.
collection_model: OfTwo = Template(COLLECTION_MODEL)
#: What the channels of a layer make of a collection; fields: sort, first.
collection_layer: OfThree = Template(COLLECTION_LAYER)
#: How often neighbours are right, layer by layer; fields: by.
neighbour_shares: OfTwo = Template(COLLECTION_SHARES)
#: Nearest neighbours in feature space; fields: photo (a number, as text), image.
neighbours: OfThree = Template(COLLECTION_NEIGHBOURS)
#: The map of a collection; fields: method, photo (a number, as text), group.
photo_map: OfThree = Template(COLLECTION_MAP)
#: Silent channels: how many of each layer are all zero for a picture.
firing: OfTwo = Template(FIRING)
#: The page of something made by gradient ascent: while it grows, and ever after.
visualization: OfOne = Template(VISUALIZATION)
#: The stream that tells how far it is.
visualization_events: OfOne = Template(VISUALIZATION_EVENTS)
#: Where a form stops it.
visualization_cancel: OfOne = Template(VISUALIZATION_CANCEL)
#: How it grew, as an animation.
visualization_growth: OfOne = Template(VISUALIZATION_GROWTH)
#: A script that makes the same picture without the web.
visualization_script: OfOne = Template(VISUALIZATION_SCRIPT)
#: One of its further files.
visualization_part: OfTwo = Template(VISUALIZATION_PART)


def untrained(name: str) -> str:
    """The page of a network's untrained copy."""
    return model(name if name.endswith(UNTRAINED) else name + UNTRAINED)


def counterpart(name: str) -> str:
    """The name of a network's untrained copy; of an untrained copy that of the trained network."""
    return name.removesuffix(UNTRAINED) if name.endswith(UNTRAINED) else name + UNTRAINED


def classes(name: str, q: str = "") -> str:
    """The class search of a network."""
    return with_query(filled(CLASSES, model=name), q=q)


def filters_page(name: str, layer: str, suffix: str = "", **fields: str | int | None) -> str:
    """A layer's filters beside those of its untrained copy; fields: filter, scale, colors."""
    path = filled(FILTERS_PAGE, suffix, model=name, layer=layer)
    query = {key: value for key, value in fields.items() if value is not None}
    return f"{path}?{urlencode(query)}" if query else path


def calculators(suffix: str = "", anchor: str = "", **fields: str | float) -> str:
    """The calculators with these numbers filled in, at the one that `anchor` names."""
    query = f"?{urlencode(fields)}" if fields else ""
    return at(CALCULATORS) + suffix + query + (f"#{anchor}" if anchor else "")


def architectures(suffix: str = "", models: str = "") -> str:
    """Networks compared; models: their names, with commas between them."""
    return with_query(at(ARCHITECTURES) + suffix, models=models)


def where(id: str, name: str, suffix: str = "", **fields: str | int | None) -> str:
    """Where a network saw a class in a picture; fields: class, method, layer, look, q."""
    path = filled(WHERE, suffix, image=id, model=name)
    number = fields.pop("class", None)
    # A class may be 0, which with_query takes for nothing.
    return with_query(path, **{"class": None if number is None else str(number)}, **fields)


def all_statistics(id: str, name: str, by: str = "") -> str:
    """The numbers of all layers for a picture as CSV, a row per layer (or by "channel")."""
    return with_query(filled(ALL_STATISTICS, image=id, model=name), by=by)


def side_by_side(suffix: str = "", **fields: str | int | None) -> str:
    """Two sheets beside each other; fields: left_image, left_model, left_layer, right_…, scale."""
    return with_query(at(SIDE_BY_SIDE) + suffix, **fields)


def visualization_new(kind: str, name: str, **fields: str | int | None) -> str:
    """The form that asks for one, with these fields filled in."""
    return with_query(at(VISUALIZATION_NEW), kind=kind, model=name, **fields)


def static(digest: str, path: str) -> str:
    """A file that never changes under this address, which is no link yet."""
    return f"{STATIC_FILES}/{digest}/{path}"


def docs(operation: str = "") -> str:
    """The page for programmers, with all that is said of one operation."""
    return with_query(at(DOCS), of=operation) + ("#of" if operation else "")
