"""Under a path behind a proxy: all pages, links, styles, scripts, redirects, cookies lie there."""

import html
import io
import re
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest
from PIL import Image
from pydantic import ValidationError

from app.errors import RootTaken
from app.settings import Settings
from app.web import urls
from app.web.proxies import check_root
from tests.asking import CHANNEL, MODEL
from tests.proxies import Habits, proxy
from tests.running import Laterna, laterna, wait_until

ROOT = "/laterna"
#: A link to a page of ours without the root path, wherever in a page or in JSON.
ASTRAY = re.compile(
    r"""["'(=]("""
    + "|".join(map(re.escape, sorted(urls.firsts())))
    + r""")(?=[/.?#"')&]|$)[^"'\s]*|\s(?:href|src|action|hx-\w+)="/(?!laterna/)[^"]*\""""
)
LINK = re.compile(r'\s(?:href|src|hx-get|data-url|data-picture|data-list)="(/[^"#]*)')
#: So many pages of one kind are looked at.
EACH = 2


@pytest.fixture(scope="module")
def rooted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laterna]:
    """A server that lies under a path."""
    folder = tmp_path_factory.mktemp("rooted") / "data"
    with laterna(folder, LATERNA_ROOT_PATH=ROOT) as running:
        yield running.wait_until_ready()


@pytest.fixture(scope="module", params=[True, False], ids=["stripped", "left"])
def client(request: pytest.FixtureRequest, rooted: Laterna) -> Iterator[httpx.Client]:
    """Somebody before a proxy that takes the path off, and before one that leaves it."""
    habits = Habits(prefix=ROOT, strips=request.param)
    with (
        proxy(rooted.url, habits) as address,
        httpx.Client(base_url=address, timeout=120) as somebody,
    ):
        yield somebody


def png() -> bytes:
    out = io.BytesIO()
    Image.radial_gradient("L").convert("RGB").save(out, "PNG")
    return out.getvalue()


def kind(path: str) -> str:
    """Paths of one route look alike."""
    bare, _, query = path.partition("?")
    names = re.sub(r"=[^&]*", "", query)
    parts = bare.split("/")
    fixed = {part for known in urls.firsts() for part in known.split("/")}
    words = {part for name, template in vars(urls).items() if name.isupper()
             and isinstance(template, str) for part in template.split("/")}  # fmt: skip
    ending = re.search(r"\.(json|png|jpg|csv|ipynb|webp|css|js|svg)$", bare)
    shape = [part if part in fixed | words | {"laterna"} else "*" for part in parts]
    return "/".join(shape) + (ending[0] if ending else "") + "?" + names


def checked(answer: httpx.Response, path: str) -> None:
    """Nothing in an answer leads out of the root path."""
    location = answer.headers.get("location", ROOT + "/")
    assert location.startswith(ROOT + "/"), (path, location)
    for cookie in answer.headers.get_list("set-cookie"):
        assert f"Path={ROOT};" in cookie + ";", (path, cookie)
    media = answer.headers.get("content-type", "")
    if "html" not in media and "json" not in media:
        return
    if path.startswith((f"{ROOT}/docs", f"{ROOT}/openapi.json")) or "ipynb" in path:
        return  # they name paths as the API has them, below its server's address
    astray = ASTRAY.search(html.unescape(answer.text))
    assert astray is None, (path, astray and astray[0])


def test_every_page_stays_under_the_path(client: httpx.Client) -> None:
    """Whoever follows all links, kind by kind, sees whole pages and never leaves the path."""
    files = {"file": ("a.png", png())}
    made = client.post(f"{ROOT}/images", files=files)
    checked(made, "/images")
    shown = client.post(f"{ROOT}/visualizations.json", json=CHANNEL)
    checked(shown, "/visualizations.json")
    page = shown.json()["url"]
    wait_until(lambda: client.get(f"{page}.json").json()["state"] == "done")
    seen: set[str] = set()
    kinds: Counter[str] = Counter()
    waiting = [f"{ROOT}/", ROOT, made.headers["location"], page, f"{ROOT}/lecture"]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        if kinds[kind(path)] >= EACH:
            continue
        kinds[kind(path)] += 1
        answer = client.get(path, headers={"Accept": "text/html"})
        assert answer.status_code in (200, 303, 409, 503), (path, answer.status_code, answer.text)
        checked(answer, path)
        if "html" in answer.headers.get("content-type", ""):
            waiting += [html.unescape(link) for link in LINK.findall(answer.text)]
            twin = path.partition("?")[0]
            if answer.status_code == 200 and not twin.endswith("/"):
                asked = client.get(f"{twin}.json")
                if asked.status_code == 200:
                    checked(asked, f"{twin}.json")
    assert len(kinds) > 40
    assert any("static" in one and one.endswith(".css?") for one in kinds)


def test_forms_lead_back_under_the_path(client: httpx.Client) -> None:
    there = f"{client.base_url}".rstrip("/")
    for before, after in (
        (f"{there}{ROOT}/models?x=1", f"{ROOT}/models?x=1"),
        (f"{there}{ROOT}/", f"{ROOT}/"),
        (f"{there}/elsewhere", f"{ROOT}/"),
        (f"{there}{ROOT}//evil.example", f"{ROOT}/evil.example"),
        ("http://evil.example/laterna/models", f"{ROOT}/"),
        ("", f"{ROOT}/"),
    ):
        answer = client.post(
            f"{ROOT}/preferences", data={"theme": "dark"}, headers={"Referer": before}
        )
        assert (answer.status_code, answer.headers["location"]) == (303, after)
        checked(answer, "/preferences")
    assert 'data-theme="dark"' in client.get(f"{ROOT}/models").text
    taken = client.post(f"{ROOT}/images.json", files={"file": ("a.png", png())})
    checked(taken, "/images.json")
    page = taken.json()["url"]
    shared = client.post(f"{page}/share", data={"shared": "on"})
    assert shared.headers["location"] == page
    assert f'value="{there}{page}"' in client.get(page).text
    gone = client.post(f"{page}/delete")
    assert gone.headers["location"] == f"{ROOT}/images"


def test_the_description_names_its_server(client: httpx.Client) -> None:
    described = client.get(f"{ROOT}/openapi.json").json()
    assert described["servers"][0]["url"] == ROOT
    assert "/models/{model}.json" in described["paths"]
    assert f"{ROOT}/queue.json" in client.get(f"{ROOT}/docs").text


def test_limits_and_refusals_are_the_same_under_the_path(client: httpx.Client) -> None:
    large = {"file": ("a.bin", b"\xff\xd8\xff" + bytes(2 << 20))}
    assert client.post(f"{ROOT}/images.json", files=large).status_code == 422  # not a 413
    answer = client.get(f"{ROOT}/nowhere")
    assert answer.status_code == 404
    checked(answer, "/nowhere")
    foreign = client.post(
        f"{ROOT}/preferences", data={"theme": "dark"}, headers={"Origin": "http://evil.example"}
    )
    assert foreign.status_code == 403
    stream = f"{ROOT}/models/{MODEL}/events"
    with client.stream("GET", stream) as events:
        assert events.status_code == 200
        assert events.headers["x-accel-buffering"] == "no"


@pytest.mark.parametrize(
    ("said", "root"),
    [("", ""), ("/", ""), ("/laterna", ROOT), ("/laterna/", ROOT), ("/a/b-c/~d", "/a/b-c/~d")],
)
def test_a_root_path_is_written_in_one_way(said: str, root: str) -> None:
    assert Settings.model_validate({"root_path": said}).root_path == root


@pytest.mark.parametrize(
    "said",
    ["laterna", "https://x/laterna", "//x", "/a//b", "/a b", "/../x", "/a?b", "/a%2fb"],
)
def test_a_wrong_root_path_is_told(said: str) -> None:
    with pytest.raises(ValidationError, match="is not a path alone"):
        Settings.model_validate({"root_path": said})


@pytest.mark.parametrize("said", ["/models", "/images/x", "/static", "/models.json"])
def test_a_root_path_is_none_of_our_own(said: str) -> None:
    with pytest.raises(RootTaken):
        check_root(said)
