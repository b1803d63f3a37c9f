"""Guards: every answer is fenced in, and what is not meant for this server stays out."""

import asyncio
import json
import socket
import subprocess
import sys
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from app.web import guards
from app.web.guards import SECURITY
from tests.running import PATIENCE, Laterna, wait_until

MIB = 1024 * 1024


def raw(server: Laterna, head: str, *pieces: bytes) -> bytes:
    """Send bytes as they are; what came back until the server closed or fell silent."""
    place = urlsplit(server.url)
    with socket.create_connection((place.hostname, place.port), timeout=PATIENCE) as line:
        line.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n")
        try:
            for piece in pieces:
                line.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass
        line.settimeout(PATIENCE)
        received = b""
        try:
            while b"\r\n\r\n" not in received and (some := line.recv(65536)):
                received += some
        except (TimeoutError, ConnectionResetError):
            pass
        return received


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/models.json"),
        ("GET", "/healthz"),
        ("GET", "/metrics"),
        ("GET", "/nowhere"),
        ("GET", "/nowhere.json"),
        ("GET", "/images/chelsea.png"),
        ("GET", "/images/chelsea/preview.jpg"),
        ("GET", "/models/efficientnet-lite0/events"),
        ("PUT", "/models"),
        ("POST", "/images"),
        ("HEAD", "/"),
        ("GET", "/static/x/y"),
    ],
)
def test_every_answer_has_the_security_headers(server: Laterna, method: str, path: str) -> None:
    with server.client() as client, client.stream(method, path) as answer:
        for name, value in SECURITY.items():
            assert answer.headers[name] == value
        assert answer.headers["x-request-id"]
        assert "access-control-allow-origin" not in answer.headers
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert policy.startswith("default-src 'none'")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.0.0.1:99", "[::1]", "[::1]:8000"])
def test_own_names_are_answered(server: Laterna, host: str) -> None:
    with server.client() as client:
        assert client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "[::2]", "x" * 500]
)
def test_other_names_are_refused(server: Laterna, host: str) -> None:
    with server.client() as client:
        answer = client.get("/healthz", headers={"Host": host, "Accept": "application/json"})
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "wrong_host"
        assert answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://["},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_sites_page_changes_nothing(server: Laterna, headers: dict[str, str]) -> None:
    with server.client() as client:
        for path in ("/preferences", "/images", "/images/chelsea/delete", "/models/vgg16/fetch"):
            answer = client.post(path, data={"theme": "dark"}, headers=headers)
            assert answer.status_code == 403, path
            assert "set-cookie" not in answer.headers
        assert client.delete("/images/chelsea", headers=headers).status_code == 403


def test_own_pages_and_scripts_may_change_something(server: Laterna) -> None:
    own = {"Origin": server.url, "Sec-Fetch-Site": "same-origin"}
    with server.client() as client:
        for headers in (own, {}):
            answer = client.post("/preferences", data={"theme": "dark"}, headers=headers)
            assert answer.status_code == 303
            assert "laterna_theme=dark" in answer.headers["set-cookie"]


@pytest.mark.parametrize("before", ["http://[::1", "http://evil.example/x", ""])
def test_who_came_from_nowhere_known_goes_to_the_start(server: Laterna, before: str) -> None:
    with server.client() as client:
        answer = client.post("/preferences", data={"theme": "dark"}, headers={"Referer": before})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_a_large_body_is_refused_before_it_is_sent(server: Laterna) -> None:
    head = (
        "POST /images.json HTTP/1.1\nHost: 127.0.0.1\nContent-Type: multipart/form-data; "
        f"boundary=x\nContent-Length: {26 * MIB}"
    )
    answer = raw(server, head)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"content-security-policy" in answer


def test_bytes_are_counted_as_they_come(server: Laterna) -> None:
    head = (
        "POST /images.json HTTP/1.1\nHost: 127.0.0.1\nContent-Type: multipart/form-data; "
        "boundary=x\nTransfer-Encoding: chunked"
    )
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
    chunk = b"%x\r\n" % MIB + b"\0" * MIB + b"\r\n"
    answer = raw(server, head, b"%x\r\n" % len(part) + part + b"\r\n", *[chunk] * 27)
    assert answer.startswith(b"HTTP/1.1 413"), answer[:200]


def test_other_bodies_have_a_limit_of_their_own(server: Laterna) -> None:
    with server.client() as client:
        body = "theme=" + "x" * (MIB + 1)
        form = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        assert client.post("/preferences", content=body, headers=form).status_code == 413


@pytest.mark.parametrize(
    "path", ["/images.json", "/models.json", "/images/chelsea.json", "/queue.json"]
)
def test_answers_in_json_are_kept_by_no_shared_cache(server: Laterna, path: str) -> None:
    with server.client() as client:
        headers = client.get(path).headers
        assert headers["cache-control"] == "private, no-cache"
        assert {"Accept-Language", "Cookie"} <= set(headers["vary"].split(", "))
        assert client.get("/nowhere.json").headers["cache-control"] == "no-store"
        assert "cache-control" not in client.get("/openapi.json").headers


def test_fields_left_empty_count_as_absent(server: Laterna) -> None:
    grid = "/images/chelsea/models/efficientnet-lite0/layers/conv_stem"
    with server.client() as client:
        for tail in ("", ".json", ".png"):
            answer = client.get(f"{grid}{tail}?channel=&tile=&scale=&first=&sort=&colors=")
            assert answer.status_code == 200


GRID = "/images/chelsea/models/efficientnet-lite0/layers/conv_stem"


@pytest.mark.parametrize(
    ("path", "english", "danish"),
    [
        (f"{GRID}.json?tile=x", "must be a whole number.", "skal være et helt tal."),
        (f"{GRID}.json?tile=-1", "must be 0 or more.", "skal være 0 eller mere."),
        (f"{GRID}.json?tile=999", "must be 512 or less.", "skal være 512 eller mindre."),
        (f"{GRID}.json?scale=x", "one of robust, layer, channel.", "en af robust, layer, channel."),
        (f"{GRID}.json?colors=x", "must be one of ", "skal være en af "),
        (
            f"/models/efficientnet-lite0/classes.json?q={'x' * 101}",
            "100 characters at most.",
            "højst have 100 tegn.",
        ),
    ],
)
def test_a_wrong_field_is_told_in_the_language(
    server: Laterna, path: str, english: str, danish: str
) -> None:
    with server.client() as client:
        for language, sentence in (("en", english), ("da", danish)):
            answer = client.get(path, headers={"Accept-Language": language})
            assert answer.status_code == 422
            assert sentence in answer.json()["error"]["message"]


def test_no_sentence_ends_twice(server: Laterna) -> None:
    form = {"Content-Type": "multipart/form-data"}
    with server.client() as client:
        answer = client.post("/images.json", content=b"x", headers=form)
    assert answer.status_code == 400
    assert not answer.json()["error"]["message"].endswith("..")


def test_what_libraries_log_is_json_too() -> None:
    said = (
        "import logging, app.logs as logs; logs.configure_logs();"
        "logging.getLogger('python_multipart').warning('odd');"
        "logging.getLogger('somebody').warning('hello %d', 3)\n"
        "try: 1 / 0\n"
        "except Exception: logging.getLogger('somebody').exception('oh')"
    )
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    hello, oh = (json.loads(line) for line in done.stderr.splitlines())
    assert (hello["event"], hello["logger"], hello["level"]) == ("hello 3", "somebody", "warning")
    assert oh["exception"][0]["exc_type"] == "ZeroDivisionError"


def test_head_is_a_get_without_its_body(server: Laterna) -> None:
    with server.client() as client:
        answer = client.head("/images/chelsea.png")
        assert answer.status_code == 200
        assert answer.content == b""
        assert int(answer.headers["content-length"]) > 1000


def test_the_log_tells_templates_and_no_pictures(server: Laterna) -> None:
    with server.client() as client:
        client.get("/images/secret-looking-id-of-somebody.json")
        client.get("/models/efficientnet-lite0.json")
    wait_until(lambda: '"route": "/models/{model}.json"' in server.log.read_text())
    lines = [
        json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")
    ]
    requests = [line for line in lines if line["event"] == "request"]
    assert {"route", "status", "seconds", "request", "method"} <= set(requests[-1])
    assert any(line["route"] == "/models/{model}.json" for line in requests)
    assert "secret-looking" not in server.log.read_text()


def test_metrics_count_by_template_and_tell_of_the_device(server: Laterna) -> None:
    with server.client() as client:
        client.get("/models/efficientnet-lite0.json")
        told = client.get("/metrics").text
    counted = 'laterna_requests_total{method="GET",route="/models/{model}.json",status="200"}'
    assert counted in told
    assert "laterna_request_seconds_bucket" in told
    assert 'state="ready"} 1.0' in told
    assert "laterna_archive_bytes " in told
    assert "laterna_waiting{" in told


def test_made_up_methods_are_counted_as_one(server: Laterna) -> None:
    with server.client() as client:
        for method in ("BREW", "PROPFIND"):
            assert client.request(method, "/healthz").status_code == 405
        told = client.get("/metrics").text
    assert 'method="other",route="/healthz",status="405"' in told
    assert "BREW" not in told


def test_foreign_hosts_do_not_reach_a_route(server: Laterna) -> None:
    with httpx.Client(base_url=server.url, headers={"Host": "evil.example"}) as client:
        assert client.get("/images/chelsea.png").status_code == 400


def test_a_head_of_a_stream_ends_with_its_headers() -> None:
    """And what would go on streaming is told to stop."""
    sent: list[Message] = []
    stopped = asyncio.Event()

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
        try:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            while True:
                await send({"type": "http.response.body", "body": b"data\n", "more_body": True})
                await asyncio.sleep(0.01)
        finally:
            stopped.set()

    async def never() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def told(message: Message) -> None:
        sent.append(message)

    async def story() -> None:
        scope = {"type": "http", "method": "HEAD", "path": "/", "headers": [], "query_string": b""}
        async with asyncio.timeout(60):
            await guards.RequestLog(endless)(scope, never, told)
            await stopped.wait()

    asyncio.run(story())
    assert sent[0]["status"] == 200
    assert [(one["type"], one.get("body")) for one in sent[1:]] == [("http.response.body", b"")]
    assert not sent[-1]["more_body"]
