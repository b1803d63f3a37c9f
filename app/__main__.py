"""`python -m app`: serve the dashboard, and say where it is as soon as it answers."""

import socket
import sys

import uvicorn
from pydantic import ValidationError

from app.main import create_app
from app.settings import Settings

#: Seconds that open streams get to end when the server is asked to stop.
GRACE = 3


class Server(uvicorn.Server):
    """uvicorn, which tells its address when it answers."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then print the address on a line of its own."""
        await super().startup(sockets)
        if self.started:
            bound = self.servers[0].sockets[0].getsockname()
            host = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
            print(f"Laterna is at http://{host}:{bound[1]}", flush=True)


def main() -> int:
    """Serve until told to stop; 2 when a setting is wrong, 1 when the address is taken."""
    try:
        settings = Settings()
    except ValidationError as error:
        for problem in error.errors():
            print(f"Setting {problem['loc'][0]}: {problem['msg']}", file=sys.stderr)
        return 2
    config = uvicorn.Config(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
    )
    Server(config).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
