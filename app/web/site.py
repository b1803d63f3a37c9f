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
    errors,
    guards,
    health,
    home,
    languages,
    pages,
    preferences,
    proxies,
    search,
    statics,
    urls,
)
from app.web.api import docs, failures
from app.web.collections import collections, index, neighbours, photo_map, photos
from app.web.images import (
    activations,
    attribution,
    covering,
    exports,
    images,
    notebooks,
    predictions,
    side_by_side,
    silent_channels,
    uploads,
)
from app.web.lecture import page as lecture
from app.web.limit import UploadLimit
from app.web.networks import calculators, comparison, fetching, filters, graph, layers, models
from app.web.visualizations import files, form, gallery, live, visualizations

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
    search,
    fetching,
    graph,
    silent_channels,
    index,
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
    form,
    gallery,
    live,
    files,
    visualizations,
    docs,
)


def build_web(settings: Settings, studio: Studio, lifespan: Lifespan) -> FastAPI:
    """Laterna as seen from outside. `lifespan` starts and stops what is behind it."""
    configure_logs()
    proxies.check_root(settings.root_path)
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
    languages.prepare()
    for part in ROUTERS:
        app.include_router(part.router)
    errors.install(app)
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=4)
    app.add_middleware(guards.RequestGuard, settings=settings)
    app.add_middleware(guards.RequestLog)
    app.add_middleware(proxies.Proxied, settings=settings)
    return app
