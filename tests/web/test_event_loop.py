"""The event loop never waits for the disk: no page's handler looks at files, folders or the index
itself, nor reads long JSON. Seen by a guard in the real program while all its pages are asked for.
"""

import asyncio
import builtins
import io
import json
import os
import re
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from PIL import Image
from starlette.routing import Match

from app.archive.index import Index
from app.main import create_app
from app.settings import ROOT, Settings
from app.studio.jobs.store import JOBS
from app.web.site import ROUTERS
from tests.asking import CHANNEL, CLASS, MODEL, REBUILT
from tests.running import PATIENCE, closed_port, until

#: Characters of JSON that may be read in the event loop: some microseconds of it.
SHORT = 4096
#: What reads no more than one small row by its key; docs/decisions.md has the microseconds.
ONE_ROW = f"{JOBS} WHERE id = ?"
#: Frames of a stack that are told.
DEPTH = 40
APP = f"{ROOT / 'app'}/"
LAYER = "blocks.0.0.bn1"
PHOTOS = 2_000
HOME = f"/collections/samples/models/{MODEL}"
#: Where the crawl begins; it follows links to one page of each kind, and their twins.
STARTS = (
    "/",
    "/lecture",
    "/metrics",
    "/readyz",
    "/docs",
    f"/side-by-side?left_image=chelsea&left_model={MODEL}&left_layer={LAYER}",
    f"/images/chelsea/models/{MODEL}/layers/{LAYER}",
    f"/images/chelsea/models/{MODEL}/where?class=281",
    f"/collections/photos/models/{MODEL}",
    HOME,
    f"{HOME}/layers/{LAYER}",
    f"{HOME}/layers/{LAYER}/neighbours",
    f"{HOME}/layers/{LAYER}/neighbours?image=chelsea",
    f"{HOME}/layers/{LAYER}/map",
    f"/models/{MODEL}/layers/{LAYER}/channels/3",
)
BASE = "http://testserver"
BLOCKS = ("numbers", "lit", "seen", "looking", "form")


def always(*_: Any, **__: Any) -> bool:
    return True


class Guard:
    """Notes what is called in one thread that has to look at the disk."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.seen: set[str] = set()
        self._loop = threading.get_ident()
        for name in ("stat", "lstat", "scandir", "listdir", "access", "statvfs", "unlink"):
            patch.setattr(os, name, self._watched(f"os.{name}", getattr(os, name)))
        opened = self._watched("open", builtins.open)
        patch.setattr(builtins, "open", opened)
        patch.setattr(io, "open", opened)
        is_long: Callable[..., bool] = lambda text, **_: len(text) > SHORT  # noqa: E731
        patch.setattr(json, "loads", self._watched("json.loads", json.loads, is_long))
        is_more: Callable[..., bool] = lambda _, question, *__: question != ONE_ROW  # noqa: E731
        patch.setattr(Index, "rows", self._watched("Index.rows", Index.rows, is_more))
        patch.setattr(Index, "change", self._watched("Index.change", Index.change))

    def _watched(
        self, name: str, call: Callable[..., Any], counts: Callable[..., bool] = always
    ) -> Callable[..., Any]:
        def watched(*given: Any, **named: Any) -> Any:
            if threading.get_ident() == self._loop and counts(*given, **named):
                self._note(name)
            return call(*given, **named)

        return watched

    def _note(self, name: str) -> None:
        frames, frame = list[str](), sys._getframe(2)
        while frame is not None and len(frames) < DEPTH:
            file = frame.f_code.co_filename
            if "importlib" in file or file.endswith(("linecache.py", "inspect.py")):
                return  # imported late, shown of a failure, or FastAPI's first look at a handler
            if file.startswith(APP):
                frames.append(f"{file.removeprefix(APP)}:{frame.f_lineno}")
            frame = frame.f_back  # type: ignore[assignment]
        if frames:
            self.seen.add(f"{name} < {' < '.join(frames)}")


def test_the_guard_sees_what_is_done_in_its_own_thread_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.studio.collections.listing import listing

    guard = Guard(monkeypatch)
    thread = threading.Thread(target=listing, args=(tmp_path, 1))
    thread.start()
    thread.join()
    assert guard.seen == set()
    listing(tmp_path, 1)
    assert any(line.startswith("os.scandir") for line in guard.seen)


@asynccontextmanager
async def running(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The real program in this process, with a real device's process behind it."""
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.effect_noise((60, 40), 50).convert("RGB").save(folder / "0000 first.png")
    for n in range(1, PHOTOS):
        os.link(folder / "0000 first.png", folder / f"{n:04} thing{n % 7}.png")
    settings = Settings(
        data_dir=tmp_path / "data",
        collections=(folder,),
        allowed_hosts=("testserver",),
        idle_pictures=False,
        torch_threads=1,
        devices="cpu",
        call_seconds=2 * PATIENCE,
        weights_mirror=f"http://127.0.0.1:{closed_port()}",
    )
    app = create_app(settings)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=transport, base_url="http://testserver", timeout=None
        ) as client,
    ):
        studio = app.state.studio
        await until(lambda: studio.engine.places)
        await until(lambda: len(studio.sample_images()) >= 8)
        yield client


async def made(client: httpx.AsyncClient, body: dict[str, Any]) -> str:
    """Ask for a visualization and wait for it; its id."""
    asked = (await client.post("/visualizations.json", json=body)).json()
    async with asyncio.timeout(PATIENCE):
        while asked["state"] in ("queued", "running"):
            await asyncio.sleep(0.05)
            asked = (await client.get(f"/visualizations/{asked['id']}.json")).json()
    assert asked["state"] == "done", asked
    return str(asked["id"])


async def crawled(client: httpx.AsyncClient, starts: list[str]) -> dict[str, int]:
    """Ask for one page of each kind that links lead to, and for its blocks: route -> status."""
    waiting, statuses = list(starts), dict[str, int]()
    asked = set(starts)
    while waiting:
        address = waiting.pop(0)
        answer = await client.get(address)
        statuses[kind(address)] = answer.status_code
        if not answer.headers.get("content-type", "").startswith("text/html"):
            continue
        for block in BLOCKS:
            if f'id="{block}"' in answer.text:
                headers = {
                    "HX-Request": "true",
                    "HX-Request-Type": "partial",
                    "HX-Target": f"div#{block}",
                }
                await client.get(address, headers=headers)
        for link in links(answer.text, address):
            known = {kind(other) for other in asked}
            if kind(link) not in known | {"", "events"}:
                asked.add(link)
                waiting.append(link)
    return statuses


def links(page: str, address: str) -> Iterator[str]:
    """What a page leads to and shows, here, and its twin in JSON."""
    path, _, query = address.partition("?")
    found = re.findall(r'(?:href|src|hx-get)="(/[^"#]*)', page)
    yield f"{path}.json" + (f"?{query}" if query else "")
    yield from (unescape(link) for link in found if not link.startswith("/static"))


ROUTES = [route for part in ROUTERS for route in part.router.routes if isinstance(route, APIRoute)]


def kind(address: str) -> str:
    """The route that answers an address; "" for none, "events" for streams."""
    path = httpx.URL(address).path
    scope = {"type": "http", "path": path, "method": "GET", "root_path": ""}
    for route in ROUTES:
        if route.matches(scope)[0] == Match.FULL:
            return "events" if route.path.endswith("/events") else route.path
    return ""


def test_no_page_keeps_the_event_loop_from_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        async with running(tmp_path) as client:
            guard = Guard(monkeypatch)
            picture = (tmp_path / "photos" / "0000 first.png").open("rb")
            with picture:
                files = {"file": ("noise.png", picture.read(), "image/png")}
            own = (await client.post("/images.json", files=files)).json()["id"]
            jobs = [
                await made(client, body)
                for body in (
                    CLASS,
                    CHANNEL,
                    REBUILT | {"image": own},
                    {"kind": "index", "collection": "samples", "model": MODEL},
                    {"kind": "map", "collection": "samples", "model": MODEL, "layer": LAYER},
                )
            ]
            long = CLASS | {"steps": 2048, "size": 224}
            asked = (await client.post("/visualizations.json", json=long)).json()["id"]
            of_photos = {"kind": "index", "collection": "photos", "model": MODEL}
            waiting = (await client.post("/visualizations.json", json=of_photos)).json()["id"]
            await client.get("/queue")
            for id in (waiting, asked):
                assert (await client.post(f"/visualizations/{id}/cancel.json")).status_code == 200
            starts = [*STARTS, *(f"/visualizations/{id}" for id in jobs), f"/images/{own}"]
            statuses = await crawled(client, starts)
            for id in jobs:
                await client.get(f"/visualizations/{id}/events")
            await client.post(f"/images/{own}/share", data={"shared": "true"})
            await client.delete(f"/images/{own}")
            await client.get("/visualizations")
            failed = {path: status for path, status in statuses.items() if status >= 500}
            assert failed == {}
            assert len(statuses) > 60, sorted(statuses)
            assert not guard.seen, "\n".join(sorted(guard.seen))
            monkeypatch.undo()

    asyncio.run(story())
