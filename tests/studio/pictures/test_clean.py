"""Pictures in: what is hostile is refused, what is odd looks right, and nothing else is kept."""

import io
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from app.errors import LaternaError
from app.studio.pictures.clean import CleanPicture, clean
from tests.bad_pictures import SIZE, Odd, bad_pictures, encoded, png16, quartered
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
    assert (made.width, made.height) == size  # nothing of it may be lost to networks
    assert min(opened(made.preview).size) >= 1
    assert max(opened(made.preview).size) <= 1024


@pytest.mark.parametrize(
    ("size", "side", "kept"),
    [
        ((20000, 500), 2048, (20000, 500)),
        ((500, 20000), 2048, (500, 20000)),
        ((20000, 1000), 2048, (10240, 512)),
        ((1000, 40000), 2048, (512, 20480)),
        ((6000, 4000), 2048, (2048, 1365)),
        ((8000, 2000), 2048, (2048, 512)),
        ((8000, 2000), 1024, (2048, 512)),
        ((4000, 3000), 1024, (1024, 768)),
        ((4000, 3000), 256, (256, 192)),
        ((4000, 1000), 256, (512, 128)),
        ((90000, 500), 2048, (54954, 305)),
    ],
)
def test_the_shorter_side_keeps_what_networks_ask_for(
    size: tuple[int, int], side: int, kept: tuple[int, int]
) -> None:
    """Reduced by the longer side as before, but for panoramas; and those within a bounded area."""
    made = clean(encoded("PNG", Image.new("L", size)), MOST_PIXELS, side)
    assert (made.width, made.height) == kept
    assert (made.original_width, made.original_height) == size
    assert opened(made.picture).size == kept


def tiff16(
    samples: int, top: int, order: str = "<", *, big: bool = False, kind: int = 1, bits: int = 16
) -> bytes:
    """A TIFF whose grey or colours go from 0 to `top` in 256 columns, with no more said of it."""
    width, height = 256, 8
    columns = [round(top * column / 255) for column in range(width)]
    letter = "h" if kind == 2 else "H"
    row = struct.pack(
        f"{order}{width * samples}{letter}", *(v for v in columns for _ in range(samples))
    )
    data = row * height
    tags = {256: width, 257: height, 259: 1, 262: 2 if samples == 3 else 1, 277: samples,
            278: height, 279: len(data), 258: None, 273: None, 339: None}  # fmt: skip
    word, size, head = ("Q", 20, 16) if big else ("I", 12, 8)
    counted = "Q" if big else "H"
    start = (
        struct.pack(order + "HHHQ", 43, 8, 0, head) if big else struct.pack(order + "HI", 42, head)
    )
    table = struct.calcsize(order + counted) + size * len(tags) + struct.calcsize(order + word)
    more = head + table
    body = struct.pack(order + counted, len(tags))
    room = 8 if big else 4
    for tag in sorted(tags):
        value = tags[tag]
        if tag in (258, 339):
            inline = struct.pack(f"{order}{samples}H", *[bits if tag == 258 else kind] * samples)
            if len(inline) > room:
                inline = struct.pack(order + word, more + (8 if tag == 339 else 0))
            body += struct.pack(f"{order}HH{word}", tag, 3, samples) + inline.ljust(room, b"\0")
        else:
            at = more + 16 if tag == 273 else value
            long = struct.pack(order + "I", at).ljust(room, b"\0")
            body += struct.pack(f"{order}HH{word}", tag, 4, 1) + long
    body += struct.pack(order + word, 0)
    extra = struct.pack(f"{order}{samples}H", *[bits] * samples).ljust(8, b"\0")
    extra += struct.pack(f"{order}{samples}H", *[kind] * samples).ljust(8, b"\0")
    return (b"II" if order == "<" else b"MM") + start + body + extra + data


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize(
    ("top", "brightest"),
    [(65535, 255), (30000, 117), (16383, 255), (4095, 255), (3000, 187), (1023, 255), (255, 255),
     (200, 200), (0, 0)],
)  # fmt: skip
def test_few_bits_in_a_file_of_sixteen_are_not_black(
    top: int, brightest: int, samples: int, order: str
) -> None:
    """Whole bits count: what uses a quarter of them or more stays as it is."""
    for big in (False, True):
        kept = opened(cleaned(tiff16(samples, top, order, big=big)).picture)
        last = kept.getpixel((255, 4))
        assert isinstance(last, tuple)
        assert last == pytest.approx((brightest,) * 3, abs=1)
        greys = {kept.getpixel((column, 4)) for column in range(256)}
        assert len(greys) >= min(brightest, top) * 0.9, "not in steps"


def test_a_sign_takes_one_bit() -> None:
    kept = opened(cleaned(tiff16(1, 32767, kind=2)).picture)
    assert kept.getpixel((255, 4)) == (255, 255, 255)


def test_few_bits_in_a_png_of_sixteen_are_not_black() -> None:
    for kind, one, two in ((0, (4095,), (2048,)), (2, (4095,) * 3, (2048,) * 3)):
        kept = opened(cleaned(png16([one, two, two, one], kind)).picture)
        assert kept.getpixel((0, 0)) == (255, 255, 255)
        assert kept.getpixel((kept.width - 1, 0)) == pytest.approx((128, 128, 128), abs=1)
    opaque = [(4095, 0, 2048, 65535)] * 4
    kept = opened(cleaned(png16(opaque, 6)).picture)
    assert kept.getpixel((0, 0)) == pytest.approx((255, 0, 128), abs=1)


def test_fractions_far_below_one_are_not_black() -> None:
    kept = opened(cleaned(encoded("TIFF", Image.linear_gradient("L").convert("F").point(
        lambda value: value * (1 / 4096) + 0))).picture)  # fmt: skip
    assert kept.getpixel((0, 255)) == pytest.approx((255, 255, 255), abs=2)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "I;16", "1", "CMYK"])
def test_a_big_tiff_is_a_tiff(mode: str) -> None:
    image = Image.new(mode, SIZE, 1 if mode in ("1", "I;16", "L") else None)
    small, big = encoded("TIFF", image), encoded("TIFF", image, big_tiff=True)
    assert big.startswith(b"II+\0")
    assert cleaned(big) == cleaned(small)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_big_tiff_is_a_sentence(data: st.DataObject) -> None:
    file = bytearray(tiff16(3, 4095, ">", big=True))
    for _ in range(data.draw(st.integers(1, 4))):
        file[data.draw(st.integers(4, 300))] = data.draw(st.integers(0, 255))
    made = outcome(bytes(file[: data.draw(st.integers(16, len(file)))]))
    assert isinstance(made, CleanPicture) or made.status in (413, 415, 422)


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
