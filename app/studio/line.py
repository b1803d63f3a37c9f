"""The line: who is next. One of each person in turn, the house last."""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class _Waiting:
    """A job in line. turns: for each person who wants it, which of theirs it was when it came."""

    job: str
    number: int
    people: set[str] = field(default_factory=set)


class Line:
    """Jobs that wait. Each person's in the order they came; between people, round and round.

    Start-time fair queueing: everybody counts the turns they had, the fewest goes next, and who
    comes anew starts at the round that is being served, so that nobody can be kept waiting by
    newcomers, nor save up turns. https://doi.org/10.1109/90.649569
    """

    def __init__(self) -> None:
        self._waiting: dict[str, _Waiting] = {}
        self._turns: dict[str, int] = {}
        self._round = self._numbers = 0
        self._order: list[str] | None = None

    def add(self, job: str, people: Iterable[str]) -> None:
        """Let a job wait for these people; nobody: it is the house's."""
        if job not in self._waiting:
            self._numbers += 1
            self._waiting[job] = _Waiting(job, self._numbers)
        self.want(job, people)

    def want(self, job: str, people: Iterable[str]) -> None:
        """These are the people who want it now."""
        self._order = None
        known = {person for waiting in self._waiting.values() for person in waiting.people}
        for person in set(people) - known:
            self._turns[person] = max(self._round, self._turns.get(person, 0))
        self._waiting[job].people = set(people)

    def remove(self, job: str) -> None:
        """It waits no longer."""
        self._order = None
        self._waiting.pop(job, None)
        wanting = {person for waiting in self._waiting.values() for person in waiting.people}
        # Who wants nothing and is not ahead of the round would start at it anyway.
        self._turns = {
            person: turn
            for person, turn in self._turns.items()
            if person in wanting or turn > self._round
        }

    def take(self) -> str | None:
        """The job whose turn it is; it waits no longer."""
        waiting = self._next(self._waiting, self._turns)
        if waiting is None:
            return None
        person = _first(waiting, self._turns)
        if person is not None:
            self._round = self._turns[person]
            self._turns[person] += 1
        self.remove(waiting.job)
        return waiting.job

    def order(self) -> list[str]:
        """All jobs as they would be taken now."""
        if self._order is None:
            self._order = self._simulated()
        return list(self._order)

    def _simulated(self) -> list[str]:
        left, turns, order = dict(self._waiting), dict(self._turns), []
        while (waiting := self._next(left, turns)) is not None:
            person = _first(waiting, turns)
            if person is not None:
                turns[person] += 1
            order.append(waiting.job)
            del left[waiting.job]
        return order

    def has_people(self) -> bool:
        """Whether anybody but the house waits."""
        return any(waiting.people for waiting in self._waiting.values())

    def count_of(self, person: str) -> int:
        """How many jobs somebody has in line."""
        return sum(person in waiting.people for waiting in self._waiting.values())

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, job: str) -> bool:
        return job in self._waiting

    @staticmethod
    def _next(waiting: dict[str, _Waiting], turns: dict[str, int]) -> _Waiting | None:
        def when(one: _Waiting) -> tuple[bool, int, int]:
            first = _first(one, turns)
            return first is None, 0 if first is None else turns[first], one.number

        return min(waiting.values(), key=when, default=None)


def _first(waiting: _Waiting, turns: dict[str, int]) -> str | None:
    """Whose turn it takes: of those who want it, the one who had the fewest."""
    return min(waiting.people, key=lambda person: (turns[person], person), default=None)
