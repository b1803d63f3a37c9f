"""Pictures by HTTP: an upload is its browser's own until it is shared or deleted."""

import io
from pathlib import Path

import pytest
from fastapi import Request
from itsdangerous import Signer
from PIL import Image

from app.errors import TooManyUploads
from app.settings import Settings
from app.web.limit import UploadLimit
from tests.running import Laterna, laterna

MODEL = "efficientnet-lite0"
LAYER = "conv_stem"


def jpeg(color: str = "orange", size: tuple[int, int] = (320, 240)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, "JPEG")
    return out.getvalue()


def test_a_browser_keeps_its_picture_to_itself_until_it_shares(server: Laterna) -> None:
    with server.client() as owner, server.client() as stranger:
        assert "set-cookie" not in owner.get("/").headers
        answer = owner.post("/images.json", files={"file": ("min ferie.jpg", jpeg())})
        assert answer.status_code == 201
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        made = answer.json()
        assert (made["width"], made["height"], made["shared"]) == (320, 240, False)
        page = made["url"]
        private = [
            page,
            f"{page}.json",
            f"{page}.png",
            f"{page}/preview.jpg",
            f"{page}/models/{MODEL}.json",
            f"{page}/models/{MODEL}/layers/{LAYER}.png",
            f"{page}/models/{MODEL}/layers/{LAYER}/channels/0.png",
        ]
        for path in private:
            assert owner.get(path).status_code == 200, path
            assert stranger.get(path).status_code == 404, path
            assert "private" in owner.get(path).headers.get("cache-control", "private")
        assert made["id"] in owner.get("/images").text
        assert made["id"] not in stranger.get("/images").text
        assert stranger.post(f"{page}/share.json", data={"shared": "on"}).status_code == 404

        assert owner.post(f"{page}/share.json", data={"shared": "on"}).json()["shared"] is True
        assert page in owner.get(page).text
        assert "share-link" in owner.get(page).text
        for path in private:
            assert stranger.get(path).status_code == 200, path
        assert "share-link" not in stranger.get(page).text
        assert stranger.delete(page).status_code == 404
        assert stranger.post(f"{page}/delete").status_code == 404

        assert owner.post(f"{page}/share", data={"shared": "off"}).status_code == 303
        assert stranger.get(page).status_code == 404

        assert owner.delete(page).status_code == 204
        for path in private:
            assert owner.get(path).status_code == 404, path


def test_a_form_leads_to_the_picture_or_to_all_of_them(server: Laterna) -> None:
    with server.client() as client:
        one = client.post("/images", files={"file": ("a.jpg", jpeg())})
        assert one.status_code == 303
        assert client.get(one.headers["location"]).status_code == 200
        two = [("file", ("b.jpg", jpeg("red"))), ("file", ("c.jpg", jpeg("blue")))]
        answer = client.post("/images", files=two)
        assert (answer.status_code, answer.headers["location"]) == (303, "/images")
        mixed = [("file", ("d.jpg", jpeg("green"))), ("file", ("e.txt", b"hello" * 100))]
        told = client.post("/images", files=mixed, headers={"Accept": "text/html"})
        assert told.status_code == 415
        assert "e.txt" in told.text
        assert "not a picture" in told.text
        assert len(client.get("/images.json").json()["images"]) == 4
        gone = client.post(f"{one.headers['location']}/delete")
        assert (gone.status_code, gone.headers["location"]) == (303, "/images")


@pytest.mark.parametrize(
    ("files", "code", "status"),
    [
        ({"file": ("a.jpg", b"no picture at all")}, "not_a_picture", 415),
        ({"file": ("a.jpg", jpeg()[:400])}, "damaged_picture", 422),
        ({"other": ("a.jpg", jpeg())}, "no_file", 422),
    ],
)
def test_a_refusal_is_a_sentence(
    server: Laterna, files: dict[str, tuple[str, bytes]], code: str, status: int
) -> None:
    with server.client() as client:
        program = client.post("/images.json", files=files)
        person = client.post("/images", files=files, headers={"Accept": "text/html"})
        assert (program.status_code, person.status_code) == (status, status)
        assert program.json()["error"]["code"] == code
        assert "set-cookie" not in program.headers
        assert "<html" in person.text


def test_a_malformed_form_is_refused(server: Laterna) -> None:
    with server.client() as client:
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        answer = client.post("/images.json", content=b"--x\r\nnonsense", headers=headers)
        assert answer.status_code in (400, 422)
        answer = client.post("/images.json", content=b"{}")
        assert answer.status_code in (400, 422)


def test_a_forged_cookie_is_nobodys(server: Laterna) -> None:
    with server.client() as owner, server.client() as forger:
        page = owner.post("/images.json", files={"file": ("a.jpg", jpeg())}).json()["url"]
        value = owner.cookies["laterna_session"]
        for forged in (value[:-2] + "xx", value.split(".")[0], "", "."):
            forger.cookies.set("laterna_session", forged)
            assert forger.get(page).status_code == 404


def test_samples_are_everybodys_and_nobody_can_delete_them(server: Laterna) -> None:
    with server.client() as client:
        assert client.delete("/images/chelsea").status_code == 404
        assert client.get("/images/chelsea.json").json()["sample"] is True


def asked_from(address: str) -> Request:
    return Request({"type": "http", "headers": [], "client": (address, 5)})


def test_too_many_uploads_within_a_minute_are_told_to_wait() -> None:
    limit = UploadLimit(3)
    for owner in (None, "somebody"):
        for _ in range(3):
            limit.hit(asked_from("192.0.2.1"), owner)
        with pytest.raises(TooManyUploads) as told:
            limit.hit(asked_from("192.0.2.1"), owner)
        assert 0 < told.value.facts["seconds"] <= 60


def test_a_class_behind_one_address_brings_its_photos() -> None:
    """30 students with 60 photos each, all within a minute, as the settings are."""
    limit = UploadLimit(Settings().uploads_per_minute)
    for photo in range(60):
        for student in range(30):
            # Their first one has no cookie yet.
            limit.hit(asked_from("192.0.2.1"), f"student {student}" if photo else None)


def test_nobody_gets_round_the_limit_without_a_session_or_with_many() -> None:
    limit = UploadLimit(3)
    for _ in range(3):
        limit.hit(asked_from("2001:db8::1"), None)
    for address in ("2001:db8::1", "2001:db8::ffff:1"):  # one network, whose rest anybody chooses
        with pytest.raises(TooManyUploads):
            limit.check(asked_from(address), None)
    limit.check(asked_from("2001:db8:0:1::1"), None)
    for number in range(27):
        limit.hit(asked_from("2001:db8::1"), f"session {number}")
    with pytest.raises(TooManyUploads):
        limit.hit(asked_from("2001:db8::1"), "yet another")


def test_a_refused_upload_counts_for_nobody() -> None:
    limit = UploadLimit(1)
    limit.hit(asked_from("192.0.2.1"), "one")
    for _ in range(99):
        with pytest.raises(TooManyUploads):
            limit.hit(asked_from("192.0.2.1"), "one")
    limit.hit(asked_from("192.0.2.1"), "two")


def test_the_wait_is_the_one_that_is_told(tmp_path: Path) -> None:
    with (
        laterna(tmp_path / "data", LATERNA_UPLOADS_PER_MINUTE="1") as narrow,
        narrow.client() as client,
    ):
        files = {"file": ("a.jpg", b"no picture")}
        assert client.post("/images.json", files=files).status_code == 415
        program = client.post("/images.json", files=files)
        person = client.post("/images", files=files, headers={"Accept": "text/html"})
        both = [("file", ("a.jpg", b"x")), ("file", ("b.jpg", b"y"))]
        several = client.post("/images", files=both, headers={"Accept": "text/html"})
    said = program.json()["error"]["message"]
    for answer, text in ((program, said), (person, person.text), (several, several.text)):
        assert answer.status_code == 429
        assert f"Wait {answer.headers['retry-after']} seconds" in text
    assert int(program.headers["retry-after"]) > 30


def test_each_picture_of_a_form_has_the_whole_limit(tmp_path: Path) -> None:
    with (
        laterna(tmp_path / "data", LATERNA_UPLOAD_MAX_BYTES="262144") as narrow,
        narrow.client() as client,
    ):
        fits = [("file", (f"{n}.jpg", jpeg() + bytes(200_000))) for n in range(3)]
        answer = client.post("/images", files=fits)
        assert (answer.status_code, answer.headers["location"]) == (303, "/images")
        large = [fits[0], ("file", ("large.jpg", jpeg() + bytes(300_000)))]
        answer = client.post("/images", files=large, headers={"Accept": "text/html"})
        assert answer.status_code == 413
        assert "<b>large.jpg</b>: This is too large: at most 0.25 MB" in answer.text
        assert client.post("/images.json", files=large[1:]).status_code == 413
        many = [("file", (f"{n}.jpg", bytes(262_144))) for n in range(11)]
        answer = client.post("/images", files=many, headers={"Accept": "text/html"})
        assert answer.status_code == 413
        assert len(client.get("/images.json").json()["images"]) == 4


def test_a_signed_cookie_without_a_name_is_nobodys(server: Laterna) -> None:
    """The samples' owner has no name: whoever has the key could else delete them."""
    key = (server.data / "session.key").read_bytes()
    cookie = Signer(key, salt="session").sign("").decode()
    with server.client() as client:
        client.cookies.set("laterna_session", cookie)
        assert client.delete("/images/coffee").status_code == 404
        assert client.post("/images/coffee/share.json", data={"shared": "1"}).status_code == 404
        assert client.get("/images.json").json()["images"] == []
        assert client.get("/images/coffee.json").status_code == 200
