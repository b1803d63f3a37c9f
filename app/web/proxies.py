"""Proxies: what a trusted proxy in front says of who asked, by which name, and over https or not.

Only the proxies that the settings name are believed; from all others these headers are only text.
"""

from collections.abc import Sequence
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app import hosts
from app.errors import RootTaken
from app.settings import Settings
from app.web import urls

HEADERS = {b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto"}


def check_root(root: str) -> None:
    """Raises RootTaken where a path with and without the root path could not be told apart."""
    if root and "/" + root.split("/")[1].partition(".")[0] in urls.firsts():
        raise RootTaken(path=root)


class Proxied:
    """Puts client, scheme, Host and path as they were in front of the trusted proxies."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self._trusted = hosts.networks(settings.trusted_proxies)
        self._allowed = frozenset(settings.allowed_hosts)
        self._root = settings.root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, as the one who asked has sent it."""
        if scope["type"] == "http":
            client = scope.get("client")
            if client and self._trusts(client[0]):
                scope = self._seen_from_outside(scope)
            scope = self._below_root(scope)
            own = [pair for pair in scope["headers"] if pair[0] not in HEADERS]
            scope = {**scope, "headers": own}
            urls.lie_under(self._root)
        await self.app(scope, receive, send)

    def _below_root(self, scope: Scope) -> Scope:
        """With the root path in front, whether the proxy has taken it off or not."""
        path, root = scope["path"], self._root
        if not root:
            return scope
        if path == root:
            path = root + urls.HOME
        elif not path.startswith(root + "/"):
            path = root + path
        return {**scope, "root_path": root, "path": path, "raw_path": quote(path).encode()}

    def _trusts(self, address: str) -> bool:
        try:
            machine = hosts.machine(address)
        except ValueError:
            return False
        return any(machine in network for network in self._trusted)

    def _seen_from_outside(self, scope: Scope) -> Scope:
        headers = Headers(scope=scope)
        scheme = _first(headers.getlist("x-forwarded-proto")).lower()
        host = _first(headers.getlist("x-forwarded-host"))
        scope = {
            **scope,
            "client": (self._asker(scope["client"][0], headers), 0),
            "scheme": scheme if scheme in ("http", "https") else scope["scheme"],
        }
        if host and self._may_be_renamed(headers.getlist("host")):
            others = [pair for pair in scope["headers"] if pair[0] != b"host"]
            scope["headers"] = [(b"host", host.encode("latin-1")), *others]
        return scope

    def _asker(self, client: str, headers: Headers) -> str:
        """The last address that no trusted proxy has: what stands before it, anybody can write."""
        addresses = ",".join(headers.getlist("x-forwarded-for"))
        for text in reversed(addresses.split(",") if addresses else []):
            try:
                client = str(hosts.machine(text))
            except ValueError:
                break
            if not self._trusts(client):
                break
        return client

    def _may_be_renamed(self, given: Sequence[str]) -> bool:
        """Whether the proxy asked for us under a name that says nothing, or for one of our own.

        Else a page of another site whose name leads to a trusted address could call itself ours.
        """
        try:
            name, _ = hosts.place(given[0]) if len(given) == 1 else ("", None)
        except ValueError:
            return False
        return name in self._allowed or hosts.cannot_be_rebound(name)


def _first(values: Sequence[str]) -> str:
    """What the outermost proxy said, where several have added their word."""
    return ",".join(values).partition(",")[0].strip()
