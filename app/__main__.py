"""`python -m app`: serve the dashboard, and say where it is as soon as it answers."""

import errno
import os
import signal
import socket
import sys
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import uvicorn
from pydantic import ValidationError

from app.errors import CannotServe, LaternaError
from app.main import create_app
from app.settings import Settings, complaints
from app.studio.studio import Studio

#: Seconds that open streams get to end when the server is asked to stop.
GRACE = 3
#: How a machine says that an address is not of a kind that it has.
NOT_HERE = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}


class Server(uvicorn.Server):
    """uvicorn, which tells its address when it answers, and who watches when it ends."""

    def __init__(self, config: uvicorn.Config, studio: Studio) -> None:
        super().__init__(config)
        self._studio = studio

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let those go who watch a job or a download, then wait for the others."""
        self._studio.scheduler.board.close()
        self._studio.fetcher.close()
        await super().shutdown(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then print the address on a line of its own."""
        await super().startup(sockets)
        if self.started:
            bound = self.servers[0].sockets[0].getsockname()
            host = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
            print(f"Laterna is at http://{host}:{bound[1]}", flush=True)


def main() -> int:
    """Serve until told to stop (0); 2, with a sentence, when the start cannot work."""
    with ExitStack() as held:
        try:
            settings = Settings()
            listening = [held.enter_context(one) for one in _bound(settings.host, settings.port)]
            app = create_app(settings)
        except Exception as error:
            for sentence in _sentences(error):
                print(sentence, file=sys.stderr)
            return 2
        config = uvicorn.Config(
            app,
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,  # ours are read in web/proxies.py
            timeout_graceful_shutdown=GRACE,
        )
        # uvicorn raises the signal again that ended it; to be asked to stop is no failure.
        signal.signal(signal.SIGTERM, lambda *_: None)
        with suppress(KeyboardInterrupt):
            Server(config, app.state.studio).run(listening)
    return 0


def _sentences(error: Exception) -> Iterator[str]:
    """What is wrong with a start, for one who can do nothing with a traceback."""
    match error:
        case ValidationError():
            yield from complaints(error)
        case LaternaError():
            yield str(error)
        case OSError():
            place = f" ({error.filename})" if error.filename else ""
            yield f"Laterna cannot start: {error.strerror or error}{place}."
        case _:
            last = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{last.filename}, line {last.lineno}"
            yield f"Laterna cannot start, by a fault of its own: {error!r} ({place})."


def _bound(host: str, port: int) -> Iterator[socket.socket]:
    """A socket for each address of a host, before anything is started. Raises CannotServe."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError):
        raise CannotServe(host=host, port=port, reason="this name is not known") from None
    is_bound = False
    for family, kind, protocol, _, address in dict.fromkeys(found):
        place = socket.socket(family, kind, protocol)
        try:
            place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:  # the same name has an address of version 4 for itself
                place.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            place.bind((address[0], port, *address[2:]))
        except OSError as error:
            place.close()
            if error.errno in NOT_HERE and len(found) > 1:
                continue  # a machine without IPv6 knows “localhost” by an address of it too
            reason = os.strerror(error.errno or 0).lower()
            raise CannotServe(host=host, port=port, reason=reason) from None
        port, is_bound = place.getsockname()[1], True
        yield place
    if not is_bound:
        raise CannotServe(host=host, port=port, reason="no address of it is this machine's")


if __name__ == "__main__":
    sys.exit(main())
