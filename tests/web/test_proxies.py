"""Behind a proxy: own pages may change something, foreign ones may not, and it is said why."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError
from starlette.types import Message, Receive, Scope, Send

from app.settings import ROOT, Settings
from app.web.proxies import Proxied
from tests.proxies import Habits, proxy
from tests.running import Laterna, closed_port, laterna, wait_until
from tests.test_documentation import README

NAME = "lantern.school.example"
THEME = {"theme": "dark"}


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laterna]:
    """A server that answers to one name only."""
    folder = tmp_path_factory.mktemp("named") / "data"
    with laterna(folder, LATERNA_ALLOWED_HOSTS=NAME) as running:
        yield running


def changed(client: httpx.Client, headers: dict[str, str]) -> httpx.Response:
    return client.post("/preferences", data=THEME, headers=headers)


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        (NAME, f"http://{NAME}"),
        (NAME, f"https://{NAME}"),
        (NAME, f"http://{NAME}:80"),
        (NAME, f"https://{NAME}:443"),
        (f"{NAME}:80", f"http://{NAME}"),
        (f"{NAME}:443", f"https://{NAME}"),
        (f"{NAME}:8080", f"http://{NAME}:8080"),
        (f"{NAME}.", f"http://{NAME}"),
        (NAME.upper(), f"HTTP://{NAME.title()}"),
        (NAME, f"https://{NAME}."),
    ],
)
def test_ports_that_are_the_default_and_spellings_make_no_stranger(
    named: Laterna, host: str, origin: str
) -> None:
    with named.client() as client:
        answer = changed(client, {"Host": host, "Origin": origin})
        assert answer.status_code == 303, answer.text


@pytest.mark.parametrize("host", ["[::1]:8000", "[0:0:0:0:0:0:0:1]", "[::1]:80", "LOCALHOST.:99"])
def test_one_address_in_any_spelling_is_one_host(server: Laterna, host: str) -> None:
    with server.client() as client:
        assert client.get("/healthz", headers={"Host": host}).status_code == 200
        shown = changed(client, {"Host": host, "Origin": f"http://{host}"})
        assert shown.status_code == 303


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        (NAME, f"http://{NAME}:8080"),
        (f"{NAME}:8080", f"http://{NAME}"),
        (f"{NAME}:8080", f"http://{NAME}:8081"),
        (NAME, "https://evil.example"),
        (NAME, "null"),
        (NAME, f"file://{NAME}"),
        (NAME, f"http://{NAME}@evil.example"),
        (NAME, f"http://evil.example@{NAME}"),
        (NAME, f"http://{NAME}:port"),
        (NAME, f"http://{NAME}.evil.example"),
    ],
)
def test_another_origin_is_refused_and_the_proxy_named(
    named: Laterna, host: str, origin: str
) -> None:
    with named.client() as client:
        answer = changed(client, {"Host": host, "Origin": origin, "Accept": "application/json"})
        assert answer.status_code == 403
        error = answer.json()["error"]
        assert error["code"] == "foreign_origin"
        assert "proxy" in error["message"]
        assert "X-Forwarded-Host" in error["message"]
        assert origin in error["message"]


def test_what_the_browser_itself_says_counts_for_our_own_names(named: Laterna) -> None:
    own = {"Host": NAME, "Origin": f"https://{NAME}:8443", "Sec-Fetch-Site": "same-origin"}
    with named.client() as client:
        assert changed(client, own).status_code == 303
        for change in (
            {"Origin": "https://evil.example"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
        ):
            assert changed(client, own | change).status_code == 403


def test_a_wrong_host_is_told_what_a_proxy_must_pass_on(named: Laterna) -> None:
    with named.client() as client:
        answer = client.get("/models.json")  # under the address, which is not its name
        assert answer.status_code == 400
        message = answer.json()["error"]["message"]
        assert "LATERNA_ALLOWED_HOSTS" in message
        assert "X-Forwarded-Host" in message
        assert "proxy" in message


@pytest.mark.parametrize(
    "habits",
    [
        Habits(),
        Habits("upstream", forwards_host=True),
        Habits("without port", forwards_host=True),
        Habits("upstream", {"X-Forwarded-Proto": "https"}, forwards_host=True),
    ],
    ids=str,
)
def test_a_page_changes_something_through_a_proxy(named: Laterna, habits: Habits) -> None:
    with proxy(named.url, habits) as address, httpx.Client(base_url=address) as client:
        port = address.rpartition(":")[2]
        scheme = habits.forwarded.get("X-Forwarded-Proto", "http")
        headers = {"Host": f"{NAME}:{port}"}
        page = client.get("/", headers=headers)
        assert page.status_code == 200
        answer = changed(client, headers | {"Origin": f"{scheme}://{NAME}:{port}"})
        assert answer.status_code == 303
        foreign = changed(client, headers | {"Origin": "https://evil.example"})
        assert foreign.status_code == 403
        files = {"file": ("a.txt", b"x")}
        assert client.post("/images.json", files=files, headers=headers).status_code == 415


def test_a_name_that_leads_here_cannot_call_itself_ours(server: Laterna) -> None:
    """DNS rebinding: a page may add headers to what it asks of its own name."""
    with server.client() as client:
        headers = {"Host": "evil.example", "X-Forwarded-Host": "localhost"}
        assert client.get("/images/chelsea.png", headers=headers).status_code == 400


def test_only_trusted_proxies_are_believed(tmp_path: Path) -> None:
    outside = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
    for trusted, is_secure in (("127.0.0.0/8", True), ("192.0.2.1", False), (" ", False)):
        with (
            laterna(
                tmp_path / f"data-{is_secure}{len(trusted)}", LATERNA_TRUSTED_PROXIES=trusted
            ) as running,
            running.client() as client,
        ):
            running.wait_until_ready()
            body = {"kind": "class", "class": 1, "steps": 1, "size": 32}
            answer = client.post("/visualizations.json", json=body, headers=outside)
            assert answer.status_code == 202
            assert ("secure" in answer.headers["set-cookie"].lower()) is is_secure
            renamed = client.get("/healthz", headers={"X-Forwarded-Host": "evil.example"})
            assert renamed.status_code == (400 if is_secure else 200)


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("203.0.113.7, 10.0.0.3", "203.0.113.7"),
        ("203.0.113.7:4711, [::1]:80", "203.0.113.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("nonsense, 203.0.113.7", "203.0.113.7"),
        ("203.0.113.7, nonsense", "127.0.0.1"),
        ("10.0.0.1, 10.0.0.2", "10.0.0.1"),
        ("", "127.0.0.1"),
    ],
)
def test_who_asked_is_the_last_that_no_trusted_proxy_is(said: str, seen: str) -> None:
    found: list[str] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        found.append(scope["client"][0])

    async def receive() -> Message:
        raise AssertionError("nobody asks")

    async def send(_: Message) -> None:
        raise AssertionError("nobody answers")

    settings = Settings(trusted_proxies=("127.0.0.1", "::1", "10.0.0.0/8"))
    scope = {
        "type": "http",
        "scheme": "http",
        "path": "/",
        "client": ("127.0.0.1", 5),
        "headers": [(b"host", b"localhost"), (b"x-forwarded-for", said.encode())],
    }
    asyncio.run(Proxied(inner, settings)(scope, receive, send))
    assert found == [seen]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Lantern.School.Example", NAME),
        (f"{NAME}.", NAME),
        ("[::1]", "[::1]"),
        ("::1", "[::1]"),
        ("[0:0:0:0:0:0:0:1]", "[::1]"),
        ("127.0.0.1", "127.0.0.1"),
        ("blåbær.example", "xn--blbr-roah.example"),
        ("my_pc", "my_pc"),
    ],
)
def test_a_name_may_be_spelled_in_many_ways(text: str, name: str) -> None:
    assert Settings.model_validate({"allowed_hosts": text}).allowed_hosts == (name,)


@pytest.mark.parametrize(
    ("setting", "value", "hint"),
    [
        ("allowed_hosts", "*", "Name each host"),
        ("allowed_hosts", "*.school.example", "Name each host"),
        ("allowed_hosts", "localhost,*", "Name each host"),
        ("allowed_hosts", f"{NAME}:8080", f"Write “{NAME}”"),
        ("allowed_hosts", "[::1]:8080", "Write “[::1]”"),
        ("allowed_hosts", f"https://{NAME}", f"Write “{NAME}”"),
        ("allowed_hosts", f"https://{NAME}:8443/laterna/", f"Write “{NAME}”"),
        ("allowed_hosts", f"{NAME}/laterna", f"Write “{NAME}”"),
        ("allowed_hosts", f"{NAME} localhost", "commas"),
        ("allowed_hosts", ".school.example", "not the name"),
        ("allowed_hosts", "a..b", "not the name"),
        ("allowed_hosts", "[zz]", "not the name"),
        ("allowed_hosts", ",", "nobody"),
        ("allowed_hosts", "", "nobody"),
        ("trusted_proxies", "*", "neither an address"),
        ("trusted_proxies", "proxy", "neither an address"),
        ("trusted_proxies", "10.0.0.0/99", "neither an address"),
        ("trusted_proxies", "127.0.0.1:80", "neither an address"),
    ],
)
def test_a_wrong_setting_is_told_in_a_sentence(setting: str, value: str, hint: str) -> None:
    with pytest.raises(ValidationError) as told:
        Settings.model_validate({setting: value})
    (problem,) = told.value.errors()
    assert problem["loc"] == (setting,)
    assert hint in problem["msg"]


def test_a_wrong_setting_ends_the_start(tmp_path: Path) -> None:
    environment = {**os.environ, "LATERNA_ALLOWED_HOSTS": f"https://{NAME}:8443", "PORT": "0"}
    environment["LATERNA_DATA_DIR"] = str(tmp_path / "data")
    done = subprocess.run(
        [sys.executable, "-m", "app"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert f"Write “{NAME}”" in done.stderr


NGINX = """
user root; daemon off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    {servers}
}}
"""


@contextmanager
def nginx(folder: Path, lines: str, upstream: str) -> Iterator[str]:
    """nginx with the lines of the README in front of a server; skips where it is not installed."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("needs nginx")
    port = closed_port()
    lines = lines.replace("127.0.0.1:8000", upstream.removeprefix("http://"))
    lines = re.sub(r"listen \d+", f"listen 127.0.0.1:{port}", lines)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, servers=lines), "utf-8")
    running = subprocess.Popen([program, "-p", folder, "-c", folder / "nginx.conf"])
    address = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        assert running.poll() is None, (folder / "error.log").read_text("utf-8")
        try:
            return httpx.get(f"{address}/healthz").status_code > 0
        except httpx.HTTPError:
            return False

    try:
        wait_until(answers)
        yield address
    finally:
        running.terminate()
        running.wait()


def nginx_lines() -> list[str]:
    """The lines for nginx that the README shows."""
    return re.findall(r"```nginx\n(.*?)```", README, re.DOTALL)


def test_the_lines_for_nginx_do_what_they_are_for(named: Laterna, tmp_path: Path) -> None:
    with nginx(tmp_path, nginx_lines()[0], named.url) as address:
        port = address.rpartition(":")[2]
        own = {"Host": f"{NAME}:{port}", "Origin": f"http://{NAME}:{port}"}
        with httpx.Client(base_url=address, headers={"Host": own["Host"]}, timeout=60) as client:
            assert client.get("/").status_code == 200
            assert changed(client, own).status_code == 303
            assert changed(client, own | {"Origin": "http://evil.example"}).status_code == 403
            large = {"file": ("a.bin", b"x" * (3 << 20))}
            assert client.post("/images.json", files=large, headers=own).status_code == 415
            spoofed = {"X-Forwarded-Host": "evil.example", "X-Forwarded-For": "203.0.113.7"}
            assert client.get("/healthz", headers=spoofed).status_code == 200


def test_streams_come_through_nginx_as_they_are_written(named: Laterna, tmp_path: Path) -> None:
    with (
        nginx(tmp_path, nginx_lines()[0], named.url) as address,
        httpx.Client(base_url=address, headers={"Host": NAME}, timeout=120) as client,
    ):
        wait_until(lambda: client.get("/readyz").status_code == 200)
        body = {"kind": "class", "class": 1, "steps": 2048, "size": 224}
        made = client.post("/visualizations.json", json=body).json()
        with client.stream("GET", f"{made['url']}/events") as events:
            assert events.headers["content-type"].startswith("text/event-stream")
            first = next(line for line in events.iter_lines() if line.startswith("data:"))
        assert first  # long before it is done
        assert client.get(f"{made['url']}.json").json()["state"] in ("queued", "running")
        assert client.post(f"{made['url']}/cancel.json").status_code == 200
