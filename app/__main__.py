"""`python -m app`: serve the dashboard, and say where it is as soon as it answers."""

import signal
import socket
import sys
from contextlib import suppress

import uvicorn
from pydantic import ValidationError

from app.errors import LaternaError
from app.main import create_app
from app.settings import Settings
from app.studio.studio import Studio

#: Seconds that open streams get to end when the server is asked to stop.
GRACE = 3


class Server(uvicorn.Server):
    """uvicorn, which tells its address when it answers, and who watches when it ends."""

    def __init__(self, config: uvicorn.Config, studio: Studio) -> None:
        super().__init__(config)
        self._studio = studio

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let those go who watch a job, then wait for the others."""
        self._studio.foreman.board.close()
        await super().shutdown(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then print the address on a line of its own."""
        await super().startup(sockets)
        if self.started:
            bound = self.servers[0].sockets[0].getsockname()
            host = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
            print(f"Laterna is at http://{host}:{bound[1]}", flush=True)


def main() -> int:
    """Serve until told to stop (0); 2 when a setting is wrong or the data are in use elsewhere."""
    try:
        settings = Settings()
        app = create_app(settings)
    except ValidationError as error:
        for problem in error.errors():
            print(f"Setting {problem['loc'][0]}: {problem['msg']}", file=sys.stderr)
        return 2
    except LaternaError as error:
        print(error, file=sys.stderr)
        return 2
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
    )
    # uvicorn raises the signal again that ended it; to be asked to stop is no failure.
    signal.signal(signal.SIGTERM, lambda *_: None)
    with suppress(KeyboardInterrupt):
        Server(config, app.state.studio).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
