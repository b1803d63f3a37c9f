"""Guards: what every request passes on its way in, and every answer on its way out.

Plain ASGI, so that streams stay streams. `RequestLog` is outermost: whatever happens inside, the
answer gets the security headers, a request id, a log line and its place in the metrics; and all
that is written on the way speaks the language of the person who asked.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable

import structlog
from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import hosts
from app.errors import BadRequest, ForeignOrigin, LaternaError, TooLarge, WrongHost
from app.settings import Settings
from app.web import bodies, errors, languages, metrics, pages, preferences, urls

log = structlog.get_logger("laterna.web")

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self' blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SECURITY = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), browsing-topics=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
#: What is logged and counted of a client that left before it could be answered.
CLIENT_LEFT = 499
#: The content type of what does not end by itself.
STREAM = "text/event-stream"
SAFE = {"GET", "HEAD", "OPTIONS"}
#: What decides, besides the address, what an answer in JSON says.
JSON_VARY = "Accept-Language, Cookie"
#: Answers in JSON that are the same for everybody.
SHARED_JSON = (urls.OPENAPI, urls.HEALTHZ)
#: Pictures of full size that one form may bring.
FORM_FILES = 10
#: What a multipart form adds to the bytes of its file.
FORM_BYTES = 64 * 1024


class RequestLog:
    """Sees every request and its answer: headers, id, log, metrics, and failures of ours."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on; answer it if nothing inside could."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange = _Exchange(scope, send)
        languages.speak(preferences.preferences(Request(scope)).language)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=exchange.id)
        try:
            if exchange.method == "HEAD":
                await _up_to_a_stream(self.app(scope, receive, exchange.send), exchange.streams)
            else:
                await self.app(scope, receive, exchange.send)
        except ClientDisconnect:
            pass  # nobody is left to be answered
        except Exception as failure:
            response = errors.unexpected(Request(scope), failure)
            if exchange.status is not None:
                raise
            await response(scope, receive, exchange.send)
        finally:
            exchange.tell()


class _Exchange:
    """One request, from arrival to the last byte of its answer. HEAD is a GET without a body."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.id = scope["laterna.request"] = secrets.token_hex(8)
        self.scope, self._send = scope, send
        self.method: str = scope["method"]
        self.status: int | None = None
        #: Set once a HEAD was answered by a stream, which would go on.
        self.streams = asyncio.Event()
        self._began = time.perf_counter()
        if self.method == "HEAD":
            scope["method"] = "GET"

    async def send(self, message: Message) -> None:
        """Pass a part of the answer on, with our headers on its start."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in {**SECURITY, "X-Request-ID": self.id}.items():
                headers[name] = value
            if _is_personal(urls.below(self.scope["path"]), headers):
                headers.setdefault("Cache-Control", pages.PRIVATE)
                headers.add_vary_header(JSON_VARY)
        elif self.method == "HEAD":
            message = {**message, "body": b""}
        await self._send(message)
        if self.method == "HEAD" and _begins_a_stream(message):
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
            self.streams.set()
            await asyncio.Event().wait()  # until it is cancelled: nobody hears the rest

    def tell(self) -> None:
        """One log line and one count; the route's template, so nothing of anybody's picture."""
        route = getattr(self.scope.get("route"), "path", "(none)")
        seconds = time.perf_counter() - self._began
        has_left = self.scope.get(bodies.LEFT) or self.status is None
        status = CLIENT_LEFT if has_left else self.status
        metrics.REQUESTS.labels(metrics.method(self.method), route, status).inc()
        metrics.SECONDS.labels(route).observe(seconds)
        log.info(
            "request",
            method=self.method,
            route=route,
            status=status,
            seconds=round(seconds, 4),
        )


async def _up_to_a_stream(answering: Awaitable[None], streams: asyncio.Event) -> None:
    """Answer; but go no further where the answer turns out to be a stream."""
    answer, stream = asyncio.ensure_future(answering), asyncio.ensure_future(streams.wait())
    try:
        await asyncio.wait((answer, stream), return_when=asyncio.FIRST_COMPLETED)
        if not streams.is_set():
            await answer
    finally:
        stream.cancel()
        answer.cancel()
        await asyncio.wait((answer, stream))


def _begins_a_stream(message: Message) -> bool:
    if message["type"] != "http.response.start":
        return False
    return Headers(scope=message).get("content-type", "").startswith(STREAM)


def _is_personal(path: str, headers: MutableHeaders) -> bool:
    """Whether an answer is in JSON and depends on who asks, or in which language."""
    is_json = headers.get("content-type", "").startswith("application/json")
    return is_json and path not in SHARED_JSON


class RequestGuard:
    """Lets in what is meant for this server, comes from its own pages, and is not too large."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self._hosts = frozenset(settings.allowed_hosts)
        self._upload_bytes = settings.upload_max_bytes
        self._body_bytes = settings.body_max_bytes
        self._bodies = bodies.Bodies(settings.bodies_max_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            headers = Headers(scope=scope)
            place = self._place(headers)
            self._check_origin(scope["method"], headers, place)
            limit, shown = self._limit(scope)
            size = _length(headers, limit, shown)
            self._bodies.take(size)
        except LaternaError as refusal:
            await errors.answer(Request(scope), refusal)(scope, receive, send)
            return
        scope[bodies.EXPECTED] = size
        scope["query_string"] = _without_blanks(scope["query_string"])
        try:
            await self.app(scope, bodies.counted(scope, receive, limit, shown), send)
        finally:
            self._bodies.give_back(size)

    def _place(self, headers: Headers) -> hosts.Place:
        """Name and port that were asked for. Raises WrongHost when the name is not ours."""
        given = headers.getlist("host")
        try:
            place = hosts.place(given[0]) if len(given) == 1 else ("", None)
        except ValueError:
            place = (given[0], None)
        if place[0] not in self._hosts:
            raise WrongHost(host=place[0][:80])
        return place

    def _check_origin(self, method: str, headers: Headers, place: hosts.Place) -> None:
        """Browsers say where an unsafe request comes from; scripts say nothing and may.

        A proxy may have changed the port or the name: then the browser's own word counts, which
        no page can change, if the name is one of ours. Raises ForeignOrigin for another site's
        page, and for pages without an origin ("null").
        """
        if method in SAFE:
            return
        origins, site = headers.getlist("origin"), headers.get("sec-fetch-site")
        foreign = ForeignOrigin(
            origin=(origins[0] if origins else site or "")[:80], host=headers["host"][:80]
        )
        if site not in (None, "same-origin", "none"):
            raise foreign
        for origin in origins:
            try:
                theirs = hosts.origin_place(origin)
            except ValueError:
                raise foreign from None
            if theirs != place and not (site == "same-origin" and theirs[0] in self._hosts):
                raise foreign

    def _limit(self, scope: Scope) -> tuple[int, int]:
        """(bytes that a body may have, bytes that people are told of)."""
        path = urls.below(scope["path"])
        if path == urls.IMAGES + urls.JSON:
            return self._bounded(self._upload_bytes + FORM_BYTES, self._upload_bytes)
        if path == urls.IMAGES:  # several pictures; each is held to the limit of one
            together = FORM_FILES * self._upload_bytes
            return self._bounded(together + FORM_BYTES, together)
        return self._bounded(self._body_bytes, self._body_bytes)

    def _bounded(self, limit: int, shown: int) -> tuple[int, int]:
        return min(limit, self._bodies.most), min(shown, self._bodies.most)


def _without_blanks(query: bytes) -> bytes:
    """A query without the fields that were left empty; those count as absent."""
    return b"&".join(field for field in query.split(b"&") if field.partition(b"=")[2])


def _length(headers: Headers, limit: int, shown: int) -> int:
    """Bytes that a body will have at most. Raises TooLarge and BadRequest."""
    given = headers.get("content-length")
    if given is None:
        return limit if "transfer-encoding" in headers else 0
    if not (given.isascii() and given.isdigit()):
        raise BadRequest(reason="Content-Length")
    if int(given) > limit:
        raise TooLarge(limit_mb=bodies.mb(shown))
    return int(given)
