"""The site: settings and studio -> the ASGI application with all its routes and guards."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from app import __version__
from app.logs import configure_logs
from app.settings import Settings
from app.studio.studio import Studio
from app.web import (
    activations,
    attribution,
    calculators,
    collections,
    comparison,
    covering,
    docs,
    errors,
    exports,
    failures,
    fetching,
    filters,
    firing,
    gallery,
    graph,
    guards,
    health,
    home,
    images,
    indexed,
    languages,
    layers,
    lecture,
    live,
    models,
    neighbours,
    notebooks,
    pages,
    photo_map,
    photos,
    predictions,
    preferences,
    side_by_side,
    statics,
    uploads,
    urls,
    visualization_files,
    visualization_form,
    visualizations,
)
from app.web.limit import UploadLimit

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]

#: Suffix routes stand before bare ones within each of these.
ROUTERS = (
    attribution,
    covering,
    health,
    statics,
    preferences,
    home,
    lecture,
    fetching,
    graph,
    firing,
    indexed,
    neighbours,
    photo_map,
    photos,
    collections,
    layers,
    models,
    activations,
    images,
    uploads,
    predictions,
    side_by_side,
    calculators,
    comparison,
    filters,
    exports,
    notebooks,
    visualization_form,
    gallery,
    live,
    visualization_files,
    visualizations,
    docs,
)


def build_web(settings: Settings, studio: Studio, lifespan: Lifespan) -> FastAPI:
    """Laterna as seen from outside. `lifespan` starts and stops what is behind it."""
    configure_logs()
    app = FastAPI(
        title="Laterna",
        summary="A magic lantern for convolutional networks.",
        version=__version__,
        lifespan=lifespan,
        openapi_url=urls.OPENAPI,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False},
        responses=failures.failures(400),
    )
    app.state.settings = settings
    app.state.studio = studio
    app.state.session_key = studio.archive.secret("session")
    app.state.upload_limit = UploadLimit(settings.uploads_per_minute)
    app.state.fragments = live.Fragments()
    app.state.statics = statics.read_statics()
    app.state.templates = pages.environment(app.state.statics)
    for language in languages.LANGUAGES:
        languages.catalogue(language)
    for part in ROUTERS:
        app.include_router(part.router)
    errors.install(app)
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=4)
    app.add_middleware(guards.Door, settings=settings)
    app.add_middleware(guards.Witness)
    return app
