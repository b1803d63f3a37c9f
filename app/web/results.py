"""Results: a recipe -> its picture, from the archive or made now; a 304 for who has it."""

import asyncio

from fastapi import Request
from fastapi.responses import Response

from app.archive import Result
from app.errors import Unexpected
from app.studio.recipes import Recipe
from app.studio.studio import Studio
from app.web import pages


async def picture(request: Request, studio: Studio, recipe: Recipe) -> Response:
    """A recipe's picture: a 304, from the archive, or made now."""
    result = studio.made(recipe) or await studio.make(recipe)
    if pages.known(request, f'"{result.digest}"'):
        return pages.private(request, b"", result.media, digest=result.digest)
    return pages.private(
        request, await _bytes(studio, recipe, result), result.media, digest=result.digest
    )


async def _bytes(studio: Studio, recipe: Recipe, result: Result) -> bytes:
    """The bytes of a result; made again when they were damaged on disk."""
    for _ in range(2):
        body = await asyncio.to_thread(studio.read, result)
        if body is not None:
            return body
        result = await studio.make(recipe)
    raise Unexpected(request="–")
