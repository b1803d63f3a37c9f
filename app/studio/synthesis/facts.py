"""Where scripts that earlier versions gave away find `versions`."""

from app.studio.makers.synthesis.facts import versions

__all__ = ["versions"]
