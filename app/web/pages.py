"""Pages: (template, facts) -> a whole page, or the one block of it that htmx asked for.

The block is the one named like the element that htmx will swap: `hx-target="#numbers"` gets
`{% block numbers %}`. So a fragment is always a part of the page it goes into.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import jinja2
from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from app import __version__
from app.settings import ROOT
from app.web import languages, preferences, urls, wording
from app.web.statics import Static

PRIVATE = "private, no-cache"
#: What decides, besides the address, which page is sent.
VARY = "HX-Request, HX-Request-Type, HX-Target, Accept-Language, Cookie"


def environment(statics: Mapping[str, Static]) -> jinja2.Environment:
    """The templates with everything they may call."""
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROOT / "templates"),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    env.install_gettext_callables(  # type: ignore[attr-defined]  # the extension adds it
        languages.gettext, languages.ngettext, newstyle=True
    )
    env.globals |= {
        "urls": urls.Links(),
        "version": __version__,
        "languages": languages.LANGUAGES,
        "themes": preferences.THEMES,
        "static": lambda path: urls.at(statics[path].url),
        "whole_address": whole_address,
        "kind": languages.kind,
        "shown_name": wording.shown,
        "tip": wording.tip,
        "layer_kind": wording.layer_kind,
        "beyond": wording.beyond,
        "preprocessing_words": wording.preprocessing,
        "whole": languages.whole,
        "short": languages.short,
        "percent": languages.percent,
        "size_of": languages.size_of,
        "duration": languages.duration,
        "moment": languages.moment,
    }
    env.filters["titled"] = wording.titled
    env.globals["parts"] = env.get_template("parts.html").module
    for name in env.list_templates():
        env.get_template(name)
    return env


def whole_address(request: Request, path: str) -> str:
    """A link with the server's name in front, to pass on."""
    return f"{request.url.scheme}://{request.url.netloc}{path}"


def wanted_block(request: Request) -> str | None:
    """The id of the element that htmx will swap; None when a whole page is wanted."""
    headers = request.headers
    if headers.get("HX-Request") != "true" or headers.get("HX-Request-Type") != "partial":
        return None
    return headers.get("HX-Target", "").partition("#")[2] or None


def render(request: Request, template: str, block: str | None = None, **facts: Any) -> str:
    """A template, or one of its blocks, in this person's language and theme."""
    prefers = preferences.preferences(request)
    page = request.app.state.templates.get_template(template)
    everything = {"request": request, "prefers": prefers, "here": request.url.path, **facts}
    if block is None:
        return str(page.render(everything))
    return "".join(page.blocks[block](page.new_context(everything)))


def respond(
    request: Request,
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    fragment: str | None = None,
    **facts: Any,
) -> Response:
    """The answer to a person: whole, or by block, never shared between people by a cache.

    fragment: the block for htmx when it is another than the one named like its target.
    """
    page = request.app.state.templates.get_template(template)
    wanted = wanted_block(request)
    block = (fragment or wanted) if wanted else None
    body = render(request, template, block if block in page.blocks else None, **facts).encode()
    return private(request, body, "text/html; charset=utf-8", status, headers)


def private(
    request: Request,
    body: bytes,
    media: str,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    digest: str | None = None,
) -> Response:
    """Bytes for this person only, with an ETag: asked again, an unchanged answer is a 304."""
    etag = f'"{digest or hashlib.blake2b(body, digest_size=16).hexdigest()}"'
    all_headers = {"Cache-Control": PRIVATE, "ETag": etag, "Vary": VARY, **(headers or {})}
    if status == 200 and known(request, etag):
        return Response(status_code=304, headers=all_headers)
    return Response(body, status, all_headers, media)


def saved_as(name: str | None) -> dict[str, str]:
    """The header that has an answer saved as a file, under a plain name; none without a name."""
    if name is None:
        return {}
    stem, _, ending = name.rpartition(".")
    plain = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in stem)
    return {"Content-Disposition": f'attachment; filename="laterna-{plain}.{ending}"'}


def known(request: Request, etag: str) -> bool:
    """Whether the asker already has what this ETag names."""
    return etag in [part.strip() for part in request.headers.get("if-none-match", "").split(",")]


def go(address: str) -> RedirectResponse:
    """To another page, as a form asked for."""
    return RedirectResponse(address, 303)
