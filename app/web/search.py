"""Search: what somebody typed -> classes, layers, channels, networks, pictures, pages to go to."""

import asyncio
import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from app.studio.studio import Studio
from app.web import pages, urls, wording
from app.web.api import failures
from app.web.api.schemas import search as schemas
from app.web.dependencies import TheStudio
from app.web.languages import gettext
from app.web.lecture import here
from app.web.lecture.chapters import Chapter
from app.web.sessions import Owner
from app.zoo.described import NetworkDescription

router = APIRouter()
MOST_ROWS, MOST_OF_A_KIND = 24, 8
LONGEST = 80
#: `blocks.2.0:17`, `bn1 5`; Lucid's mixed4a is GoogLeNet's inception_4a.
CHANNEL = re.compile(r"(?P<layer>.+?)\s*[:#\s]\s*(?P<channel>\d{1,5})")
LUCIDS = re.compile(r"mixed_?(\d[a-e])")

Asked = Annotated[str, Query(max_length=LONGEST, description="Words, a number, or layer:channel.")]


@router.get(urls.SEARCH + urls.JSON, responses=failures.failures(422))
async def search_json(studio: TheStudio, owner: Owner, q: Asked = "") -> schemas.Found:
    """Everything that words lead to: classes, layers, channels, networks, pictures, pages."""
    return schemas.Found(results=await _found(studio, owner, q))


@router.get(urls.SEARCH, include_in_schema=False)
async def search_page(request: Request, studio: TheStudio, owner: Owner, q: Asked = "") -> Response:
    """The same as a page; its block `hits` as one types."""
    return pages.respond(request, "search.html", q=q, hits=await _found(studio, owner, q))


async def _found(studio: Studio, owner: str | None, q: str) -> list[schemas.Row]:
    words = " ".join(q.split()).casefold()
    if not words:
        return []
    told = await here.chapters(studio)
    return await asyncio.to_thread(_looked_for, studio, owner, words, told)


def _looked_for(
    studio: Studio, owner: str | None, words: str, told: Iterable[Chapter]
) -> list[schemas.Row]:
    described = _described(studio)
    channels = list(_channels(described, words))
    rows = [
        *_networks(studio),
        *_classes(described),
        *_pages(told),
        *_pictures(studio, owner),
        *_collections(studio, owner),
        *_layers(described),
    ]
    ranked = sorted(
        ((rank, row) for row in rows if (rank := _rank(words, row)) is not None),
        key=lambda pair: pair[0],
    )
    found = [row for _, row in ranked]
    if not found and not channels:
        titles = {row["title"].casefold(): row for row in rows}
        found = [titles[title] for title in get_close_matches(words, titles, MOST_OF_A_KIND, 0.75)]
    counts: dict[str, int] = {}
    kept = []
    for row in found:
        counts[row["kind"]] = counts.get(row["kind"], 0) + 1
        if counts[row["kind"]] <= MOST_OF_A_KIND:
            kept.append(row)
    return [*channels, *kept][:MOST_ROWS]


def _rank(words: str, row: schemas.Row) -> int | None:
    """0 the very title or one of its names, then whole words, beginnings, the words anywhere in it,
    in its text; None where they are not.
    """
    title = row["title"].casefold()
    if title == words or words in title.split(", "):
        return 0
    for rank, pattern in enumerate((r"\b{}\b", r"^{}", r"\b{}"), 1):
        if re.search(pattern.format(re.escape(words)), title):
            return rank
    parts = words.split()
    if all(word in title for word in parts):
        return 4
    return 5 if all(word in f"{title} {row['text'].casefold()}" for word in parts) else None


def _row(kind: schemas.Kind, title: str, url: str, note: str, text: str = "") -> schemas.Row:
    return {"kind": kind, "title": title, "url": url, "note": note, "text": text, "ask": None}


def _described(studio: Studio) -> list[NetworkDescription]:
    """What is known of the networks that can be run now, the default first."""
    usual = studio.settings.default_model
    entries = [e for e in studio.catalogue.entries() if e.present and not e.problem]
    known = (studio.known_entry(entry) for entry in sorted(entries, key=lambda e: e.name != usual))
    return [one for one in known if one]


def _networks(studio: Studio) -> Iterator[schemas.Row]:
    for entry in studio.catalogue.entries():
        yield _row("network", entry.title, urls.model(entry.name), gettext("network"), entry.name)


def _classes(described: list[NetworkDescription]) -> Iterator[schemas.Row]:
    """Each label once, of the first network that knows it; to ask for it takes one press."""
    seen: set[str] = set()
    for one in described:
        for number, label in enumerate(one["labels"]):
            if label in seen:
                continue
            seen.add(label)
            row = _row(
                "class",
                label,
                urls.visualization_new("class", one["name"], **{"class": str(number)}, q=label),
                gettext("class visualization, {network}").format(network=one["title"]),
            )
            yield {**row, "ask": {"kind": "class", "model": one["name"], "class": str(number)}}


def _layers(described: list[NetworkDescription]) -> Iterator[schemas.Row]:
    for one in described:
        for layer in one["layers"]:
            note = gettext("layer of {network}").format(network=one["title"])
            url = urls.layer(one["name"], layer["name"])
            yield _row("layer", layer["name"], url, note, wording.layer_kind(layer))


def _channels(described: list[NetworkDescription], words: str) -> Iterator[schemas.Row]:
    asked = CHANNEL.fullmatch(words)
    if asked is None:
        return
    wanted, channel = LUCIDS.sub(r"inception_\1", asked["layer"]), int(asked["channel"])
    for one in described:
        for layer in one["layers"]:
            if layer["name"].casefold() == wanted and channel < layer["shape"][0]:
                note = gettext("channel, {network}").format(network=one["title"])
                url = urls.channel(one["name"], layer["name"], channel)
                yield _row("channel", f"{layer['name']}:{channel}", url, note)


def _pictures(studio: Studio, owner: str | None) -> Iterator[schemas.Row]:
    for image in [*studio.sample_images(), *studio.images_of(owner)]:
        yield _row("image", wording.shown(image), urls.image(image.id), gettext("picture"))


def _collections(studio: Studio, owner: str | None) -> Iterator[schemas.Row]:
    for one in studio.collections.all(owner):
        url = urls.collection(one.name)
        yield _row("photo", one.title, url, gettext("collection"))


def _pages(told: Iterable[Chapter]) -> Iterator[schemas.Row]:
    for chapter in told:
        url = f"{urls.at(urls.LECTURE)}#{chapter.name}"
        yield _row("page", chapter.title, url, gettext("chapter of the lecture"), chapter.text)
        for place in chapter.places:
            yield _row("page", place.title, place.url, gettext("page"))
    for title, path in (
        (gettext("Networks"), urls.MODELS),
        (gettext("Pictures"), urls.IMAGES),
        (gettext("Collections"), urls.COLLECTIONS),
        (gettext("Studio"), urls.VISUALIZATIONS),
        (gettext("Networks compared"), urls.ARCHITECTURES),
        (gettext("Side by side"), urls.SIDE_BY_SIDE),
        (gettext("Queue"), urls.QUEUE),
    ):
        yield _row("page", title, urls.at(path), gettext("page"))
