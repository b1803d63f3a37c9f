"""Files that somebody might upload: hostile, broken, of other types, or pictures of odd kinds.

Each says what must come of it: one of some refusals, or a picture whose four quarters have the
right colours. Made here, so that no hostile file lies in the repository.
"""

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from PIL import Image

from tests.color_profiles import display_p3, odd_cmyk

Color = tuple[int, int, int]
#: The colours of the quarters: top left, top right, bottom left, bottom right.
Quarters = Sequence[Color]
RGB: Quarters = ((200, 30, 30), (30, 160, 40), (30, 50, 200), (235, 235, 235))
GREYS: Quarters = ((20, 20, 20), (90, 90, 90), (160, 160, 160), (235, 235, 235))
SIZE = (96, 64)
WHITE = (255, 255, 255)
BLACK = (0, 0, 0)


@dataclass(frozen=True)
class Odd:
    """A file, and what must come of it: a refusal with one of these codes, or these colours.

    With both, either is right. width and height are those of the picture that must come.
    """

    name: str
    data: bytes
    refusals: tuple[str, ...] = ()
    quarters: Quarters | None = None
    tolerance: int = 3
    width: int = SIZE[0]
    height: int = SIZE[1]

    def __repr__(self) -> str:
        return self.name


@cache
def bad_pictures() -> tuple[Odd, ...]:
    """All of them, the same each time."""
    return (*bombs(), *truncated(), *other_types(), *polyglots(), *odd_modes(), *odd_metadata())


def bombs() -> Iterator[Odd]:
    """Small files that want much memory or time."""
    many = ("too_many_pixels",)
    yield Odd("bomb-header.png", png_header(60_000, 60_000), many)
    real = io.BytesIO()
    Image.new("1", (12_000, 12_000)).save(real, "PNG")
    yield Odd("bomb-of-zeros.png", real.getvalue(), many)
    sides = struct.pack("<HH", 65_535, 65_535)
    gif = encoded("GIF")
    frame = gif.index(b"\x2c\0\0\0\0") + 5
    yield Odd("bomb.gif", gif[:6] + sides + gif[10:frame] + sides + gif[frame + 4 :], many)
    yield Odd("bomb.tiff", tiff_header(60_000, 60_000), many)
    lossless = b"\x2f" + struct.pack("<I", 16_382 | 16_382 << 14) + bytes(64)
    webp = b"WEBPVP8L" + struct.pack("<I", len(lossless)) + lossless + b"\0"
    yield Odd("bomb.webp", b"RIFF" + struct.pack("<I", len(webp)) + webp, (*many, DAMAGED))
    bmp = bytearray(encoded("BMP"))
    bmp[18:26] = struct.pack("<ii", 50_000, 50_000)
    yield Odd("bomb.bmp", bytes(bmp), many)
    jpeg = bytearray(encoded("JPEG"))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", 65_500, 65_500)
    yield Odd("bomb.jpg", bytes(jpeg), many)
    avif = bytearray(encoded("AVIF"))
    ispe = avif.index(b"ispe") + 8
    avif[ispe : ispe + 8] = struct.pack(">II", 30_000, 30_000)
    yield Odd("bomb.avif", bytes(avif), (*many, DAMAGED))
    yield Odd("4000-scans.jpg", many_scans(4_000), ("too_many_scans",))
    zeros = zlib.compress(bytes(80_000_000), 9)
    bomb = b"Comment\0\0" + zeros
    yield Odd("text-bomb.png", with_chunk(b"zTXt", bomb), (DAMAGED,), RGB)
    yield Odd("profile-bomb.png", with_chunk(b"iCCP", b"p\0\0" + zeros), (DAMAGED,), RGB)


DAMAGED = "damaged_picture"


def truncated() -> Iterator[Odd]:
    """Half of a file of each format."""
    picture = noise()
    for kind in ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "AVIF"):
        data = encoded(kind, picture)
        yield Odd(f"half.{kind.lower()}", data[: len(data) // 2], (DAMAGED,))
    yield Odd("cut-in-the-header.jpg", encoded("JPEG")[:20], (DAMAGED,))
    damaged = bytearray(encoded("PNG", picture))
    damaged[len(damaged) // 2] ^= 0xFF
    yield Odd("one-byte-wrong.png", bytes(damaged), (DAMAGED,))


def other_types() -> Iterator[Odd]:
    """What is no picture, or none that is read here."""
    other = ("not_a_picture",)
    yield Odd("empty.jpg", b"", other)
    yield Odd("one-byte.jpg", b"\xff", other)
    yield Odd("noise.jpg", random.Random(5).randbytes(50_000), other)
    yield Odd("text.txt", b"BM is how this text begins, and it goes on for a while.\n" * 9, other)
    yield Odd("page.jpg", b"<!doctype html><script>alert(1)</script>" + bytes(99), other)
    yield Odd("drawing.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>', other)
    yield Odd("paper.pdf", b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n%%EOF", other)
    yield Odd("program.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", other)
    yield Odd("layers.psd", b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 9, 9, 8, 3), other)
    yield Odd("icon.ico", encoded("ICO"), other)
    yield Odd("film.mp4", b"\0\0\0\x18ftypisom\0\0\2\0isomiso2", other)
    heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(400)
    yield Odd("phone.heic", heic, ("heic_refused",))
    yield Odd("phone.jpg", heic.replace(b"ftypheic", b"ftypmif1"), ("heic_refused",))


def polyglots() -> Iterator[Odd]:
    """Files that are two things at once: taken as the picture, or refused."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("evil.html", "<script>alert(1)</script>")
    page = b"<html><script>alert(1)</script></html>"
    yield Odd("archive.jpg", encoded("JPEG") + archive.getvalue(), (), RGB, 12)
    film = random.Random(9).randbytes(20_000_000)  # by chance it holds some 300 marks of scans
    yield Odd("motion-photo.jpg", encoded("JPEG") + film, (), RGB, 12)
    yield Odd("page-behind.gif", encoded("GIF") + page, (), RGB)
    yield Odd("page-as.gif", b"GIF89a" + page, (DAMAGED, "too_many_pixels"))
    yield Odd("page-as.jpg", b"\xff\xd8\xff\xe0" + page, (DAMAGED,))


def odd_modes() -> Iterator[Odd]:
    """Pictures of kinds that many a program shows wrong."""
    hole: Quarters = (WHITE, *RGB[1:])
    deep = [[value * 257 for value in color] for color in RGB]
    yield Odd("16-bit.png", png16(deep, 2), (), RGB)
    solid = [[*color, 65_535 if number else 0] for number, color in enumerate(deep)]
    yield Odd("16-bit-alpha.png", png16(solid, 6), (), hole)
    yield Odd("16-bit-clear.png", png16(deep, 2, clear=deep[0]), (), hole)
    yield Odd("16-bit-grey.png", png16([[grey[0] * 257] for grey in GREYS], 0), (), GREYS)
    veiled = [[0, 0], [0, 65_535], [65_535, 65_535], [0, 32_768]]
    quarters = (WHITE, BLACK, WHITE, (127, 127, 127))
    yield Odd("16-bit-grey-alpha.png", png16(veiled, 4), (), quarters)
    cmyk = quartered("CMYK", ((0, 255, 255, 0), (255, 0, 255, 0), (0, 0, 0, 255), (0, 0, 0, 0)))
    plain = ((255, 0, 0), (0, 255, 0), BLACK, WHITE)
    yield Odd("cmyk.jpg", encoded("JPEG", cmyk), (), plain, 12)
    yield Odd("cmyk-unmarked.jpg", without_adobe(encoded("JPEG", cmyk)), (), plain, 12)
    yield Odd("ycck.jpg", ycck(plain), (), plain, 12)
    inks = quartered("CMYK", ((255, 0, 0, 0), (0, 255, 0, 0), (0, 0, 0, 255), (0, 0, 0, 0)))
    printed = ((5, 167, 51), BLACK, BLACK, WHITE)
    profiled = encoded("JPEG", inks, icc_profile=odd_cmyk())
    yield Odd("cmyk-profile.jpg", profiled, (), printed, 24)
    yield Odd("cmyk.tiff", encoded("TIFF", cmyk), (), plain, 3)
    lab = quartered("LAB", ((0, 128, 128), (255, 128, 128), (128, 128, 128), (0, 128, 128)))
    yield Odd("lab.tiff", encoded("TIFF", lab), (), (BLACK, WHITE, (119, 119, 119), BLACK), 4)
    p3 = quartered("RGB", ((234, 51, 35), WHITE, BLACK, (128, 128, 128)))
    wide = ((255, 0, 0), WHITE, BLACK, (128, 128, 128))
    yield Odd("display-p3.png", encoded("PNG", p3, icc_profile=display_p3()), (), wide, 14)
    palette = picture().quantize(8)
    clear = palette.getpixel((5, 5))
    yield Odd("palette-clear.png", encoded("PNG", palette, transparency=clear), (), hole)
    yield Odd("palette-clear.gif", encoded("GIF", palette, transparency=clear), (), hole)
    yield Odd("palette.png", encoded("PNG", palette), (), RGB)
    clear_rgb = encoded("PNG", picture(), transparency=RGB[0])
    yield Odd("one-color-clear.png", clear_rgb, (), hole)
    alpha = quartered("RGBA", ((0, 0, 0, 0), *((*color, 255) for color in RGB[1:])))
    for kind in ("PNG", "WEBP", "AVIF", "TIFF"):
        yield Odd(f"alpha.{kind.lower()}", encoded(kind, alpha, **LOSSLESS.get(kind, {})), (),
                  hole, 12 if kind == "AVIF" else 3)  # fmt: skip
    yield Odd("alpha.bmp", bmp_with_alpha(alpha), (), hole)
    grey_alpha = quartered("LA", ((0, 0), (0, 255), (255, 255), (0, 128)))
    yield Odd("grey-alpha.png", encoded("PNG", grey_alpha), (), quarters)
    bits = quartered("1", (0, 255, 255, 0))
    two = (BLACK, WHITE, WHITE, BLACK)
    yield Odd("1-bit.png", encoded("PNG", bits), (), two)
    yield Odd("1-bit.tiff", encoded("TIFF", bits, compression="group4"), (), two)
    whole = quartered("I;16", [grey[0] * 257 for grey in GREYS])
    yield Odd("16-bit.tiff", encoded("TIFF", whole), (), GREYS)
    floats = quartered("F", [grey[0] / 255 for grey in GREYS])
    yield Odd("float.tiff", encoded("TIFF", floats), (), GREYS)
    measured = quartered("F", (-50.0, 0.0, 50.0, 150.0))
    spread = (BLACK, (63, 63, 63), (127, 127, 127), WHITE)
    yield Odd("measured.tiff", encoded("TIFF", measured), (), spread)
    without = quartered("F", (float("nan"), 0.0, 50.0, 100.0))
    halves = (BLACK, BLACK, (127, 127, 127), WHITE)
    yield Odd("not-measured.tiff", encoded("TIFF", without), (), halves)
    endless = quartered("F", (float("inf"), float("-inf"), 0.5, 1.0))
    light = ((127, 127, 127), (127, 127, 127), (127, 127, 127), WHITE)
    yield Odd("endless.tiff", encoded("TIFF", endless), (), light)
    negative = quartered("I", (-100, 0, 100, 300))
    yield Odd("32-bit.tiff", encoded("TIFF", negative), (), spread_of(-100, 0, 100, 300))
    others = [Image.new("RGB", SIZE, "black"), Image.new("RGB", SIZE, "yellow")]
    for kind in ("GIF", "PNG", "WEBP", "TIFF", "MPO"):
        more: dict[str, Any] = {"save_all": True, "append_images": others} | LOSSLESS.get(kind, {})
        data = encoded(kind, **more)
        yield Odd(f"many.{kind.lower()}", data, (), RGB, 12 if kind == "MPO" else 3)
    yield Odd("grey.jpg", encoded("JPEG", quartered("L", [grey[0] for grey in GREYS])), (), GREYS)
    yield Odd("jpeg-inside.tiff", encoded("TIFF", compression="jpeg"), (), RGB, 12)
    yield Odd("palette.bmp", encoded("BMP", picture().quantize(4)), (), RGB)
    yield Odd("interlaced.gif", encoded("GIF", palette, interlace=1), (), RGB)
    yield Odd("progressive.jpg", encoded("JPEG", progressive=True), (), RGB, 12)


LOSSLESS: dict[str, dict[str, Any]] = {"WEBP": {"lossless": True}, "AVIF": {"quality": 95}}
#: Where the stored first row and first column lie in the upright picture, by EXIF's definition.
SIDES = {1: "top left", 2: "top right", 3: "bottom right", 4: "bottom left",
         5: "left top", 6: "right top", 7: "right bottom", 8: "left bottom"}  # fmt: skip
OPPOSITE = {"top": "bottom", "bottom": "top", "left": "right", "right": "left"}
PLACES = {frozenset({"top", "left"}): 0, frozenset({"top", "right"}): 1,
          frozenset({"bottom", "left"}): 2, frozenset({"bottom", "right"}): 3}  # fmt: skip


def odd_metadata() -> Iterator[Odd]:
    """Pictures with metadata that matter, or that must not matter."""
    for orientation in SIDES:
        for kind in ("JPEG", "PNG", "TIFF", "WEBP", "AVIF"):
            name = f"orientation-{orientation}.{kind.lower()}"
            tolerance = 12 if kind in ("JPEG", "AVIF") else 3
            yield Odd(name, turned(orientation, kind), (), RGB, tolerance)
    bad_exif = b"Exif\0\0MM\0*\xff\xff\xff\xff" + bytes(40)
    yield Odd("bad-exif.jpg", encoded("JPEG", exif=bad_exif), (), RGB, 12)
    yield Odd("bad-profile.png", encoded("PNG", icc_profile=b"no profile" * 20), (), RGB)
    wrong = encoded("PNG", icc_profile=odd_cmyk())
    yield Odd("profile-of-other-mode.png", wrong, (), RGB)
    yield Odd("long-text.png", with_chunk(b"tEXt", b"Comment\0" + b"long " * 1_600_000), (), RGB)
    comment = b"\xff\xfe\xff\xff" + b"x" * 65_533
    jpeg = encoded("JPEG")
    yield Odd("long-comments.jpg", jpeg[:2] + comment * 60 + jpeg[2:], (), RGB, 12)


# How they are made


def quartered(mode: str, quarters: Sequence[Any], size: tuple[int, int] = SIZE) -> Image.Image:
    """A picture with four quarters of these colours."""
    made = Image.new(mode, size)
    for number, color in enumerate(quarters):
        left, top = number % 2 * size[0] // 2, number // 2 * size[1] // 2
        made.paste(color, (left, top, left + size[0] // 2, top + size[1] // 2))
    return made


def picture() -> Image.Image:
    """The ordinary picture."""
    return quartered("RGB", RGB)


def noise() -> Image.Image:
    """A picture that cannot be compressed."""
    return Image.frombytes("RGB", (128, 128), random.Random(7).randbytes(128 * 128 * 3))


def encoded(kind: str, image: Image.Image | None = None, **how: Any) -> bytes:
    """A picture as a file."""
    file = io.BytesIO()
    (image or picture()).save(file, kind, **({"quality": 95} if kind == "JPEG" else {}) | how)
    return file.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    """One chunk of a PNG."""
    check = zlib.crc32(name + data)
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)


def png_header(width: int, height: int) -> bytes:
    """A PNG that says it is so large, with hardly any data."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(bytes(99)))
    return b"\x89PNG\r\n\x1a\n" + header + data + chunk(b"IEND", b"")


def png16(
    quarters: Sequence[Sequence[int]], kind: int, clear: Sequence[int] | None = None
) -> bytes:
    """A PNG of 16 bits: kind 0 grey, 2 RGB, 4 grey with alpha, 6 RGBA; one colour a quarter.

    clear: the colour that is transparent.
    """
    width, height = SIZE
    colors = [b"".join(struct.pack(">H", value) for value in color) for color in quarters]
    rows = b"".join(
        b"\0" + colors[side] * (width // 2) + colors[side + 1] * (width // 2)
        for side in (0, 2)
        for _ in range(height // 2)
    )
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0))
    if clear:
        header += chunk(b"tRNS", b"".join(struct.pack(">H", value) for value in clear))
    data = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + header + data + chunk(b"IEND", b"")


def with_chunk(name: bytes, data: bytes) -> bytes:
    """The ordinary PNG with one more chunk, right behind its header."""
    png = encoded("PNG")
    return png[:33] + chunk(name, data) + png[33:]


def tiff_header(width: int, height: int) -> bytes:
    """A TIFF that says it is so large, with hardly any data."""
    rows = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 273: 200, 277: 1, 278: height, 279: 9}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in rows.items())
    return b"II*\0" + struct.pack("<IH", 8, len(rows)) + entries + bytes(200)


def bmp_with_alpha(image: Image.Image) -> bytes:
    """A bitmap of 32 bits with masks for red, green, blue, and alpha."""
    masks = struct.pack("<4I", 0x00FF0000, 0x0000FF00, 0x000000FF, 0xFF000000)
    pixels = image.transpose(Image.Transpose.FLIP_TOP_BOTTOM).tobytes("raw", "BGRA")
    header = struct.pack("<IiiHHIIiiII", 108, *image.size, 1, 32, 3, len(pixels), 0, 0, 0, 0)
    header += masks + b"BGRs" + bytes(48)
    start = struct.pack("<2sIHHI", b"BM", 14 + len(header) + len(pixels), 0, 0, 14 + len(header))
    return start + header + pixels


def spread_of(*values: int) -> Quarters:
    """Greys from black for the lowest to white for the highest."""
    low, high = min(values), max(values)
    return [((value - low) * 255 // (high - low),) * 3 for value in values]


def without_adobe(jpeg: bytes) -> bytes:
    """The same JPEG without the segment that says who made it."""
    marker = jpeg.index(b"\xff\xee")
    return jpeg[:marker] + jpeg[marker + 16 :]


def ycck(quarters: Quarters) -> bytes:
    """A JPEG of inks as Photoshop writes them: cyan, magenta, yellow turned into YCbCr.

    Stored are 255 less ink, all of which Pillow does by itself but for the turning.
    """
    inks = quartered("RGB", [tuple(255 - value for value in color) for color in quarters])
    bands = inks.convert("YCbCr").point(lambda value: 255 - value).split()
    stored = Image.merge("CMYK", (*bands, Image.new("L", SIZE)))
    jpeg = bytearray(encoded("JPEG", stored, subsampling=0))
    jpeg[jpeg.index(b"Adobe") + 11] = 2
    return bytes(jpeg)


def many_scans(count: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again: each costs a whole pass."""
    jpeg = encoded("JPEG", quartered("RGB", RGB, (2_000, 2_000)), progressive=True)
    last = jpeg.rindex(b"\xff\xda")
    return jpeg[:last] + jpeg[last:-2] * count + jpeg[-2:]


def turned(orientation: int, kind: str) -> bytes:
    """A picture that is stored as a camera held in that way stores it; its upright is RGB."""
    row, column = SIDES[orientation].split()
    stored = [
        RGB[PLACES[frozenset({vertical, horizontal})]]
        for vertical in (row, OPPOSITE[row])
        for horizontal in (column, OPPOSITE[column])
    ]
    exif = Image.Exif()
    exif[0x0112] = orientation
    size = SIZE if orientation < 5 else (SIZE[1], SIZE[0])
    image = quartered("RGB", stored, size)
    if kind == "TIFF":
        return encoded(kind, image, tiffinfo={0x0112: orientation})
    return encoded(kind, image, exif=exif, **LOSSLESS.get(kind, {}))
