"""Pages: each has its twin, works as a whole and by block, and weighs little."""

import re

import pytest

from tests.running import Laterna

MODEL = "efficientnet-lite0"
LAYER = "blocks.1.0.conv_pwl"
PAGES = [
    "/",
    "/models",
    f"/models/{MODEL}",
    f"/models/{MODEL}/classes",
    f"/models/{MODEL}/layers/conv_stem",
    f"/models/{MODEL}/layers/conv_stem/channels/3",
    "/images",
    "/images/chelsea",
    f"/images/chelsea/models/{MODEL}",
    f"/images/chelsea/models/{MODEL}/layers/{LAYER}",
    f"/images/chelsea/models/{MODEL}/layers/{LAYER}/channels/3",
    "/side-by-side",
    "/calculators",
    "/architectures",
    f"/models/{MODEL}/layers/conv_stem/filters",
    "/queue",
    "/docs",
]
PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["en", "da"])
def test_a_page_is_whole_and_obeys_its_own_policy(
    server: Laterna, path: str, language: str
) -> None:
    with server.client() as client:
        answer = client.get(path, headers={"Accept-Language": language})
    assert answer.status_code == 200
    assert f'lang="{language}"' in answer.text
    assert answer.headers["cache-control"] == "private, no-cache"
    assert not re.search(r"<[^>]+\s(style|on\w+)=", answer.text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", answer.text)
    assert "hx-on" not in answer.text
    assert "js:" not in answer.text
    assert not re.search(r'(src|href)="(https?:)?//(?!arxiv|127)', answer.text)
    for tag in re.findall(r"<img[^>]*>", answer.text):
        assert all(f" {name}=" in tag for name in ("width", "height", "alt")), tag


@pytest.mark.parametrize("path", PAGES)
def test_a_page_weighs_at_most_150_kb_without_pictures(server: Laterna, path: str) -> None:
    with server.client() as client:
        page = client.get(path)
        files = re.findall(r'(?:src|href)="(/static/[^"]+\.(?:js|css|svg))"', page.text)
        weight = len(page.content) + sum(len(client.get(file).content) for file in files)
    assert weight <= 150_000


@pytest.mark.parametrize("path", [path for path in PAGES if path not in ("/", "/docs")])
def test_a_page_has_a_twin(server: Laterna, path: str) -> None:
    with server.client() as client:
        answer = client.get(f"{path}.json")
    assert answer.status_code == 200
    assert isinstance(answer.json(), dict)


def test_a_block_is_a_part_of_its_page(server: Laterna) -> None:
    path = f"/images/chelsea/models/{MODEL}/layers/{LAYER}"
    with server.client() as client:
        client.get(f"{path}.png")
        whole = client.get(path).text
        numbers = client.get(path, headers=PARTIAL | {"HX-Target": "section#numbers"}).text
        view = client.get(path, headers=PARTIAL | {"HX-Target": "div#view"}).text
        restored = client.get(path, headers={"HX-History-Restore-Request": "true"}).text
    assert numbers.strip() in whole
    assert view.strip() in whole
    assert "<html" not in view
    assert "<html" in restored


@pytest.mark.parametrize(
    ("path", "code", "status"),
    [
        ("/nowhere", "unknown_page", 404),
        ("/models/nope", "unknown_model", 404),
        (f"/models/{MODEL}/layers/nope", "unknown_layer", 404),
        (f"/models/{MODEL}/layers/conv_stem/channels/32", "unknown_channel", 404),
        ("/images/nope", "unknown_image", 404),
        (f"/images/nope/models/{MODEL}", "unknown_image", 404),
        (f"/images/chelsea/models/{MODEL}/layers/{LAYER}/channels/24", "unknown_channel", 404),
    ],
)
def test_an_error_has_three_forms(server: Laterna, path: str, code: str, status: int) -> None:
    with server.client() as client:
        program = client.get(f"{path}.json")
        asked = client.get(path, headers={"Accept": "application/json"})
        person = client.get(path, headers={"Accept": "text/html"})
        htmx = client.get(path, headers=PARTIAL | {"HX-Target": "div#x", "Accept": "text/html"})
    for answer in (program, asked, person, htmx):
        assert answer.status_code == status
        assert answer.headers["cache-control"] == "no-store"
    assert program.json()["error"]["code"] == asked.json()["error"]["code"] == code
    message = program.json()["error"]["message"]
    assert message
    assert "{" not in message
    assert "<html" in person.text
    assert "<html" not in htmx.text
    assert f'data-code="{code}"' in htmx.text


def test_errors_speak_danish_too(server: Laterna) -> None:
    with server.client() as client:
        answer = client.get("/nowhere.json", headers={"Accept-Language": "da"})
    assert "Forsiden" in answer.json()["error"]["message"]


def test_a_wrong_method_is_told_what_works(server: Laterna) -> None:
    with server.client() as client:
        answer = client.put("/models.json")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET"
    assert answer.json()["error"]["code"] == "wrong_method"


@pytest.mark.parametrize(
    ("query", "field"),
    [("scale=x", "scale"), ("sort=x", "sort"), ("colors=jet", "colors"), ("tile=-1", "tile")],
)
def test_a_wrong_field_is_named(server: Laterna, query: str, field: str) -> None:
    path = f"/images/chelsea/models/{MODEL}/layers/{LAYER}.json?{query}"
    with server.client() as client:
        answer = client.get(path)
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "wrong_field"
    assert f"“{field}”" in answer.json()["error"]["message"]


def test_an_unchanged_page_is_not_sent_again(server: Laterna) -> None:
    with server.client() as client:
        etag = client.get("/models").headers["etag"]
        again = client.get("/models", headers={"If-None-Match": etag})
    assert again.status_code == 304
    assert again.content == b""


def test_preferences_are_kept_and_lead_back(server: Laterna) -> None:
    with server.client() as client:
        back = {"Referer": f"{server.url}/models?x=1"}
        answer = client.post("/preferences", data={"theme": "projector"}, headers=back)
        assert (answer.status_code, answer.headers["location"]) == (303, "/models?x=1")
        assert 'data-theme="projector"' in client.get("/").text
        client.post("/preferences", data={"language": "da"})
        assert 'lang="da"' in client.get("/", headers={"Accept-Language": "en"}).text
        for foreign in ("https://evil.example/x", f"{server.url}//evil.example"):
            went = client.post("/preferences", data={"theme": "auto"}, headers={"Referer": foreign})
            assert not went.headers["location"].startswith(("http", "//"))
        assert client.post("/preferences", data={"theme": "pink"}).status_code == 422


def test_classes_are_found_by_words_and_by_number(server: Laterna) -> None:
    with server.client() as client:
        path = f"/models/{MODEL}/classes.json"
        assert {"class": 954, "label": "banana"} in client.get(path + "?q=banana").json()["classes"]
        assert client.get(path + "?q=954").json()["classes"] == [{"class": 954, "label": "banana"}]
        assert len(client.get(path).json()["classes"]) == 1000
        assert client.get(path + "?q=nosuchthing").json()["classes"] == []


def test_openapi_describes_every_twin_with_examples(server: Laterna) -> None:
    with server.client() as client:
        described = client.get("/openapi.json").json()
        docs = client.get("/docs").text
        queue = client.get("/docs", params={"of": "GET /queue.json"}).text
    assert '"devices": [' in queue
    assert '"devices": [' not in docs
    paths = described["paths"]
    for twin in ("/models.json", "/models/{model}.json", "/images.json", "/queue.json"):
        assert twin in paths
        assert twin in docs
    assert "post" in paths["/images.json"]
    assert "delete" in paths["/images/{image}"]
    assert described["components"]["schemas"]["Grid"]["examples"]
    assert not any(path in paths for path in ("/models", "/docs", "/preferences"))
