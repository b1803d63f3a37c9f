"""Addresses: the only place that writes a path. A template for the routes, a function for links.

Names with a dot in front (`.json`) are twins of the page; routes declare them before the bare one.

Behind a proxy all of it may lie under a path (LATERNA_ROOT_PATH): templates for the routes and the
constants never have it in front, links always have; `at` makes a link of a constant.
"""

from contextvars import ContextVar
from urllib.parse import quote, urlencode

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

#: Twins of an untrained network end in this.
UNTRAINED = "-untrained"


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


def with_query(path: str, **fields: str | float | None) -> str:
    """A path with those query fields that say something."""
    query = {name: value for name, value in fields.items() if value not in (None, "", 0)}
    return f"{path}?{urlencode(query)}" if query else path


def model(name: str, suffix: str = "") -> str:
    """The page of a network."""
    return filled(MODEL, suffix, model=name)


def untrained(name: str) -> str:
    """The page of a network's untrained copy."""
    return model(name if name.endswith(UNTRAINED) else name + UNTRAINED)


def counterpart(name: str) -> str:
    """The name of a network's untrained copy; of an untrained copy that of the trained network."""
    return name.removesuffix(UNTRAINED) if name.endswith(UNTRAINED) else name + UNTRAINED


def classes(name: str, q: str = "") -> str:
    """The class search of a network."""
    return with_query(filled(CLASSES, model=name), q=q)


def fetch(name: str) -> str:
    """Where fetching a network's weights is started."""
    return filled(FETCH, model=name)


def fetch_cancel(name: str) -> str:
    """Where fetching is stopped."""
    return filled(FETCH_CANCEL, model=name)


def fetch_events(name: str) -> str:
    """The stream that tells how far the fetching is."""
    return filled(FETCH_EVENTS, model=name)


def layer(name: str, layer: str, suffix: str = "") -> str:
    """The page of one layer."""
    return filled(LAYER, suffix, model=name, layer=layer)


def graph(name: str, suffix: str = "", **fields: str | int | None) -> str:
    """A network drawn; fields: image, layer."""
    return with_query(filled(GRAPH, suffix, model=name), **fields)


def thumbnails(id: str, name: str, suffix: str = "") -> str:
    """The strongest map of every layer of a network for a picture."""
    return filled(THUMBNAILS, suffix, image=id, model=name)


def filters(name: str, layer: str, **fields: str | float | None) -> str:
    """The picture of a convolution's filters; fields: colors, tile, reach."""
    return with_query(filled(FILTERS, model=name, layer=layer), **fields)


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


def channel(name: str, layer: str, channel: int, **fields: str | int | None) -> str:
    """The page of one channel, without a picture; fields: collection."""
    return with_query(filled(CHANNEL, model=name, layer=layer, channel=channel), **fields)


def channel_filters(name: str, layer: str, channel: int, **fields: str | float | None) -> str:
    """The picture of one filter, one tile per input channel; fields: colors, tile, reach."""
    path = filled(CHANNEL_FILTERS, model=name, layer=layer, channel=channel)
    return with_query(path, **fields)


def image(id: str, suffix: str = "") -> str:
    """The page of a picture."""
    return filled(IMAGE, suffix, image=id)


def image_preview(id: str) -> str:
    """A small JPEG of a picture."""
    return filled(IMAGE_PREVIEW, image=id)


def image_delete(id: str) -> str:
    """Where a form deletes a picture."""
    return filled(IMAGE_DELETE, image=id)


def image_share(id: str) -> str:
    """Where a form turns a picture's share link on or off."""
    return filled(IMAGE_SHARE, image=id)


def prediction(id: str, name: str, suffix: str = "") -> str:
    """What a network takes a picture for."""
    return filled(PREDICTION, suffix, image=id, model=name)


def where(id: str, name: str, suffix: str = "", **fields: str | int | None) -> str:
    """Where a network saw a class in a picture; fields: class, method, layer, look, q."""
    path = filled(WHERE, suffix, image=id, model=name)
    number = fields.pop("class", None)
    # A class may be 0, which with_query takes for nothing.
    return with_query(path, **{"class": None if number is None else str(number)}, **fields)


def covering(id: str, name: str, suffix: str = "", **fields: str | int | None) -> str:
    """A picture with a part covered; fields: mask, fill, seed."""
    return with_query(filled(COVERING, suffix, image=id, model=name), **fields)


def grid(id: str, name: str, layer: str, suffix: str = "", **fields: str | int | None) -> str:
    """The activation grid of a picture; fields: scale, sort, colors, tile, first."""
    return with_query(filled(GRID, suffix, image=id, model=name, layer=layer), **fields)


def map(
    id: str, name: str, layer: str, channel: int, suffix: str = "", **fields: str | int | None
) -> str:
    """One channel's map of a picture; fields: scale, colors, size."""
    path = filled(MAP, suffix, image=id, model=name, layer=layer, channel=channel)
    return with_query(path, **fields)


def legend_sheet(id: str, name: str, layer: str, **fields: str | int | None) -> str:
    """A layer's sheet with heading, numbers and legend; fields as those of the grid."""
    return with_query(filled(LEGEND_SHEET, image=id, model=name, layer=layer), **fields)


def statistics(id: str, name: str, layer: str) -> str:
    """A layer's numbers for a picture, a row per channel, as CSV."""
    return filled(STATISTICS, image=id, model=name, layer=layer)


def all_statistics(id: str, name: str, by: str = "") -> str:
    """The numbers of all layers for a picture as CSV, a row per layer (or by "channel")."""
    return with_query(filled(ALL_STATISTICS, image=id, model=name), by=by)


def grid_notebook(id: str, name: str, layer: str, **fields: str | int | None) -> str:
    """A notebook that makes a layer's sheet; fields as those of the grid."""
    return with_query(filled(GRID_NOTEBOOK, image=id, model=name, layer=layer), **fields)


def channel_notebook(name: str, layer: str, channel: int) -> str:
    """A notebook that makes what the page of a channel shows."""
    return filled(CHANNEL_NOTEBOOK, model=name, layer=layer, channel=channel)


def visualization_notebook(id: str) -> str:
    """A notebook that makes the same picture without the web."""
    return filled(VISUALIZATION_NOTEBOOK, id=id)


def side_by_side(suffix: str = "", **fields: str | int | None) -> str:
    """Two sheets beside each other; fields: left_image, left_model, left_layer, right_…, scale."""
    return with_query(at(SIDE_BY_SIDE) + suffix, **fields)


def side(side: str, **fields: str | int | None) -> str:
    """The sheet of one of the two sides; the same fields."""
    return with_query(filled(SIDE, side=side), **fields)


def collection(name: str, suffix: str = "", **fields: str | int | None) -> str:
    """The photos of a collection; fields: first."""
    return with_query(filled(COLLECTION, suffix, collection=name), **fields)


def collection_photo(name: str, photo: int, suffix: str = "", **fields: str | int | None) -> str:
    """One photo of a collection: its page, or a part of it as JPEG; fields: crop, size."""
    return with_query(filled(COLLECTION_PHOTO, suffix, collection=name, photo=photo), **fields)


def collection_photo_open(name: str, photo: int) -> str:
    """Where a form takes a photo into one's own pictures."""
    return filled(COLLECTION_PHOTO_OPEN, collection=name, photo=photo)


def collection_model(name: str, model: str, suffix: str = "") -> str:
    """What a network makes of a collection, layer by layer."""
    return filled(COLLECTION_MODEL, suffix, collection=name, model=model)


def collection_layer(
    name: str, model: str, layer: str, suffix: str = "", **fields: str | int | None
) -> str:
    """What the channels of a layer make of a collection; fields: sort, first."""
    path = filled(COLLECTION_LAYER, suffix, collection=name, model=model, layer=layer)
    return with_query(path, **fields)


def neighbour_shares(name: str, model: str, suffix: str = "", **fields: str | int | None) -> str:
    """How often neighbours are right, layer by layer; fields: by."""
    return with_query(filled(COLLECTION_SHARES, suffix, collection=name, model=model), **fields)


def neighbours(
    name: str, model: str, layer: str, suffix: str = "", **fields: str | int | None
) -> str:
    """Nearest neighbours in feature space; fields: photo (a number, as text), image."""
    path = filled(COLLECTION_NEIGHBOURS, suffix, collection=name, model=model, layer=layer)
    return with_query(path, **fields)


def photo_map(
    name: str, model: str, layer: str, suffix: str = "", **fields: str | int | None
) -> str:
    """The map of a collection; fields: method, photo (a number, as text), group."""
    path = filled(COLLECTION_MAP, suffix, collection=name, model=model, layer=layer)
    return with_query(path, **fields)


def firing(id: str, name: str, suffix: str = "") -> str:
    """Silent channels: how many of each layer are all zero for a picture."""
    return filled(FIRING, suffix, image=id, model=name)


def visualization(id: str, suffix: str = "") -> str:
    """The page of something made by gradient ascent: while it grows, and ever after."""
    return filled(VISUALIZATION, suffix, id=id)


def visualization_new(kind: str, name: str, **fields: str | int | None) -> str:
    """The form that asks for one, with these fields filled in."""
    return with_query(at(VISUALIZATION_NEW), kind=kind, model=name, **fields)


def visualization_events(id: str) -> str:
    """The stream that tells how far it is."""
    return filled(VISUALIZATION_EVENTS, id=id)


def visualization_cancel(id: str, suffix: str = "") -> str:
    """Where a form stops it."""
    return filled(VISUALIZATION_CANCEL, suffix, id=id)


def visualization_growth(id: str) -> str:
    """How it grew, as an animation."""
    return filled(VISUALIZATION_GROWTH, id=id)


def visualization_script(id: str) -> str:
    """A script that makes the same picture without the web."""
    return filled(VISUALIZATION_SCRIPT, id=id)


def visualization_part(id: str, name: str) -> str:
    """One of its further files."""
    return filled(VISUALIZATION_PART, id=id, name=name)


def static(digest: str, path: str) -> str:
    """A file that never changes under this address, which is no link yet."""
    return f"{STATIC_FILES}/{digest}/{path}"


def docs(operation: str = "") -> str:
    """The page for programmers, with all that is said of one operation."""
    return with_query(at(DOCS), of=operation) + ("#of" if operation else "")
