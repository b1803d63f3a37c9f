"""The job store: all jobs and who asked for them, in SQLite."""

import json
import time
from collections.abc import Callable, Iterable
from sqlite3 import Connection, IntegrityError, Row
from typing import Any

from app import errors
from app.archive.index import Index
from app.errors import LaternaError, UnknownImage, UnknownVisualization
from app.studio.jobs.job import ACTIVE, LEGAL, Asker, IllegalTransition, Job, State
from app.studio.recipes import CollectionIndex, JobRecipe, OfPicture, visualization

#: Jobs as they are: `done` only for as long as the result is there.
JOBS = """
SELECT jobs.*, CASE WHEN state = 'done' AND NOT EXISTS (
    SELECT 1 FROM results WHERE results.key = jobs.key) THEN 'unmade' ELSE state END AS now
FROM jobs
"""
COUNTS = f"SELECT now, count(*) AS jobs FROM ({JOBS}) GROUP BY now"  # noqa: S608  # no value in it
UPDATE = {
    name: f"UPDATE jobs SET {name} = ? WHERE id = ?"  # noqa: S608  # these names, no others
    for name in (
        "state", "asked", "started", "finished", "seconds", "device", "deaths", "error"
    )
}  # fmt: skip
INSERT = """
INSERT INTO jobs (id, key, recipe, image, state, asked, finished, house) VALUES (?,?,?,?,?,?,?,?)
"""
INDEX_OF = f"""
{JOBS} WHERE state = 'done' AND now = 'done' AND json_extract(recipe, '$.collection') = ?
AND json_extract(recipe, '$.kind') = 'index' AND json_extract(recipe, '$.whose') = ?
AND json_extract(recipe, '$.model') = ? AND json_extract(recipe, '$.weights') = ?
AND ifnull(json_extract(recipe, '$.definition'), '') = ?
ORDER BY finished DESC
"""
KNOWN = "SELECT id FROM jobs WHERE id IN (SELECT value FROM json_each(?))"
WANTED = "SELECT 1 FROM askers WHERE job = ? AND wants"
PRUNE = """
DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE state NOT IN ('queued', 'running')
ORDER BY finished DESC LIMIT -1 OFFSET ?)
"""
#: What a job that is asked for again forgets of the time before.
ANEW: dict[str, Any] = dict.fromkeys(("started", "finished", "seconds", "device", "error"))
ANEW |= {"deaths": 0}
#: Finished jobs beyond so many are forgotten, the oldest first.
MOST_FINISHED = 20_000


class JobStore:
    """The tables of jobs and of who asked for them. Every change is on disk when it returns."""

    def __init__(self, index: Index, clock: Callable[[], float] = time.time) -> None:
        self._index, self._clock = index, clock

    def job(self, id: str) -> Job:
        """A job as it is now. Raises UnknownVisualization."""
        row = self._index.row(f"{JOBS} WHERE id = ?", id)
        if row is None:
            raise UnknownVisualization()
        return _job(row)

    def ask(self, recipe: JobRecipe, who: Asker | None) -> Job:
        """Let a job wait, for one person more, or for the idle machine alone (None).

        Raises UnknownImage when the picture it needs was deleted.
        """
        with self._index.change() as change:
            found = change.execute(f"{JOBS} WHERE id = ?", (recipe.id,)).fetchone()
            if found is None:
                self._insert(change, recipe, State.QUEUED, idle=who is None)
            elif found["now"] not in ACTIVE:
                change.execute("UPDATE askers SET wants = 0 WHERE job = ?", (recipe.id,))
                _move(change, found, State.QUEUED, asked=self._clock(), **ANEW)
            if who:
                _note_asker(change, who)
        return self.job(recipe.id)

    def made(self, recipe: JobRecipe, who: Asker | None) -> Job:
        """A job whose result is there already."""
        with self._index.change() as change:
            found = change.execute(f"{JOBS} WHERE id = ?", (recipe.id,)).fetchone()
            if found is None:
                self._insert(change, recipe, State.DONE, idle=who is None)
            elif found["now"] != State.DONE:
                _move(change, found, State.DONE, finished=self._clock())
            if who:
                _note_asker(change, who)
        return self.job(recipe.id)

    def _insert(self, change: Connection, recipe: JobRecipe, state: State, idle: bool) -> None:
        now = self._clock()
        image = recipe.image if isinstance(recipe, OfPicture) else None
        finished = now if state is State.DONE else None
        row = (
            recipe.id,
            recipe.key,
            json.dumps(recipe.facts()),
            image,
            state,
            now,
            finished,
            idle,
        )
        try:
            change.execute(INSERT, row)
        except IntegrityError:
            raise UnknownImage() from None

    def move(self, id: str, state: State, **changes: Any) -> Job:
        """Get a job into another state. Raises UnknownVisualization and IllegalTransition."""
        now = self._clock()
        match state:
            case State.RUNNING:
                changes |= {"started": now, "error": None}
            case State.DONE | State.FAILED | State.CANCELLED:
                changes |= {"finished": now}
        with self._index.change() as change:
            found = change.execute(f"{JOBS} WHERE id = ?", (id,)).fetchone()
            if found is None:
                raise UnknownVisualization()
            _move(change, found, state, **changes)
        return self.job(id)

    def leave(self, id: str, asker: str) -> list[Asker]:
        """One person wants it no more; who still does. Nobody: with that it is cancelled."""
        with self._index.change() as change:
            change.execute("UPDATE askers SET wants = 0 WHERE job = ? AND asker = ?", (id, asker))
            if change.execute(WANTED, (id,)).fetchone() is None:
                found = change.execute(f"{JOBS} WHERE id = ?", (id,)).fetchone()
                if found is None:
                    raise UnknownVisualization()
                _move(change, found, State.CANCELLED, finished=self._clock())
        return self.askers(id)

    def askers(self, id: str) -> list[Asker]:
        """Who wants a job."""
        rows = self._index.rows(
            "SELECT job, asker, address, asked FROM askers WHERE job = ? AND wants"
            " ORDER BY asked, asker",
            id,
        )
        return [Asker(*row) for row in rows]

    def gone(self, ids: Iterable[str]) -> list[str]:
        """Those of some jobs that there are no more."""
        asked = list(ids)
        rows = self._index.rows(KNOWN, json.dumps(asked)) if asked else []
        known = {row["id"] for row in rows}
        return [id for id in asked if id not in known]

    def active(self) -> list[Job]:
        """What waits or runs, the oldest first."""
        rows = self._index.rows(f"{JOBS} WHERE state IN ('queued', 'running') ORDER BY asked, id")
        return [_job(row) for row in rows]

    def of(self, asker: str, limit: int) -> list[Job]:
        """What somebody asked for and did not leave to others, newest first."""
        rows = self._index.rows(
            f"{JOBS} JOIN askers ON askers.job = jobs.id WHERE askers.asker = ?"
            " AND (askers.wants OR state = 'cancelled') ORDER BY askers.asked DESC, id LIMIT ?",
            asker,
            limit,
        )
        return [_job(row) for row in rows]

    def finished(self, limit: int) -> list[Job]:
        """What is done and may be seen by all, newest first: nothing made from a person's
        picture, and no collections, which have their own pages."""
        rows = self._index.rows(
            f"{JOBS} LEFT JOIN images ON images.id = jobs.image WHERE state = 'done'"
            " AND now = 'done' AND (jobs.image IS NULL OR images.owner = '')"
            " AND json_extract(recipe, '$.collection') IS NULL"
            " ORDER BY finished DESC, id LIMIT ?",
            limit,
        )
        return [job for job in map(_job, rows) if job.state is State.DONE]

    def index_of(self, recipe: CollectionIndex) -> Job | None:
        """The newest index by this recipe, of whichever photos the collection had then."""
        identity = (
            recipe.collection,
            recipe.whose,
            recipe.model,
            recipe.weights,
            recipe.definition,
        )
        jobs = map(_job, self._index.rows(INDEX_OF, *identity))
        return next((job for job in jobs if job.state is State.DONE), None)

    def counts(self) -> dict[State, int]:
        """How many jobs there are in each state."""
        rows = self._index.rows(COUNTS)
        return dict.fromkeys(State, 0) | {State(row["now"]): row["jobs"] for row in rows}

    def prune(self) -> None:
        """Forget the oldest finished jobs, so that there are not more and more."""
        with self._index.change() as change:
            change.execute(PRUNE, (MOST_FINISHED,))


def _move(change: Connection, found: Row, state: State, **changes: Any) -> None:
    before = State(found["now"])
    if state not in LEGAL[before]:
        raise IllegalTransition(f"{found['id']}: {before} -> {state}")
    if isinstance(changes.get("error"), LaternaError):
        error = changes["error"]
        changes["error"] = json.dumps(
            {"error": type(error).__name__, "facts": errors.plain(error.facts)}
        )
    for name, value in {"state": state, **changes}.items():
        change.execute(UPDATE[name], (value, found["id"]))


def _note_asker(change: Connection, who: Asker) -> None:
    change.execute(
        "INSERT OR REPLACE INTO askers VALUES (?,?,?,?,1)",
        (who.job, who.asker, who.address, who.asked),
    )


def _job(row: Row) -> Job:
    recipe, state = visualization(json.loads(row["recipe"])), State(row["now"])
    # A later edition makes something else of the same recipe, under another key.
    is_outdated = state is State.DONE and recipe.key != row["key"]
    return Job(
        id=row["id"],
        recipe=recipe,
        state=State.UNMADE if is_outdated else state,
        asked=row["asked"],
        started=row["started"],
        finished=row["finished"],
        seconds=row["seconds"],
        device=row["device"],
        deaths=row["deaths"],
        error=_error(row["error"]),
        is_idle=bool(row["house"]),
    )


def _error(message: str | None) -> LaternaError | None:
    if message is None:
        return None
    read = json.loads(message)
    kind: type[LaternaError] = getattr(errors, read["error"], LaternaError)
    return kind(**errors.worded(read["facts"]))
