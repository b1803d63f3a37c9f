"""What comes in: bounded while it is read, all together too, and nothing of it stays behind."""

import asyncio
import json
import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.types import Message, Receive

from app.errors import TooSlow
from app.web import bodies
from tests.bad_pictures import encoded
from tests.running import Laterna, laterna, wait_until

MIB = 1024 * 1024
TOGETHER = 60 * MIB


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The temporary folder of the machine, as the server sees it."""
    return tmp_path_factory.mktemp("elsewhere")


@pytest.fixture(scope="module")
def bounded(tmp_path_factory: pytest.TempPathFactory, elsewhere: Path) -> Iterator[Laterna]:
    """A server with room for six uploads of ten MB at one time."""
    folder = tmp_path_factory.mktemp("bounded") / "data"
    with laterna(
        folder,
        TMPDIR=str(elsewhere),
        LATERNA_BODIES_MAX_BYTES=str(TOGETHER),
        LATERNA_UPLOADS_PER_MINUTE="1000",
    ) as running:
        yield running


def connect(server: Laterna) -> socket.socket:
    place = urlsplit(server.url)
    assert place.hostname is not None
    return socket.create_connection((place.hostname, place.port), timeout=60)


def begun(server: Laterna, path: str, promised: int, sent: int) -> socket.socket:
    """An upload that stops after some bytes of its one file; refused ones stop earlier."""
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {promised}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
    )
    line = connect(server)
    with suppress(BrokenPipeError, ConnectionResetError):
        line.sendall(head.encode() + part + b"\0" * (sent - len(part)))
    return line


def spooled(server: Laterna) -> list[tuple[str, int]]:
    """(place, bytes) of the nameless files that the server has open."""
    assert server.process is not None
    found = []
    for descriptor in Path(f"/proc/{server.process.pid}/fd").iterdir():
        try:
            place, size = str(descriptor.readlink()), descriptor.stat().st_size
        except FileNotFoundError:
            continue
        if place.endswith(" (deleted)"):
            found.append((place, size))
    return found


def refused(line: socket.socket) -> bool:
    """Whether an answer has come, which is a refusal as nothing is whole."""
    line.setblocking(False)
    try:
        return line.recv(16, socket.MSG_PEEK).startswith(b"HTTP/1.1 503")
    except BlockingIOError:
        return False


def test_twenty_connections_fill_nothing_and_leave_nothing(
    bounded: Laterna, elsewhere: Path
) -> None:
    """Each promises ten MB and sends nine; those beyond the bound are refused before."""
    before = sum(file.stat().st_size for file in bounded.data.rglob("*") if file.is_file())
    lines = [begun(bounded, "/images.json", 10 * MIB, 9 * MIB) for _ in range(20)]
    wait_until(lambda: sum(refused(line) for line in lines) == 14)
    wait_until(lambda: sum(size for _, size in spooled(bounded)) >= 6 * 8 * MIB)
    files = spooled(bounded)
    assert sum(size for _, size in files) <= TOGETHER
    assert all(place.startswith(str(bounded.data)) for place, _ in files)
    assert [file for file in elsewhere.rglob("*") if file.is_file()] == []
    with bounded.client() as client:
        assert client.get("/healthz").status_code == 200
    for line in lines:
        line.close()
    wait_until(lambda: spooled(bounded) == [])
    after = sum(file.stat().st_size for file in bounded.data.rglob("*") if file.is_file())
    assert after <= before + 4 * MIB  # the log of the index may have grown, not by a body
    with bounded.client() as client:
        for _ in range(12):  # all of the room is free again
            answer = client.post("/images.json", files={"file": ("a.png", encoded("PNG"))})
            assert answer.status_code == 201


def test_a_crowd_is_told_when_to_come_again(bounded: Laterna) -> None:
    lines = [begun(bounded, "/images.json", 20 * MIB, 1000) for _ in range(3)]
    try:
        with bounded.client() as client:

            def crowded() -> bool:
                answer = client.post("/images.json", files={"file": ("a.png", encoded("PNG"))})
                return answer.status_code == 503 and answer.json()["error"]["code"] == "crowded"

            wait_until(crowded)
            answer = client.post("/images.json", files={"file": ("a.png", encoded("PNG"))})
            assert int(answer.headers["retry-after"]) > 0
            assert client.get("/images").status_code == 200
    finally:
        for line in lines:
            line.close()


def test_one_file_too_large_is_refused_while_it_is_read_and_the_others_are_taken(
    bounded: Laterna,
) -> None:
    good, large = encoded("PNG"), b"\xff\xd8\xff" + bytes(26 * MIB)
    files = [("file", ("a.png", good)), ("file", ("b.jpg", large)), ("file", ("c.png", good))]
    with bounded.client() as client:
        answer = client.post("/images", files=files, headers={"Accept": "text/html"})
        assert answer.status_code == 413
        assert "b.jpg" in answer.text
        assert len(client.get("/images.json").json()["images"]) == 2
    wait_until(lambda: spooled(bounded) == [])


def test_the_rate_is_checked_before_the_body_is_read(tmp_path: Path) -> None:
    with laterna(tmp_path / "data", LATERNA_UPLOADS_PER_MINUTE="1") as narrow:
        with narrow.client() as client:
            files = {"file": ("a.jpg", b"no picture")}
            assert client.post("/images.json", files=files).status_code == 415
        for path in ("/images.json", "/images"):
            line = begun(narrow, path, 20 * MIB, 200)  # which never sends the rest
            answer = line.recv(65536)
            assert answer.startswith(b"HTTP/1.1 429"), answer
            line.close()


def requests_logged(server: Laterna, route: str) -> list[dict[str, object]]:
    lines = [line for line in server.log.read_text("utf-8").splitlines() if line.startswith("{")]
    return [line for line in map(json.loads, lines) if line.get("route") == route]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/images.json", "multipart/form-data; boundary=x"),
        ("/images", "multipart/form-data; boundary=x"),
        ("/visualizations.json", "application/json"),
        ("/preferences", "application/x-www-form-urlencoded"),
        ("/visualizations", "application/x-www-form-urlencoded"),
    ],
)
def test_who_leaves_before_the_end_is_counted_as_gone(
    bounded: Laterna, path: str, kind: str
) -> None:
    counted = f'laterna_requests_total{{method="POST",route="{path}",status="499"}}'
    before = len(requests_logged(bounded, path))
    line = connect(bounded)
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 900\r\nContent-Type: {kind}"
    line.sendall(head.encode() + b"\r\n\r\n--x\r\n")
    line.close()
    wait_until(lambda: len(requests_logged(bounded, path)) > before)
    assert requests_logged(bounded, path)[-1]["status"] == 499
    with bounded.client() as client:
        told = client.get("/metrics").text
    assert counted in told
    assert not re.search(r'status="500"', told)
    assert '"event": "unexpected"' not in bounded.log.read_text("utf-8")


def test_forms_that_are_none_are_refused_in_words(bounded: Laterna) -> None:
    with bounded.client() as client:
        for kind, body in (
            ("multipart/form-data", b"x"),
            ("multipart/form-data; boundary=x", b"--x\r\nnonsense"),
            ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\n"),
            ("application/x-www-form-urlencoded", b"file=a"),
            ("text/plain", b"file"),
        ):
            answer = client.post("/images.json", content=body, headers={"Content-Type": kind})
            assert answer.status_code in (400, 422), kind
            assert answer.json()["error"]["message"].endswith(".")


def test_without_a_length_the_bound_holds_too(bounded: Laterna) -> None:
    def endless() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
        for _ in range(80):
            yield bytes(MIB)

    headers = {"Content-Type": "multipart/form-data; boundary=x", "Accept": "application/json"}
    with bounded.client() as client:
        try:
            answer = client.post("/images", content=endless(), headers=headers)
            assert answer.status_code == 413
        except (httpx.WriteError, httpx.ReadError):
            pass  # it was refused while it was still being sent
    wait_until(lambda: spooled(bounded) == [])


def test_what_stalls_or_trickles_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it would be after half a minute; a body that is whole may wait as long as it likes."""
    monkeypatch.setattr(bodies, "SILENCE_SECONDS", 0.1)

    async def nothing() -> Message:
        await asyncio.Event().wait()
        raise AssertionError("it never comes")

    async def trickle() -> Message:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b"x", "more_body": True}

    whole = iter([{"type": "http.request", "body": b"x"}])

    async def one_then_a_while() -> Message:
        try:
            return next(whole)
        except StopIteration:
            await asyncio.sleep(0.3)
            return {"type": "http.disconnect"}

    async def read(receive: Receive) -> Message:
        counting = bodies.counted({}, receive, 10**6, 10**6)
        while (message := await counting())["type"] == "http.request":
            pass
        return message

    for receive in (nothing, trickle):
        with pytest.raises(TooSlow):
            asyncio.run(read(receive))
    assert asyncio.run(read(one_then_a_while))["type"] == "http.disconnect"
