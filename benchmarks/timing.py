"""Interleaved timing: contenders run in turn, so that a noisy machine disturbs them alike."""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

Contender = Callable[[], float | None]


def interleaved(contenders: Mapping[str, Contender], rounds: int, warm: int = 3) -> dict[str, Any]:
    """Seconds per contender (median), and of the first to each other the ratio round by round.

    A contender returns the seconds it took itself, or None to be timed from outside.
    """
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(warm + rounds):
        for name, contender in contenders.items():
            start = time.perf_counter()
            own = contender()
            seconds = time.perf_counter() - start if own is None else own
            if turn >= warm:
                taken[name].append(seconds)
    first, *others = contenders
    return {
        "median_ms": {name: round(1000 * statistics.median(t), 3) for name, t in taken.items()},
        "ratio": {
            f"{first} / {other}": round(
                statistics.median(a / b for a, b in zip(taken[first], taken[other], strict=True)), 3
            )
            for other in others
        },
    }


def quantile(values: list[float], share: float) -> float:
    """The value below which `share` of all lie (nearest rank)."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]
