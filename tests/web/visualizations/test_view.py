"""Sight: what is told of a visualization agrees, and nobody waits for the disk meanwhile."""

import asyncio
import threading
from typing import Any

from app.studio.jobs.board import Snapshot
from app.studio.jobs.job import State
from app.web.visualizations import view


class Stub:
    """A studio in which a job is done while its result is being looked for."""

    def __init__(self) -> None:
        self.state = State.RUNNING
        self.threads: list[threading.Thread] = []

    def outcome(self, id: str) -> Any:
        self.threads.append(threading.current_thread())
        found = "result" if self.state is State.DONE else None
        self.state = State.DONE
        return found

    def snapshot(self, id: str) -> Snapshot:
        return Snapshot(id, self.state)


class Asked:
    id = "a"


def test_a_job_that_is_done_just_now_is_told_with_its_result() -> None:
    stub: Any = Stub()
    job: Any = Asked()
    result, snapshot = asyncio.run(view.outcome(stub, job))
    assert str(result) == "result"
    assert snapshot.state is State.DONE


def test_a_pictures_hash_is_computed_beside_the_event_loop() -> None:
    stub: Any = Stub()
    job: Any = Asked()
    asyncio.run(view.outcome(stub, job))
    assert threading.main_thread() not in stub.threads
