"""The job queue: who is next. One of each person in turn, the idle machine last."""

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from itertools import islice


class JobQueue:
    """Jobs that wait. Each person's in the order they came; between people, round and round.

    Who comes anew goes to the end of the round, and so does who had a turn, once the next one is
    taken: so nobody is kept waiting by those who have much, nor by newcomers without end.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, set[str]] = {}
        self._round: list[str] = []
        self._had_a_turn: str | None = None
        self._next: list[str] = []
        self._order: list[str] | None = None

    def add(self, job: str, people: Iterable[str]) -> None:
        """Let a job wait for these people; nobody: it is the idle machine's."""
        self._waiting.setdefault(job, set())
        self.want(job, people)

    def put_back(self, job: str, people: Collection[str]) -> None:
        """Let a job that was interrupted be the next, as its turn had not come to its end."""
        if people:
            self._next.append(job)
        self.add(job, people)

    def want(self, job: str, people: Iterable[str]) -> None:
        """These are the people who want it now."""
        self._waiting[job] = set(people)
        self._changed()

    def remove(self, job: str) -> None:
        """It waits no longer."""
        self._waiting.pop(job, None)
        self._next = [other for other in self._next if other != job]
        self._changed()

    def take(self) -> str | None:
        """The job whose turn it is; it waits no longer."""
        for job, person in islice(self._turns(), 1):
            if job not in self._next:
                self._pass(self._round)
                self._had_a_turn = person
            self.remove(job)
            return job
        return None

    def order(self) -> list[str]:
        """All jobs as they would be taken now."""
        if self._order is None:
            self._order = [job for job, _ in self._turns()]
        return list(self._order)

    def has_people(self) -> bool:
        """Whether anybody but the idle machine waits."""
        return any(self._waiting.values())

    def count_of(self, person: str) -> int:
        """How many jobs somebody has in line."""
        return sum(person in people for people in self._waiting.values())

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, job: str) -> bool:
        return job in self._waiting

    def _changed(self) -> None:
        """Bring the round up to date with who waits: the others leave, the new go to its end."""
        self._order = None
        people = dict.fromkeys(p for wanting in self._waiting.values() for p in sorted(wanting))
        kept = [person for person in self._round if person in people]
        self._round = kept + [person for person in people if person not in kept]

    def _pass(self, round: list[str]) -> None:
        """Who had a turn goes to the end of a round."""
        if self._had_a_turn in round:
            round.remove(self._had_a_turn)
            round.append(self._had_a_turn)

    def _turns(self) -> Iterator[tuple[str, str | None]]:
        """Jobs as they would be taken now, each with the person whose turn that is."""
        for job in self._next:
            yield job, None
        round, taken = list(self._round), set(self._next)
        self._pass(round)
        own: dict[str, deque[str]] = {person: deque() for person in round}
        for job, people in self._waiting.items():
            for person in people:
                own[person].append(job)
        turns = deque(round)
        while turns:
            person = turns.popleft()
            while own[person] and own[person][0] in taken:
                own[person].popleft()
            if own[person]:
                taken.add(own[person][0])
                turns.append(person)
                yield own[person].popleft(), person
        for job in self._waiting:
            if job not in taken:
                yield job, None
