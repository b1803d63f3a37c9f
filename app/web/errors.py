"""Errors: LaternaError -> JSON for programs, a fragment for htmx, a page for people."""

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from app.errors import (
    BadRequest,
    LaternaError,
    Unexpected,
    UnknownPage,
    WrongField,
    WrongMethod,
)
from app.web import languages, pages, urls

log = structlog.get_logger("laterna.web")


def wants_json(request: Request) -> bool:
    """Whether a program asks: a twin's address, or a type that is not a page's."""
    accept = request.headers.get("accept", "")
    if request.url.path.endswith(urls.JSON) or "application/json" in accept:
        return True
    return request.url.path.endswith((urls.PNG, ".jpg")) and "text/html" not in accept


def answer(request: Request, error: LaternaError) -> Response:
    """An error in the form that the asker can use."""
    message = error.message(languages.gettext)
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
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
        retry_after=error.retry_after if request.method == "GET" else None,
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
        place = [str(part) for part in first["loc"] if part not in ("query", "path", "body")]
        return answer(request, WrongField(field=".".join(place) or "body", allowed=first["msg"]))


def _said(request: Request, error: HTTPException) -> LaternaError:
    """The framework's own errors in our words."""
    if isinstance(error.__cause__, LaternaError):
        return error.__cause__
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "GET")
        return WrongMethod(method=request.method, allowed=allowed)
    if error.status_code == 404:
        return UnknownPage()
    return BadRequest(reason=str(error.detail))
