"""Results: a recipe -> its picture, from the archive or made now; a 304 for who has it."""

import asyncio

from fastapi import Request
from fastapi.responses import Response

from app.archive import Result
from app.errors import Unexpected
from app.studio.recipes import Recipe
from app.studio.studio import Studio
from app.web import pages

#: Seconds between two looks whether the asker is still there; the status nobody sees if not.
LOOK, GONE = 0.25, 499


async def picture(
    request: Request, studio: Studio, recipe: Recipe, name: str | None = None
) -> Response:
    """A recipe's picture: a 304, from the archive, or made now. name: it is saved under this."""
    result = await _made_while_waited_for(request, studio, recipe)
    if result is None:
        return Response(status_code=GONE)
    if pages.known(request, f'"{result.digest}"'):
        return pages.private(request, b"", result.media, digest=result.digest)
    body = await _bytes(studio, recipe, result)
    return pages.private(
        request, body, result.media, headers=pages.saved_as(name), digest=result.digest
    )


async def _made_while_waited_for(request: Request, studio: Studio, recipe: Recipe) -> Result | None:
    """What is made for this asker; None, and nothing made, when they leave meanwhile.

    A class that leafs through layers leaves many a picture behind before it has come.
    """
    making = asyncio.create_task(studio.make(recipe))
    try:
        while not (await asyncio.wait({making}, timeout=LOOK))[0]:
            if await request.is_disconnected():
                return None
        return await making
    finally:
        making.cancel()


async def _bytes(studio: Studio, recipe: Recipe, result: Result) -> bytes:
    """The bytes of a result; made again when they were damaged on disk."""
    for _ in range(2):
        body = await asyncio.to_thread(studio.read, result)
        if body is not None:
            return body
        result = await studio.make(recipe)
    raise Unexpected(request="–")
