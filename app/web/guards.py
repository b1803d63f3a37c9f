"""Guards: what every request passes on its way in, and every answer on its way out.

Plain ASGI, so that streams stay streams. `Witness` is outermost: whatever happens inside, the
answer gets the security headers, a request id, a log line and its place in the metrics; and all
that is written on the way speaks the language of the person who asked.
"""

import secrets
import time
from urllib.parse import urlsplit

import structlog
from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import BadRequest, ForeignOrigin, LaternaError, TooLarge, WrongHost
from app.settings import MIB, Settings
from app.web import errors, languages, metrics, pages, preferences, urls

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
SAFE = {"GET", "HEAD", "OPTIONS"}
#: What decides, besides the address, what an answer in JSON says.
JSON_VARY = "Accept-Language, Cookie"
#: Answers in JSON that are the same for everybody.
SHARED_JSON = (urls.OPENAPI, urls.HEALTHZ)
#: Pictures of full size that one form may bring.
FORM_FILES = 10
#: What a multipart form adds to the bytes of its file.
FORM_BYTES = 64 * 1024


class Witness:
    """Sees every request and its answer: headers, id, log, metrics, and failures of ours."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on; answer it if nothing inside could."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        sight = _Sight(scope, send)
        languages.speak(preferences.preferences(Request(scope)).language)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=sight.id)
        try:
            await self.app(scope, receive, sight.send)
        except Exception as failure:
            response = errors.unexpected(Request(scope), failure)
            if sight.status is not None:
                raise
            await response(scope, receive, sight.send)
        finally:
            sight.tell()


class _Sight:
    """One request, from arrival to the last byte of its answer. HEAD is a GET without a body."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.id = scope["laterna.request"] = secrets.token_hex(8)
        self.scope, self._send = scope, send
        self.method: str = scope["method"]
        self.status: int | None = None
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
            if _is_personal(self.scope["path"], headers):
                headers.setdefault("Cache-Control", pages.PRIVATE)
                headers.add_vary_header(JSON_VARY)
        elif self.method == "HEAD":
            message = {**message, "body": b""}
        await self._send(message)

    def tell(self) -> None:
        """One log line and one count; the route's template, so nothing of anybody's picture."""
        route = getattr(self.scope.get("route"), "path", "(none)")
        seconds = time.perf_counter() - self._began
        status = self.status or 499
        metrics.REQUESTS.labels(metrics.method(self.method), route, status).inc()
        metrics.SECONDS.labels(route).observe(seconds)
        log.info(
            "request",
            method=self.method,
            route=route,
            status=status,
            seconds=round(seconds, 4),
        )


def _is_personal(path: str, headers: MutableHeaders) -> bool:
    """Whether an answer is in JSON and depends on who asks, or in which language."""
    is_json = headers.get("content-type", "").startswith("application/json")
    return is_json and path not in SHARED_JSON


class Door:
    """Lets in what is meant for this server, comes from its own pages, and is not too large."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self._hosts = frozenset(host.lower() for host in settings.allowed_hosts)
        self._upload_bytes = settings.upload_max_bytes
        self._body_bytes = settings.body_max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            headers = Headers(scope=scope)
            self._check_host(headers)
            _check_origin(scope["method"], headers)
            limit, shown = self._limit(scope)
            _check_length(headers, limit, shown)
        except LaternaError as refusal:
            await errors.answer(Request(scope), refusal)(scope, receive, send)
            return
        scope["query_string"] = _without_blanks(scope["query_string"])
        await self.app(scope, _counted(receive, limit, shown), send)

    def _check_host(self, headers: Headers) -> None:
        given = headers.getlist("host")
        name = _hostname(given[0]) if len(given) == 1 else ""
        if name not in self._hosts:
            raise WrongHost(host=name[:80])

    def _limit(self, scope: Scope) -> tuple[int, int]:
        """(bytes that a body may have, bytes that people are told of)."""
        if scope["path"] == urls.IMAGES + urls.JSON:
            return self._upload_bytes + FORM_BYTES, self._upload_bytes
        if scope["path"] == urls.IMAGES:  # several pictures; each is held to the limit of one
            together = FORM_FILES * self._upload_bytes
            return together + FORM_BYTES, together
        return self._body_bytes, self._body_bytes


def _without_blanks(query: bytes) -> bytes:
    """A query without the fields that were left empty; those count as absent."""
    return b"&".join(field for field in query.split(b"&") if field.partition(b"=")[2])


def _hostname(host: str) -> str:
    """The name in a Host header, without its port; IPv6 keeps its brackets."""
    name, colon, port = host.strip().lower().rpartition(":")
    return name if colon and port.isdigit() else host.strip().lower()


def _check_origin(method: str, headers: Headers) -> None:
    """Browsers say where an unsafe request comes from; scripts say nothing and may.

    Raises ForeignOrigin for another site's page, and for pages without an origin ("null").
    """
    if method in SAFE:
        return
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if origin is not None and _place(origin) != headers["host"].lower():
        raise ForeignOrigin()
    if site not in (None, "same-origin", "none"):
        raise ForeignOrigin()


def _place(origin: str) -> str | None:
    """Host and port of an origin; None when it cannot be read as an address."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return None


def _check_length(headers: Headers, limit: int, shown: int) -> None:
    given = headers.get("content-length")
    if given is None:
        return
    if not given.isdigit():
        raise BadRequest(reason="Content-Length")
    if int(given) > limit:
        raise TooLarge(limit_mb=mb(shown))


def _counted(receive: Receive, limit: int, shown: int) -> Receive:
    """`receive`, refusing to take in more than `limit` bytes."""
    taken = 0

    async def counting() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            raise TooLarge(limit_mb=mb(shown))
        return message

    return counting


def mb(size: int) -> str:
    """Bytes as people are told of them, in MB."""
    return f"{size / MIB:g}"
