"""Addresses: every link that is written finds its route, whatever the names in it."""

from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from hypothesis import given
from hypothesis import strategies as st
from starlette.routing import Match

from app.web import urls
from app.web.site import ROUTERS

#: Names as networks, layers and pictures have them: dots, dashes, and anything a person types.
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/"), min_size=1, max_size=30)
PLAIN = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,20}", fullmatch=True).filter(
    lambda name: not name.endswith((".json", ".png"))
)


@pytest.fixture(scope="module")
def app() -> FastAPI:
    made = FastAPI(openapi_url=urls.OPENAPI, docs_url=None, redoc_url=None)
    for part in ROUTERS:
        made.include_router(part.router)
    return made


def found(app: FastAPI, path: str, method: str = "GET") -> tuple[str, dict[str, Any]]:
    """The template and the names of the route that takes a path, as the server decodes it."""
    from urllib.parse import unquote

    scope = {"type": "http", "path": unquote(path), "method": method, "root_path": ""}
    for route in all_routes(app):
        match, child = route.matches(scope)
        if match == Match.FULL:
            return route.path, child["path_params"]
    raise AssertionError(f"nothing answers {path}")


def all_routes(app: FastAPI) -> list[APIRoute]:
    return [route for part in ROUTERS for route in part.router.routes if hasattr(route, "path")]


@given(model=PLAIN, layer=PLAIN, image=PLAIN, channel=st.integers(0, 4000))
def test_links_lead_to_their_own_routes(
    app: FastAPI, model: str, layer: str, image: str, channel: int
) -> None:
    assert found(app, urls.layer(model, layer)) == (urls.LAYER, {"model": model, "layer": layer})
    template, names = found(app, urls.grid(image, model, layer, urls.PNG))
    assert template == urls.GRID + urls.PNG
    assert names == {"image": image, "model": model, "layer": layer}
    template, names = found(app, urls.map(image, model, layer, channel, urls.JSON))
    assert template == urls.MAP + urls.JSON
    assert names["channel"] in (channel, str(channel))
    assert found(app, urls.filters(model, layer))[0] == urls.FILTERS
    assert found(app, urls.fetch_events(model))[0] == urls.FETCH_EVENTS
    assert found(app, urls.image_preview(image))[0] == urls.IMAGE_PREVIEW


@given(name=NAMES)
def test_no_name_breaks_out_of_its_place(name: str) -> None:
    path = urls.layer(name, "a.b")
    assert path.count("/") == urls.LAYER.count("/")
    assert "?" not in path
    assert "#" not in path
    assert " " not in path


def test_a_twin_is_never_taken_for_a_page_whose_name_has_a_dot(app: FastAPI) -> None:
    assert found(app, urls.layer("vgg16", "features.0"))[0] == urls.LAYER
    assert found(app, urls.layer("vgg16", "features.0", urls.JSON))[1]["layer"] == "features.0"


def test_a_query_says_only_what_was_chosen() -> None:
    assert urls.with_query("x", scale="channel", colors="", tile=0, first=None) == "x?scale=channel"
    assert urls.with_query("x") == "x"


def test_a_link_is_made_of_all_the_names_of_its_template() -> None:
    asked: Any = urls.grid
    for parts in ((), ("chelsea", "vgg16"), ("chelsea", "vgg16", "features.0", ".png", "more")):
        with pytest.raises(TypeError):
            asked(*parts)
