"""Formats: which picture format the first bytes of a file say; all others are refused."""

from app.errors import HeicRefused, NotAPicture

STARTS = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),  # BigTIFF
    (b"MM\0+", "TIFF"),
)
#: Sizes of the headers that bitmap files may have; “BM” alone begins many a text.
BMP_HEADERS = {12, 40, 52, 56, 64, 108, 124}
AVIF_BRANDS = {b"avif", b"avis"}
HEIC_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs"}
#: HEIF in general: some AVIF files say so first; if no brand says AVIF it is taken for HEIC.
HEIF_BRANDS = {b"mif1", b"msf1"}


def kind_of(data: bytes) -> str:
    """Pillow's name of the format that the first bytes say. Raises NotAPicture, HeicRefused."""
    for start, kind in STARTS:
        if data.startswith(start):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in BMP_HEADERS:
        return "BMP"
    brands = _brands(data)
    if brands & AVIF_BRANDS:
        return "AVIF"
    if brands & (HEIC_BRANDS | HEIF_BRANDS):
        raise HeicRefused()
    raise NotAPicture()


def _brands(data: bytes) -> set[bytes]:
    """What an ISO media file says that it is: its major brand and those it is compatible with."""
    if data[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(data[:4], "big"), 256)
    return {data[8:12], *(data[at : at + 4] for at in range(16, end, 4))}
