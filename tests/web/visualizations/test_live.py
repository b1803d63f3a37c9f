"""Fragments: each snapshot is rendered once for all who watch in one language."""

from dataclasses import replace

import pytest
from fastapi import FastAPI, Request

from app.studio.jobs.board import Snapshot
from app.studio.jobs.job import State
from app.web import languages, pages
from app.web.statics import read_statics
from app.web.visualizations.live import MOST_KEPT, Fragments


@pytest.fixture(scope="module")
def request_() -> Request:
    app = FastAPI()
    app.state.templates = pages.environment(read_statics())
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
    return Request(scope | {"app": app})


def running(step: int, id: str = "a") -> Snapshot:
    return Snapshot(id, State.RUNNING, step, 64, tuple(map(float, range(step))), b"jpeg", left=9.0)


def test_a_snapshot_is_rendered_once(request_: Request) -> None:
    fragments, now = Fragments(), running(3)
    first = fragments.fragment(request_, now, True)
    assert fragments.fragment(request_, now, True) is first
    assert "step 3 of 64" in first
    assert fragments.fragment(request_, running(4), True) != first


def test_each_language_and_form_is_its_own(request_: Request) -> None:
    fragments, now = Fragments(), running(3)
    with_picture = fragments.fragment(request_, now, True)
    without = fragments.fragment(request_, now, False)
    assert "data:image/jpeg;base64,anBlZw==" in with_picture
    assert "data:image" not in without
    languages.speak("da")
    try:
        assert "trin 3 af 64" in fragments.fragment(request_, now, False)
    finally:
        languages.speak("en")
    assert fragments.fragment(request_, now, False) == without


def test_only_the_newest_are_kept(request_: Request) -> None:
    fragments = Fragments()
    for number in range(MOST_KEPT + 20):
        fragments.fragment(request_, running(1, str(number)), False)
    assert len(fragments._kept) == MOST_KEPT


@pytest.mark.parametrize(
    ("position", "said"),
    [(1, "next in the queue"), (2, "1 is before it"), (4, "3 are before it")],
)
def test_who_waits_is_told_the_place(request_: Request, position: int, said: str) -> None:
    waiting = Snapshot("w", State.QUEUED, position=position)
    assert said in Fragments().fragment(request_, waiting, False)


@pytest.mark.parametrize(
    ("left", "said"), [(7.6, "about 8 s left"), (200.0, "about 3 minutes left"), (None, "step 3")]
)
def test_the_time_left_is_told_in_words(request_: Request, left: float | None, said: str) -> None:
    now = replace(running(3), left=left)
    fragment = Fragments().fragment(request_, now, False)
    assert said in fragment
    assert ("left" in fragment) == (left is not None)
