"""Jobs: what is to be made step by step, in which state it is, and what may follow that."""

from dataclasses import dataclass
from enum import StrEnum

from app.errors import LaternaError
from app.studio.recipes import JobRecipe


class State(StrEnum):
    """Where a job is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    #: It was done once; its result is gone. Nobody sets this: it is what the archive says.
    UNMADE = "unmade"


ACTIVE = frozenset({State.QUEUED, State.RUNNING})
#: What may follow what. To be queued again: after a death or a restart, or when asked anew.
LEGAL: dict[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.RUNNING, State.CANCELLED}),
    State.RUNNING: frozenset({State.DONE, State.FAILED, State.CANCELLED, State.QUEUED}),
    State.DONE: frozenset({State.UNMADE}),
    State.FAILED: frozenset({State.QUEUED, State.DONE}),
    State.CANCELLED: frozenset({State.QUEUED, State.DONE}),
    State.UNMADE: frozenset({State.QUEUED, State.DONE}),
}


class IllegalTransition(Exception):
    """A job cannot get from its state into that one: a mistake in here."""


@dataclass(frozen=True)
class Job:
    """One visualization that was asked for. Times in seconds since 1970; `seconds` it took."""

    id: str
    recipe: JobRecipe
    state: State
    asked: float
    started: float | None
    finished: float | None
    seconds: float | None
    device: str | None
    deaths: int
    error: LaternaError | None
    is_idle: bool

    @property
    def is_active(self) -> bool:
        """Whether it waits or runs."""
        return self.state in ACTIVE


@dataclass(frozen=True)
class Asker:
    """Somebody wants a job. address: where from, of those that cannot be told by a cookie."""

    job: str
    asker: str
    address: str
    asked: float

    @property
    def person(self) -> str:
        """Whose turn it takes: scripts without cookies are told apart by their address alone."""
        return f"at {self.address}" if self.address else self.asker
