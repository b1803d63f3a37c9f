"""Bad and odd files by HTTP: each ends in a sentence or a right picture; the server lives on."""

import io
import re
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests.bad_pictures import SIDES, Odd, bad_pictures, encoded
from tests.running import Laterna

MODEL = "efficientnet-lite0"
MIB = 1024 * 1024
#: EXIF's names of how a picture is stored: what to do to an upright one to store it so.
STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def upload(client: httpx.Client, data: bytes, name: str) -> httpx.Response:
    return client.post("/images.json", files={"file": (name, data)})


def memory(pid: int, what: str) -> int:
    """What the kernel says of a process's memory, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split(f"{what}:")[1].split()[0]) * 1024


def decoders(server: Laterna) -> list[int]:
    """The processes that decode."""
    commands = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in server.children()}
    return [pid for pid, command in commands.items() if b"decoders:serve" in command]


def assert_right(odd: Odd, answer: httpx.Response) -> None:
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    body = answer.json()
    if answer.status_code == 201:
        assert odd.quarters is not None, f"must be refused with {odd.refusals}"
        assert (body["width"], body["height"]) == (odd.width, odd.height)
        return
    assert 400 <= answer.status_code < 500
    assert body["error"]["code"] in odd.refusals
    message = body["error"]["message"]
    assert re.fullmatch(r"[A-Z][^{}/]*\.", message)
    assert "Error" not in message


def test_bad_files_end_in_a_sentence_or_a_picture_and_the_server_lives_on(server: Laterna) -> None:
    """All of them, while the memory of the web process and of the decoders stays bounded."""
    assert server.process is not None
    web = server.process.pid
    Path(f"/proc/{web}/clear_refs").write_text("5")  # the peak is counted anew from here
    before = memory(web, "VmHWM")
    with server.client() as client:
        for odd in bad_pictures():
            assert_right(odd, upload(client, odd.data, odd.name))
            assert client.get("/healthz").status_code == 200
        kept = client.get("/images.json").json()["images"]
        pictures = {image["name"]: image["url"] for image in kept}
        for image in kept:
            assert client.delete(image["url"]).status_code == 204
    assert "archive.jpg" in pictures
    assert memory(web, "VmHWM") < before + 60 * MIB
    assert decoders(server)
    assert all(memory(pid, "VmHWM") < 600 * MIB for pid in decoders(server))


def test_what_is_kept_of_a_polyglot_is_the_picture_alone(server: Laterna) -> None:
    (odd,) = [odd for odd in bad_pictures() if odd.name == "archive.jpg"]
    assert b"evil.html" in odd.data
    with server.client() as client:
        page = upload(client, odd.data, "archive.jpg").json()["url"]
        for path, kind in ((f"{page}.png", "image/png"), (f"{page}/preview.jpg", "image/jpeg")):
            answer = client.get(path)
            assert answer.headers["content-type"] == kind
            assert b"evil.html" not in answer.content
        assert client.delete(page).status_code == 204


def test_too_many_bytes_are_refused_before_anything_is_decoded(server: Laterna) -> None:
    with server.client() as client:
        answer = upload(client, encoded("PNG") + bytes(26 * MIB), "padded.png")
        assert answer.status_code == 413
        assert answer.json()["error"]["code"] == "too_large"
        assert client.get("/healthz").status_code == 200


@pytest.fixture(scope="module")
def upright(server: Laterna) -> Image.Image:
    """A sample photo, as the server keeps it."""
    with server.client() as client:
        return Image.open(io.BytesIO(client.get("/images/chelsea.png").content)).convert("RGB")


def top5(client: httpx.Client, page: str) -> list[tuple[int, float]]:
    answer = client.get(f"{page}/models/{MODEL}.json")
    assert answer.status_code == 200
    return [(one["class"], one["probability"]) for one in answer.json()["top"]]


def turned(upright: Image.Image, orientation: int, kind: str) -> bytes:
    """The photo as a camera held in that way stores it."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = upright.transpose(STORED[orientation]) if orientation in STORED else upright
    how = {"quality": 95, "subsampling": 0} if kind == "JPEG" else {"compress_level": 1}
    return encoded(kind, stored, exif=exif, **how)


@pytest.mark.parametrize("orientation", SIDES)
def test_turned_by_exif_a_photo_is_the_upright_one_to_a_network(
    server: Laterna, upright: Image.Image, orientation: int
) -> None:
    with server.client() as client:
        wanted = top5(client, "/images/chelsea")
        lossless = upload(client, turned(upright, orientation, "PNG"), "a.png").json()["url"]
        kept = Image.open(io.BytesIO(client.get(f"{lossless}.png").content))
        assert (kept.size, kept.tobytes()) == (upright.size, upright.tobytes())
        assert top5(client, lossless) == wanted

        photo = upload(client, turned(upright, orientation, "JPEG"), "a.jpg").json()["url"]
        # Not stored losslessly, so likelihoods differ a little, and with them the order may.
        assert dict(top5(client, photo)) == pytest.approx(dict(wanted), abs=0.03)
        for page in (lossless, photo):
            assert client.delete(page).status_code == 204
