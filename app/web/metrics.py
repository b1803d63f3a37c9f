"""Metrics: counters of this process in the form that Prometheus reads."""

import asyncio
from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.studio.jobs.job import State
from app.studio.studio import Studio

REGISTRY = CollectorRegistry()
REQUESTS = Counter(
    "laterna_requests", "Requests answered.", ("method", "route", "status"), registry=REGISTRY
)
SECONDS = Histogram(
    "laterna_request_seconds",
    "Time from a request to the last byte of its answer.",
    ("route",),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120),
    registry=REGISTRY,
)
#: Methods that are counted by name; anybody can make up others, so those share one.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
STATES = ("starting", "ready", "away")


def method(name: str) -> str:
    """A request's method as it is counted."""
    return name if name in METHODS else "other"


class OfStudio(Collector):
    """The studio's state at the moment of asking. jobs: by state; used: bytes in the archive."""

    def __init__(self, studio: Studio, jobs: Mapping[State, int], used: int) -> None:
        self._studio, self._jobs, self._used = studio, jobs, used

    def collect(self) -> Iterable[Metric]:
        """Devices, what waits for them, and how full the archive is."""
        state = GaugeMetricFamily(
            "laterna_device_state", "1 for the state a device is in.", labels=("device", "state")
        )
        waiting = GaugeMetricFamily(
            "laterna_waiting", "Requests that wait for a device.", labels=("device",)
        )
        for device in self._studio.engine.devices():
            waiting.add_metric((device.name,), device.waiting)
            for name in STATES:
                state.add_metric((device.name, name), float(device.state == name))
        jobs = GaugeMetricFamily("laterna_jobs", "Visualizations by state.", labels=("state",))
        for name, count in self._jobs.items():
            jobs.add_metric((name,), count)
        yield state
        yield waiting
        yield jobs
        yield GaugeMetricFamily(
            "laterna_watchers",
            "Streams that show a visualization grow.",
            value=self._studio.scheduler.board.watchers,
        )
        yield GaugeMetricFamily(
            "laterna_archive_bytes",
            "Disk space used by pictures and results.",
            value=self._used,
        )


async def written(studio: Studio) -> bytes:
    """All metrics as Prometheus text."""
    jobs = await asyncio.to_thread(studio.job_counts)
    usage = await asyncio.to_thread(studio.archive.usage)
    own = CollectorRegistry()
    own.register(OfStudio(studio, jobs, usage.total))
    return generate_latest(REGISTRY) + generate_latest(own)
