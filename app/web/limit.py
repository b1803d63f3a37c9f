"""How many pictures one address may bring per minute."""

import math
import time
from typing import Annotated

from fastapi import Depends, Request
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from app.errors import TooManyUploads


class UploadLimit:
    """A moving window of one minute for every address."""

    def __init__(self, per_minute: int) -> None:
        self._item = RateLimitItemPerMinute(per_minute)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def hit(self, request: Request) -> None:
        """Count one picture of this request; TooManyUploads when it is one too many."""
        address = request.client.host if request.client else "?"
        if not self._limiter.hit(self._item, address):
            until = self._limiter.get_window_stats(self._item, address).reset_time
            raise TooManyUploads(seconds=max(1, math.ceil(until - time.time())))


async def _upload_limit(request: Request) -> UploadLimit:
    found: UploadLimit = request.app.state.upload_limit
    return found


TheLimit = Annotated[UploadLimit, Depends(_upload_limit)]
