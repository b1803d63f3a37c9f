"""Requests: what people wait for, each with the answer that is still to come."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from app.errors import LaternaError
from app.studio.engine.messages import Step
from app.studio.recipes import JobRecipe, Made, Recipe, Sources


@dataclass
class Request:
    """Somebody waits for this."""

    number: int
    recipe: Recipe
    sources: Sources
    answer: "asyncio.Future[Made]"

    def settle(self, made: Made | LaternaError) -> None:
        """Answer, unless that was done before or nobody waits any more."""
        if self.answer.done():
            return
        if isinstance(made, LaternaError):
            self.answer.set_exception(made)
        else:
            self.answer.set_result(made)


class Queue:
    """Requests in the order they came, without those that nobody waits for any more."""

    def __init__(self) -> None:
        self._requests: deque[Request] = deque()
        self._numbers = 0

    def add(self, recipe: Recipe, sources: Sources) -> Request:
        """Let a recipe wait. Needs a running event loop."""
        self._numbers += 1
        answer = asyncio.get_running_loop().create_future()
        request = Request(self._numbers, recipe, sources, answer)
        self._requests.append(request)
        return request

    def take(self) -> Request | None:
        """The one whose turn it is; it waits here no longer."""
        self._drop_the_left()
        return self._requests.popleft() if self._requests else None

    def settle(self, error: LaternaError) -> None:
        """Answer everybody with an error."""
        while self._requests:
            self._requests.popleft().settle(error)

    @property
    def titles(self) -> list[str]:
        """What waits, in order."""
        self._drop_the_left()
        return [request.recipe.title for request in self._requests]

    def __len__(self) -> int:
        self._drop_the_left()
        return len(self._requests)

    def _drop_the_left(self) -> None:
        self._requests = deque(one for one in self._requests if not one.answer.done())


class Died(Exception):
    """The process ended in the middle of a climb."""


class Ascent:
    """Something that is made step by step, and who hears of it. Needs a running event loop."""

    def __init__(self, number: int, recipe: JobRecipe, on_step: Callable[[Step], None]) -> None:
        self.number, self.recipe, self.on_step = number, recipe, on_step
        self.ended: asyncio.Future[Made | None] = asyncio.get_running_loop().create_future()

    def settle(self, made: Made | Exception | None) -> None:
        """Say what came of it, unless nobody waits any more."""
        if self.ended.done():
            return
        if isinstance(made, Exception):
            self.ended.set_exception(made)
        else:
            self.ended.set_result(made)

    async def over(self) -> None:
        """Wait until it is over, whatever came of it, however often one is cancelled meanwhile.

        The device has no place before that.
        """
        while not self.ended.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([self.ended])
        self.ended.exception()  # looked at, so that nobody is told that it was not
