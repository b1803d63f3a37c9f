"""Live: snapshots of what grows -> fragments, each rendered once for all who watch."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.studio.jobs.board import Snapshot
from app.web import languages, pages, urls
from app.web.api import failures
from app.web.dependencies import TheStudio
from app.web.sessions import Owner
from app.web.visualizations import view
from app.web.visualizations.visualizations import SeenJob, may_see

router = APIRouter()
#: So many fragments are kept: of what runs now, in a few languages, with and without picture.
MOST_KEPT = 64


class Fragments:
    """The newest fragments by visualization and language. Thirty people who watch cost one."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str, bool], tuple[Snapshot, str]] = OrderedDict()

    def fragment(
        self, request: Request, snapshot: Snapshot, with_picture: bool, kind: str = ""
    ) -> str:
        """A snapshot as the page shows it, with or without the picture so far."""
        key = (snapshot.id, languages.spoken(), with_picture)
        if key not in self._kept or self._kept[key][0] is not snapshot:
            self._kept[key] = (snapshot, _rendered(request, snapshot, with_picture, kind))
        self._kept.move_to_end(key)
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return self._kept[key][1]


def _rendered(request: Request, snapshot: Snapshot, with_picture: bool, kind: str) -> str:
    moment = view.moment(snapshot) | {"kind_of": kind}
    blocks = ("state", "news", "growing") if with_picture else ("state", "news")
    blocks_html = [
        pages.render(request, "visualizations/visualization.html", block, **moment)
        for block in blocks
    ]
    return "\n".join(part.strip() for part in blocks_html)


async def _fragments(request: Request) -> Fragments:
    found: Fragments = request.app.state.fragments
    return found


TheFragments = Annotated[Fragments, Depends(_fragments)]


@router.get(
    urls.VISUALIZATION_EVENTS, response_class=EventSourceResponse, responses=failures.WATCHED
)
async def events(
    request: Request, studio: TheStudio, fragments: TheFragments, owner: Owner, job: SeenJob
) -> AsyncIterator[ServerSentEvent]:
    """Fragments of its page: `progress` whenever there is news, then one `end`.

    The first is the state of now. The picture is in those only in which it is another than before.
    It ends without a word for whom the picture that it is of is shared no more.
    """
    shown: bytes | None = None
    fragment, is_over = "", False
    async for snapshot in studio.watch(job.id):
        if snapshot.preview and not await asyncio.to_thread(may_see, studio, owner, job):
            return
        is_new = snapshot.preview not in (None, shown)
        fragment = fragments.fragment(request, snapshot, is_new, job.recipe.kind)
        shown, is_over = snapshot.preview, snapshot.is_final
        yield ServerSentEvent(event="progress", raw_data=fragment)
    if is_over:  # else the server is being stopped; browsers come back to the next one
        yield ServerSentEvent(event="end", raw_data=fragment)
