"""create_app(settings): builds the rooms, wires them, starts and stops the studio."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app.logs import configure_logs
from app.settings import Settings
from app.studio.studio import Studio
from app.web import build_web


def create_app(settings: Settings | None = None) -> FastAPI:
    """The whole program as an ASGI application; its processes live as long as its lifespan."""
    settings = settings or Settings()
    configure_logs()
    studio = Studio(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with studio.running():
            yield

    return build_web(settings, studio, lifespan)
