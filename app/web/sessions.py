"""Sessions: a signed cookie that says which browser uploaded a picture; set only by an upload."""

import secrets
from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import Response
from itsdangerous import BadSignature, Signer

from app.web import urls

COOKIE = "laterna_session"
#: Longer than any upload is kept, and renewed by every upload.
DAYS = 400


def _signer(request: Request) -> Signer:
    key: bytes = request.app.state.session_key
    return Signer(key, salt="session")


async def owner(request: Request) -> str | None:
    """Whose browser this is; None for one that has not uploaded anything."""
    try:
        name = _signer(request).unsign(request.cookies.get(COOKIE, "")).decode()
        return name or None  # the samples' owner has no name, and no browser is theirs
    except (BadSignature, UnicodeDecodeError):
        return None


def has_cookie(request: Request) -> bool:
    """Whether this browser has sent a session, good or not: so it keeps cookies from here."""
    return COOKIE in request.cookies


Owner = Annotated[str | None, Depends(owner)]


def new_owner() -> str:
    """A name for a browser that nobody can guess."""
    return secrets.token_urlsafe(16)


def remember(request: Request, response: Response, owner: str) -> None:
    """Let this browser be known as `owner` from now on."""
    response.set_cookie(
        COOKIE,
        _signer(request).sign(owner).decode(),
        max_age=DAYS * 24 * 3600,
        path=urls.root() or urls.HOME,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
