"""Pictures in: what is hostile is refused, what is odd looks right, and nothing else is kept."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from app.errors import LaternaError
from app.studio.pictures.clean import CleanPicture, clean
from tests.bad_pictures import SIZE, Odd, bad_pictures, encoded, quartered
from tests.color_profiles import display_p3

MOST_PIXELS, SIDE = 50_000_000, 2048
GOOD = {kind: encoded(kind) for kind in ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF")}


def cleaned(data: bytes) -> CleanPicture:
    return clean(data, MOST_PIXELS, SIDE)


def outcome(data: bytes) -> CleanPicture | LaternaError:
    try:
        return cleaned(data)
    except LaternaError as error:
        return error


def opened(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


@pytest.mark.parametrize("odd", bad_pictures(), ids=repr)
def test_odd_files_are_refused_or_come_out_right(odd: Odd) -> None:
    made = outcome(odd.data)
    if isinstance(made, LaternaError):
        assert made.code in odd.refusals
        assert 400 <= made.status < 500
        assert "{" not in made.message()
        return
    assert odd.quarters is not None, f"must be refused with {odd.refusals}"
    for data in (made.picture, made.preview):
        assert_quarters(odd, opened(data), odd.tolerance + 6 * (data is made.preview))


def assert_quarters(odd: Odd, picture: Image.Image, tolerance: int) -> None:
    assert picture.mode == "RGB"
    assert picture.size == (odd.width, odd.height)
    assert odd.quarters is not None
    for number, wanted in enumerate(odd.quarters):
        x = odd.width * (1 + 2 * (number % 2)) // 4
        y = odd.height * (1 + 2 * (number // 2)) // 4
        got = picture.getpixel((x, y))
        assert isinstance(got, tuple)
        off = max(abs(one - other) for one, other in zip(got, wanted, strict=True))
        assert off <= tolerance, f"quarter {number}: {got}, not {wanted}"


def test_there_are_at_least_forty_with_names_of_their_own() -> None:
    names = [odd.name for odd in bad_pictures()]
    assert len(set(names)) == len(names) >= 40


def test_nothing_but_the_picture_is_kept() -> None:
    exif = Image.Exif()
    exif[0x010E] = "a secret place"
    exif.get_ifd(0x8825)[29] = "2026:01:01"
    how: dict[str, Any] = {"exif": exif, "icc_profile": display_p3()}
    packet = b"<x:xmpmeta>a secret place</x:xmpmeta>"
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "a secret place")
    text.add_itxt("XML:com.adobe.xmp", packet.decode())
    comments: dict[str, dict[str, Any]] = {
        "JPEG": {"comment": b"a secret place", "xmp": packet, "dpi": (300, 300)},
        "PNG": {"pnginfo": text, "dpi": (300, 300)},
        "WEBP": {"xmp": packet},
        "AVIF": {"xmp": packet},
        "GIF": {"comment": b"a secret place"},
        "TIFF": {"description": "a secret place"},
    }
    for kind, more in comments.items():
        file = encoded(kind, **how, **more)
        assert b"secret" in file
        made = cleaned(file)
        assert set(png_chunks(made.picture)) == {b"IHDR", b"IDAT", b"IEND"}
        for data in (made.picture, made.preview):
            assert not any(word in data for word in (b"secret", b"Exif", b"ICC_PROFILE", b"xmp"))
            kept = opened(data)
            assert len(kept.getexif()) == 0
            assert not {"icc_profile", "exif", "comment", "dpi"} & set(kept.info)


def png_chunks(png: bytes) -> Iterator[bytes]:
    """The names of its chunks, in order."""
    at = 8
    while at < len(png):
        yield png[at + 4 : at + 8]
        at += 12 + int.from_bytes(png[at : at + 4], "big")


def test_a_photo_of_twelve_million_pixels_is_made_smaller() -> None:
    noise = Image.effect_noise((4000, 3000), 40)
    photo = encoded("JPEG", Image.merge("RGB", (noise, noise, noise)), quality=85)
    made = cleaned(photo)
    assert (made.width, made.height) == (2048, 1536)


def test_large_pictures_are_reduced_and_say_how_large_they_were() -> None:
    large = quartered("RGB", ((255, 0, 0), (0, 255, 0), (0, 0, 255), (9, 9, 9)), (6000, 4000))
    exif = Image.Exif()
    exif[0x0112] = 6
    made = cleaned(encoded("JPEG", large, exif=exif))
    assert (made.original_width, made.original_height) == (4000, 6000)
    assert opened(made.picture).size == (made.width, made.height) == (1365, 2048)
    assert opened(made.preview).size == (682, 1024)


@pytest.mark.parametrize("size", [(1, 1), (1, 9000), (9000, 1), (3, 5000)])
def test_thin_pictures_keep_at_least_a_pixel(size: tuple[int, int]) -> None:
    made = cleaned(encoded("PNG", Image.new("RGB", size, "teal")))
    assert min(opened(made.picture).size) >= 1
    assert min(opened(made.preview).size) >= 1
    assert max(made.width, made.height) <= SIDE


def test_the_limit_of_pixels_is_the_one_that_was_set() -> None:
    many = SIZE[0] * SIZE[1]
    assert clean(GOOD["PNG"], many, SIDE).width == SIZE[0]
    for kind, data in GOOD.items():
        with pytest.raises(LaternaError) as caught:
            clean(data, many - 1, SIDE)
        assert caught.value.code == "too_many_pixels", kind


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(GOOD)), st.data())
def test_files_with_wrong_bytes_never_raise_anything_else(kind: str, data: st.DataObject) -> None:
    """Whatever is in a file, a picture comes of it, or a sentence."""
    file = bytearray(GOOD[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        file[data.draw(st.integers(0, len(file) - 1))] = data.draw(st.integers(0, 255))
    made = outcome(bytes(file))
    if isinstance(made, LaternaError):
        assert made.status in (413, 415, 422)
    else:
        assert opened(made.picture).size == (made.width, made.height)
