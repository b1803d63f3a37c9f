"""Preferences: theme and language, each a cookie; changed by a form, never by a link."""

from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse

from app import hosts
from app.web import languages, urls

Theme = Literal["auto", "light", "dark", "projector"]
THEMES: tuple[Theme, ...] = ("auto", "light", "dark", "projector")
THEME_COOKIE, LANGUAGE_COOKIE = "laterna_theme", "laterna_language"
YEAR = 365 * 24 * 3600

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Preferences:
    """How somebody wants the pages to be; language "auto" follows the browser."""

    theme: Theme
    language: str
    chosen_language: str


def preferences(request: Request) -> Preferences:
    """What the cookies say, with the browser's own language where they say nothing."""
    theme = request.cookies.get(THEME_COOKIE, "auto")
    chosen = request.cookies.get(LANGUAGE_COOKIE, "auto")
    language = languages.negotiated(chosen, request.headers.get("accept-language", ""))
    return Preferences(
        next((known for known in THEMES if known == theme), "auto"),
        language,
        chosen if chosen in languages.LANGUAGES else "auto",
    )


@router.post(urls.PREFERENCES)
async def choose(
    request: Request,
    theme: Annotated[Theme | None, Form()] = None,
    language: Annotated[Literal["auto", "en", "da"] | None, Form()] = None,
) -> RedirectResponse:
    """Remember what was chosen and go back to the page it was chosen on."""
    answer = RedirectResponse(_came_from(request), 303)
    for name, value in ((THEME_COOKIE, theme), (LANGUAGE_COOKIE, language)):
        if value is not None:
            answer.set_cookie(
                name,
                value,
                max_age=YEAR,
                path=urls.root() or urls.HOME,
                httponly=True,
                samesite="lax",
            )
    return answer


def _came_from(request: Request) -> str:
    """The path of the page before, if it is one of ours."""
    try:
        before = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return urls.at(urls.HOME)
    home = urls.at(urls.HOME)
    if not _is_this_server(before.netloc, request) or not before.path.startswith(home):
        return home
    path = before.path.removeprefix(home).lstrip(urls.HOME)
    return home + path + (f"?{before.query}" if before.query else "")


def _is_this_server(place: str, request: Request) -> bool:
    """Whether a page came from here; a proxy may have changed the port."""
    try:
        return hosts.place(place)[0] == hosts.place(request.headers["host"])[0]
    except ValueError:
        return False
