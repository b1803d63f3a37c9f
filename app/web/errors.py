"""Errors: LaternaError -> JSON for programs, a fragment for htmx, a page for people."""

import re
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from app.errors import (
    BadRequest,
    CookieMissing,
    LaternaError,
    Unexpected,
    UnknownImage,
    UnknownPage,
    Words,
    WrongField,
    WrongMethod,
)
from app.studio.recipes import VISUALIZATIONS
from app.web import languages, pages, sessions, urls

log = structlog.get_logger("laterna.web")
#: Where in a request's scope the address of the form stands that a person sent.
FORM = "laterna.form"


def wants_json(request: Request) -> bool:
    """Whether a program asks: a twin's address, or a type that is not a page's."""
    accept = request.headers.get("accept", "")
    if request.url.path.endswith(urls.JSON) or "application/json" in accept:
        return True
    return request.url.path.endswith((urls.PNG, ".jpg")) and "text/html" not in accept


def retry_after(error: LaternaError) -> int | None:
    """Seconds after which it is worth another try: what the sentence says, if it says it."""
    if error.retry_after is None:
        return None
    return int(error.facts.get("seconds", error.retry_after))


def retry(error: LaternaError) -> dict[str, str]:
    """The header that tells programs when to try again, if that is worth it."""
    seconds = retry_after(error)
    return {} if seconds is None else {"Retry-After": str(seconds)}


def answer(request: Request, error: LaternaError) -> Response:
    """An error in the form that the asker can use."""
    if type(error) is UnknownImage and not sessions.has_cookie(request):
        error = CookieMissing()
    message = error.message(languages.gettext)
    headers = retry(error)
    if isinstance(error, WrongMethod):
        headers["Allow"] = error.facts["allowed"]
    if wants_json(request):
        body = {"error": {"code": error.code, "message": message}}
        return JSONResponse(body, error.status, headers | {"Cache-Control": "no-store"})
    return pages.respond(
        request,
        "error.html",
        fragment="fragment",
        status=error.status,
        headers=headers | {"Cache-Control": "no-store"},
        code=error.code,
        message=message,
        number=error.status,
        retry_after=retry_after(error) if request.method == "GET" else None,
        form=request.scope.get(FORM),
        target=pages.wanted_block(request),
        again=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
    )


def unexpected(request: Request, failure: Exception) -> Response:
    """A failure of ours: told apart by the request's number, with its traceback in the log."""
    log.error("unexpected", exc_info=failure)
    return answer(request, Unexpected(request=request.scope.get("laterna.request", "–")))


def install(app: FastAPI) -> None:
    """Let the app answer every failure in these forms."""

    @app.exception_handler(LaternaError)
    async def laterna_error(request: Request, error: LaternaError) -> Response:
        return answer(request, error)

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        return answer(request, _said(request, error))

    @app.exception_handler(RequestValidationError)
    async def wrong_field(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        if first["type"] == "json_invalid":
            return answer(request, BadRequest(reason=languages.gettext("it is not valid JSON")))
        return answer(request, WrongField(field=_field(first), allowed=_allowed(first)))


def _field(problem: dict[str, Any]) -> str:
    """The name of the field that is wrong, from where pydantic found it."""
    place = [str(part) for part in problem["loc"] if part not in ("query", "path", "body")]
    if "discriminator" in problem.get("ctx", {}):
        return str(problem["ctx"]["discriminator"]).strip("'")
    if len(place) > 1 and place[0] in VISUALIZATIONS:  # the kind of body that it was read as
        place = place[1:]
    return ".".join(place) or "body"


def _allowed(problem: dict[str, Any]) -> str:
    """What would be right, from what pydantic says is wrong."""
    whole = languages.gettext("it must be a whole number.")
    choice = languages.gettext("it must be one of {expected}.")
    sentences = {
        "int_parsing": whole,
        "int_type": whole,
        "int_from_float": whole,
        "int_parsing_size": whole,
        "bool_parsing": languages.gettext("it must be “on” or “off”."),
        "greater_than_equal": languages.gettext("it must be {ge} or more."),
        "less_than_equal": languages.gettext("it must be {le} or less."),
        "string_too_long": languages.gettext("it may have {max_length} characters at most."),
        "too_long": languages.gettext("it may have {max_length} entries at most."),
        "string_type": languages.gettext("it must be text."),
        "size": languages.gettext("it must be 0 (by the quality) or from {low} to {high}."),
        "windows": languages.gettext("it must be numbers with spaces between, like {example}."),
        "extra_forbidden": languages.gettext(
            "there is no such field. The API page lists those there are."
        ),
        "union_tag_invalid": choice,
        "union_tag_not_found": choice,
        "missing": languages.gettext("it must be given."),
        "literal_error": choice,
        "value_error": choice,
    }
    facts = dict(problem.get("ctx", {}))
    if "discriminator" in facts:
        facts["expected"] = facts.get("expected_tags") or str([*VISUALIZATIONS])
    if problem["type"] == "value_error":
        wrong = facts["error"].args[0]
        facts["expected"] = wrong.told(languages.gettext) if isinstance(wrong, Words) else wrong
    elif "expected" in facts:
        facts["expected"] = ", ".join(re.findall(r"'([^']*)'", facts["expected"]))
    sentence = sentences.get(problem["type"], languages.gettext("it cannot be read."))
    return sentence.format(**facts)


def _said(request: Request, error: HTTPException) -> LaternaError:
    """The framework's own errors in our words."""
    if isinstance(error.__cause__, LaternaError):
        return error.__cause__
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "GET")
        return WrongMethod(method=request.method, allowed=allowed)
    if error.status_code == 404:
        return UnknownPage()
    log.info("refused by the framework", detail=str(error.detail))
    return BadRequest(reason=Words("its form or body cannot be read"))
