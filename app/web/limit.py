"""How many pictures one browser may bring per minute, and how many one address."""

import math
import time
from ipaddress import IPv6Address, ip_network
from typing import Annotated

from fastapi import Depends, Request
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from app import hosts
from app.errors import TooManyUploads

#: A school is one address: it may bring so many times what one browser may.
BROWSERS_PER_ADDRESS = 10
#: The part of an IPv6 address that says whose network it is; the rest anybody may choose.
NETWORK_BITS = 64


class UploadLimit:
    """Moving windows of one minute: for every session, and a wider one for every address.

    All who have no session at one address count as one browser.
    """

    def __init__(self, per_minute: int) -> None:
        self._browser = RateLimitItemPerMinute(per_minute, namespace="browser")
        self._address = RateLimitItemPerMinute(
            BROWSERS_PER_ADDRESS * per_minute, namespace="address"
        )
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def check(self, request: Request, owner: str | None) -> None:
        """TooManyUploads when a picture would be one too many; counts nothing."""
        for item, key in self._windows(request, owner):
            if not self._limiter.test(item, key):
                until = self._limiter.get_window_stats(item, key).reset_time
                raise TooManyUploads(seconds=max(1, math.ceil(until - time.time())))

    def hit(self, request: Request, owner: str | None) -> None:
        """Count one picture of this request; TooManyUploads when it is one too many."""
        self.check(request, owner)
        for item, key in self._windows(request, owner):
            self._limiter.hit(item, key)

    def _windows(
        self, request: Request, owner: str | None
    ) -> tuple[tuple[RateLimitItemPerMinute, str], ...]:
        address = _network(request.client.host if request.client else "?")
        browser = f"session {owner}" if owner else f"none at {address}"
        return (self._browser, browser), (self._address, address)


def _network(address: str) -> str:
    """What counts as one address."""
    try:
        machine = hosts.machine(address)
    except ValueError:
        return address
    if isinstance(machine, IPv6Address):
        return str(ip_network((machine, NETWORK_BITS), strict=False))
    return str(machine)


async def _upload_limit(request: Request) -> UploadLimit:
    found: UploadLimit = request.app.state.upload_limit
    return found


TheLimit = Annotated[UploadLimit, Depends(_upload_limit)]
