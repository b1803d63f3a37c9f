"""Kills: the real program loses a process, or its own life, and nobody loses what was promised."""

import io
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from PIL import Image

from app.settings import ROOT
from tests.running import PATIENCE, Laterna, laterna, wait_until

pytestmark = pytest.mark.first

MODEL = "efficientnet-lite0"
USED = ("chelsea", "coffee")
SAMPLES = ROOT / "static" / "samples"


def grid(sample: str, layer: str) -> str:
    return f"/images/{sample}/models/{MODEL}/layers/{layer}.png"


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def ready(server: Laterna) -> Laterna:
    """Wait until the device is ready and the samples used here are there."""
    with server.client() as client:
        wait_until(lambda: client.get("/readyz").status_code == 200)
        pages = [f"/images/{sample}.json" for sample in USED]
        wait_until(lambda: all(client.get(page).is_success for page in pages))
    return server


def started(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Laterna]:
    """A server that may come to harm."""
    with laterna(tmp_path / "data", LATERNA_UPLOADS_PER_MINUTE="100000") as server:
        yield server


def test_a_killed_device_comes_back_while_the_server_goes_on(own_server: Laterna) -> None:
    """Its process ends while grids are being made, as when the kernel needs its memory."""
    server = ready(own_server)
    assert server.process is not None
    statuses: list[int] = []

    def ask_for_grids() -> None:
        with server.client() as client:
            for block in range(1, 4):
                for sample in USED:
                    answer = client.get(grid(sample, f"blocks.{block}.0.bn1"))
                    statuses.append(answer.status_code)

    victim, path = server.device(), grid("chelsea", "conv_head")
    askers = [started(ask_for_grids) for _ in range(3)]
    wait_until(lambda: len(statuses) > 2)
    os.kill(victim, signal.SIGKILL)
    with server.client() as client:
        wait_until(lambda: client.get("/readyz").status_code == 503)
        answer = client.get(path)
        assert answer.status_code == 503
        assert 1 <= int(answer.headers["Retry-After"]) <= 10
        page = client.get(path.removesuffix(".png"))
        assert page.status_code == 200, "a page that can wait for its grid is there at once"
        assert client.get("/healthz").status_code == 200
        wait_until(lambda: client.get(path).status_code == 200)
        answer = client.get(path)
        with Image.open(io.BytesIO(answer.content)) as sheet:
            sheet.load()
    for asker in askers:
        asker.join(PATIENCE)
    assert set(statuses) == {200, 503}
    assert server.device() != victim
    assert server.process.poll() is None


def test_every_upload_that_was_promised_survives_kill_nine(own_server: Laterna) -> None:
    """Several people upload photographs; the server is killed twice in the middle of it."""
    photos = sorted(SAMPLES.glob("*.jpg"))
    people = [httpx.Cookies() for _ in range(4)]
    promised: list[tuple[int, str]] = []

    def upload(person: int, url: str) -> None:
        with httpx.Client(base_url=url, timeout=PATIENCE, cookies=people[person]) as client:
            for number in range(1000):
                photo = photos[(person + number) % len(photos)]
                # Bytes after the end of a JPEG make no other picture of it.
                data = photo.read_bytes() + f"{person} {number}".encode()
                try:
                    answer = client.post("/images.json", files={"file": (photo.name, data)})
                except httpx.HTTPError:
                    return
                finally:
                    people[person] = client.cookies
                if answer.is_success:
                    promised.append((person, answer.json()["url"]))

    def storm(server: Laterna, uploads: int) -> None:
        before = len(promised)
        threads = [started(partial(upload, person, server.url)) for person in range(len(people))]
        wait_until(lambda: len(promised) >= before + uploads)
        children = server.children()
        server.kill()
        for thread in threads:
            thread.join(PATIENCE)
        wait_until(lambda: all(gone(pid) for pid in children))

    storm(own_server, 6)
    storm(own_server.start(), 9)
    own_server.start()
    for person, cookies in enumerate(people):
        with httpx.Client(base_url=own_server.url, timeout=PATIENCE, cookies=cookies) as client:
            for url in [url for owner, url in promised if owner == person]:
                facts = client.get(f"{url}.json").json()
                for file in (f"{url}.png", f"{url}/preview.jpg"):
                    with Image.open(io.BytesIO(client.get(file).content)) as picture:
                        picture.load()
                        assert picture.width <= facts["width"]
            listed = client.get("/images.json").json()["images"]
            assert {image["url"] for image in listed} >= {
                url for owner, url in promised if owner == person
            }
    assert list(own_server.data.rglob("*.part")) == []


def test_it_answers_before_its_device_and_ends_when_told_to(tmp_path: Path) -> None:
    """SIGTERM finds a stream, half an upload, and a grid whose device hangs: how soon is measured
    by benchmarks/serving.py."""
    models = tmp_path / "models"
    models.mkdir()
    (models / "catalogue.toml").write_bytes((ROOT / "models" / "catalogue.toml").read_bytes())
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # takes connections and never answers
        server = Laterna(
            tmp_path / "data",
            LATERNA_WEIGHTS_MIRROR=f"http://127.0.0.1:{deaf.getsockname()[1]}",
            LATERNA_MODELS_DIR=str(models),
            PYTHONPATH=str(slow_torch(tmp_path)),
        )
        with server.start().client() as client:
            assert client.get("/healthz").status_code == 200
            assert client.get("/readyz").status_code == 503, "the device is still to begin"
            assert client.get("/").status_code == 200
        (tmp_path / "go").touch()
        ready(server)
        children = server.children()
        assert len(children) >= 2
        assert ended_while_busy(server) == 0
        assert all(gone(pid) for pid in children)


#: Found in torch's place: whoever imports it waits until a test lets them.
SLOW_TORCH = """
import sys, time
from pathlib import Path
here = Path(__file__).resolve().parent
while not (here.parent / "go").exists():
    time.sleep(0.02)
sys.path[:] = [place for place in sys.path if Path(place).resolve() != here]
del sys.modules["torch"]
import torch
"""


def slow_torch(folder: Path) -> Path:
    """A folder to be looked through first."""
    place = folder / "slow"
    place.mkdir()
    (place / "torch.py").write_text(SLOW_TORCH)
    return place


def ended_while_busy(server: Laterna) -> int:
    """Its exit status; it comes although nothing that it is at would ever end."""
    cut_off: list[bool] = []

    def wait_for_a_grid() -> None:
        with server.client() as client:
            try:
                cut_off.append(client.get(grid("coffee", "conv_stem")).status_code != 200)
            except httpx.HTTPError:
                cut_off.append(True)

    with server.client() as client, socket.create_connection(server.address) as uploading:
        os.kill(server.device(), signal.SIGSTOP)
        waiting = started(wait_for_a_grid)
        uploading.sendall(
            b"POST /images.json HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n"
            b"Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n"
        )
        assert client.post("/models/squeezenet1_1/fetch.json").status_code == 202
        with client.stream("GET", "/models/squeezenet1_1/events") as stream:
            next(stream.iter_bytes())
            wait_until(
                lambda: bool(httpx.get(f"{server.url}/queue.json").json()["devices"][0]["doing"])
            )
            status = server.stop()
        waiting.join(PATIENCE)
        assert cut_off == [True]
    return status
