"""Static files: read once, served from memory under an address that holds their hash."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.errors import UnknownPage
from app.settings import ROOT
from app.web import urls

FOLDER = ROOT / "static"
MEDIA: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
FOREVER = "public, max-age=31536000, immutable"

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Static:
    """One file: its bytes, plain and gzipped, and where it is served."""

    body: bytes
    packed: bytes
    media: str
    url: str


def read_statics(folder: Path = FOLDER) -> dict[str, Static]:
    """All files that pages use, by their path below the folder."""
    files = [file for file in sorted(folder.rglob("*")) if file.suffix in MEDIA and file.is_file()]
    return {path: _static(file, path) for file in files for path in [_path(file, folder)]}


def _path(file: Path, folder: Path) -> str:
    return file.relative_to(folder).as_posix()


def _static(file: Path, path: str) -> Static:
    body = file.read_bytes()
    digest = hashlib.sha256(body).hexdigest()[:16]
    packed = gzip.compress(body, 9, mtime=0)
    return Static(body, packed, MEDIA[file.suffix], urls.static(digest, path))


@router.get(urls.STATIC)
async def static_file(request: Request, digest: str, path: str) -> Response:
    """A file of ours or a vendored one; immutable, since its address changes with it."""
    file = request.app.state.statics.get(path)
    if file is None or file.url != urls.static(digest, path):
        raise UnknownPage()
    headers = {"Cache-Control": FOREVER, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(file.packed, media_type=file.media, headers=headers)
    return Response(file.body, media_type=file.media, headers=headers)
