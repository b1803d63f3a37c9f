"""Health: alive, ready, metrics, and what the devices do."""

import asyncio

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from app.studio.studio import Studio
from app.web import metrics, pages, urls, wording
from app.web.api.schemas import visualizations as schemas
from app.web.dependencies import TheStudio

router = APIRouter()


@router.get(urls.HEALTHZ)
async def healthz() -> dict[str, str]:
    """Alive: the server answers, whatever the devices do."""
    return {"status": "alive"}


@router.get(urls.READYZ)
async def readyz(studio: TheStudio) -> Response:
    """Ready: at least one device can make something (200), or not yet, or no database (503)."""
    states = {device.name: device.state for device in studio.engine.devices()}
    is_sound = await asyncio.to_thread(studio.archive.index.is_sound)
    ready = is_sound and "ready" in states.values()
    headers = {} if ready else {"Retry-After": "2"}
    status = "ready" if ready else "starting" if is_sound else "broken"
    body = {"status": status, "devices": states}
    return JSONResponse(body, 200 if ready else 503, headers)


@router.get(urls.METRICS, responses={200: {"content": {"text/plain": {}}}})
async def metrics_text(studio: TheStudio) -> Response:
    """Counters of this server as Prometheus text."""
    body = await metrics.written(studio)
    return Response(body, media_type=CONTENT_TYPE_LATEST)


async def _queue(studio: Studio) -> schemas.Queue:
    devices = [
        schemas.Device(
            name=device.name,
            state=device.state,
            doing=device.doing and wording.task(device.doing),
            waiting=device.waiting,
        )
        for device in studio.engine.devices()
    ]
    running, waiting = await studio.active_jobs()
    jobs = [
        schemas.Running(
            title=wording.task(job.recipe.title),
            step=snapshot.step,
            steps=snapshot.steps,
            stage=snapshot.stage,
            seconds=round(snapshot.seconds, 1),
        )
        for job, snapshot in running
    ]
    titles = [*studio.engine.waiting(), *(job.recipe.title for job in waiting)]
    words = [wording.task(title) for title in titles]
    return schemas.Queue(devices=devices, jobs=jobs, waiting=words)


@router.get(urls.QUEUE + urls.JSON)
async def queue_json(studio: TheStudio) -> schemas.Queue:
    """What the devices do and what waits, without naming anybody's picture."""
    return await _queue(studio)


@router.get(urls.QUEUE, include_in_schema=False)
async def queue_page(request: Request, studio: TheStudio) -> Response:
    """What the devices do and what waits."""
    return pages.respond(request, "queue.html", **vars(await _queue(studio)))
