"""A small real proxy in front of a server, with the habits that proxies have."""

import http.client
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Literal
from urllib.parse import urlsplit

#: What is for one connection only.
HOPS = {"connection", "transfer-encoding", "keep-alive", "content-length"}


@dataclass
class Habits:
    """How a proxy passes requests on.

    host: as it came, without its port, with the default port written out, or as the server's own;
    prefix: what it takes off the front of paths, when strips says so; all else is a 404.
    refuses: what it answers uploads with, in HTML of its own; 302 leads to another origin;
    loses_cookies: those that the server sets do not arrive.
    """

    host: Literal["kept", "without port", "default port", "upstream"] = "kept"
    forwarded: dict[str, str] = field(default_factory=dict)
    forwards_host: bool = False
    prefix: str = ""
    strips: bool = True
    refuses: int = 0
    loses_cookies: bool = False


@contextmanager
def proxy(upstream: str, habits: Habits) -> Iterator[str]:
    """A proxy before the server at this address; its own address."""
    place = urlsplit(upstream)
    assert place.hostname is not None
    where = (place.hostname, place.port or 80)

    class Passing(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def _refuse(self, status: int) -> None:
            page = b"<!doctype html><title>Gateway</title><h1>Please sign in</h1>"
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "https://sign-in.example/login")
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def _pass_on(self) -> None:
            asked = self.headers["Host"]
            path = self.path
            if habits.prefix:
                bare = path.partition("?")[0]
                if bare != habits.prefix and not bare.startswith(habits.prefix + "/"):
                    self.send_error(404)
                    return
                if habits.strips:
                    path = path.removeprefix(habits.prefix)
                    path = path if path.startswith("/") else "/" + path
            name = asked.rpartition(":")[0] or asked
            said = {
                "kept": asked,
                "without port": name,
                "default port": f"{name}:443",
                "upstream": f"{where[0]}:{where[1]}",
            }[habits.host]
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            signs_in = habits.refuses == 302 and "text/html" in self.headers.get("Accept", "")
            if habits.refuses and (self.path.endswith("/images.json") or signs_in):
                self._refuse(habits.refuses)
                return
            self.close_connection = True
            with closing(http.client.HTTPConnection(*where, timeout=120)) as line:
                line.putrequest(self.command, path, skip_host=True, skip_accept_encoding=True)
                line.putheader("Host", said)
                for header, value in self.headers.items():
                    if header.lower() not in {"host", *HOPS}:
                        line.putheader(header, value)
                for header, value in habits.forwarded.items():
                    line.putheader(header, value)
                if habits.forwards_host:
                    line.putheader("X-Forwarded-Host", asked)
                if body or self.command == "POST":
                    line.putheader("Content-Length", str(len(body)))
                line.endheaders(body)
                answer = line.getresponse()
                self.send_response_only(answer.status)
                for header, value in answer.getheaders():
                    lost = habits.loses_cookies and header.lower() == "set-cookie"
                    if header.lower() not in HOPS and not lost:
                        self.send_header(header, value)
                self.send_header("Connection", "close")
                self.end_headers()
                while piece := answer.read1(65536):
                    self.wfile.write(piece)
                    self.wfile.flush()

        do_GET = do_POST = do_DELETE = do_HEAD = do_PUT = _pass_on  # noqa: N815

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Clients may leave."""

    front = Quiet(("127.0.0.1", 0), Passing)
    serving = Thread(target=front.serve_forever, daemon=True)
    serving.start()
    try:
        yield f"http://127.0.0.1:{front.server_address[1]}"
    finally:
        front.shutdown()
        front.server_close()
