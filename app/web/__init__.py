"""The front door: HTTP and HTML. Never imports torch."""

from app.web.site import build_web

__all__ = ["build_web"]
