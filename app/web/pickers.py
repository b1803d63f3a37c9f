"""Pickers: networks, layers and classes as rows to choose from, on the pages of all rooms."""

import asyncio

from typing_extensions import TypedDict

from app.errors import NoClassifier
from app.studio.networks import Card, Status
from app.studio.studio import Studio
from app.web import languages, urls, wording
from app.zoo.catalogue import Entry
from app.zoo.described import LayerDescription, NetworkDescription

#: Classes that a search offers at once.
MOST_CHOICES = 24


class ModelRow(TypedDict):
    """A network in the list; `note` says why it is not ready and what to do."""

    name: str
    title: str
    status: Status
    input_size: tuple[int, int, int] | None
    parameters: int | None
    classes: int | None
    url: str
    note: str
    untrained_url: str | None


#: A class of a network.
ClassRow = TypedDict("ClassRow", {"class": int, "label": str})


def row(card: Card) -> ModelRow:
    """A network as the list shows it, in the language of this request."""
    return {
        "name": card.name,
        "title": wording.network(card.title),
        "status": card.status,
        "input_size": card.input_size,
        "parameters": card.parameters,
        "classes": card.classes,
        "url": urls.model(card.name),
        "note": card.reason.message(languages.gettext) if card.reason else "",
        "untrained_url": urls.untrained(card.name) if card.can_open_untrained else None,
    }


async def rows(studio: Studio) -> list[ModelRow]:
    """All networks, the default first."""
    return [row(card) for card in await studio.models()]


async def usable(studio: Studio, model: str) -> ModelRow | None:
    """A network's row: it can be run on pictures, or says why not; None for untrained ones."""
    entry, present = await asyncio.to_thread(_looked_up, studio, model)
    if not entry.trained:
        return None
    online = not present and await studio.fetcher.reachable()
    return row(await asyncio.to_thread(studio.card, entry, online))


def _looked_up(studio: Studio, model: str) -> tuple[Entry, bool]:
    entry = studio.catalogue.entry(model)
    return entry, entry.present


async def ready(studio: Studio) -> list[Entry]:
    """The networks that can be run now, without asking anybody else."""
    return await asyncio.to_thread(ready_now, studio)


def ready_now(studio: Studio) -> list[Entry]:
    """The same, not for the event loop."""
    return [entry for entry in studio.catalogue.entries() if entry.present and not entry.problem]


def grouped(layers: list[LayerDescription]) -> list[tuple[str, list[LayerDescription]]]:
    """Layers in their order, those of one outermost block together: ("" for none, layers)."""
    holders = {layer["name"]: layer["block"] for layer in layers}
    blocks = set(holders.values())
    groups: list[tuple[str, list[LayerDescription]]] = []
    for layer in layers:
        block = _outermost(layer["name"], holders, blocks)
        if groups and groups[-1][0] == block:
            groups[-1][1].append(layer)
        else:
            groups.append((block, [layer]))
    return groups


def offered_classes(described: NetworkDescription, q: str, chosen: str = "") -> list[ClassRow]:
    """Those that a form offers: a few, the chosen one first if it is among them."""
    found = found_classes(described, q)
    return sorted(found, key=lambda row: str(row["class"]) != chosen)[:MOST_CHOICES]


def _outermost(name: str, holders: dict[str, str], blocks: set[str]) -> str:
    while holders.get(name):
        name = holders[name]
    return name if name in blocks else ""


def found_classes(described: NetworkDescription, q: str) -> list[ClassRow]:
    """Classes by label (any word order) or number; all of them for an empty search."""
    labels = described["labels"]
    if not labels:
        raise NoClassifier(model=described["title"])
    words = q.casefold().split()
    return [
        {"class": number, "label": label}
        for number, label in enumerate(labels)
        if all(word in label.casefold() for word in words) or q.strip() == str(number)
    ]
