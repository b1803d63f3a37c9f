"""Who watches gets the newest, not too often, and leaves nothing behind."""

import asyncio
import gc
from collections.abc import Coroutine
from typing import Any

from app.studio.jobs.board import Board, Snapshot
from app.studio.jobs.job import State


class Quick(asyncio.SelectorEventLoop):
    """A loop without a clock: whoever sleeps has slept as soon as all others sleep too."""

    def __init__(self) -> None:
        super().__init__()
        self._now, select = 0.0, self._selector.select  # type: ignore[attr-defined]  # its own

        def jumped(seconds: float | None) -> Any:
            self._now += seconds or 0.0
            return select(0)

        self._selector.select = jumped  # type: ignore[attr-defined]  # its own

    def time(self) -> float:
        return self._now


def run(story: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=Quick) as runner:
        runner.run(story)


def at(step: int, state: State = State.RUNNING) -> Snapshot:
    return Snapshot("job", state, step=step)


def test_a_slow_watcher_gets_the_newest_and_then_the_end() -> None:
    async def story() -> None:
        board, seen = Board(), list[Snapshot]()

        async def watch() -> None:
            async for snapshot in board.watch(at(0)):
                seen.append(snapshot)
                await asyncio.sleep(0.05)  # a slow browser

        watching = asyncio.create_task(watch())
        begun = asyncio.get_running_loop().time()
        for step in range(1, 101):
            board.post(at(step))
            await asyncio.sleep(0.005)
        took = asyncio.get_running_loop().time() - begun
        board.post(at(100, State.DONE))
        await watching
        steps = [snapshot.step for snapshot in seen]
        assert steps == sorted(steps)
        assert 4 <= len(seen) <= took / 0.1 + 3, "at most ten a second"
        assert [snapshot.is_final for snapshot in seen] == [False] * (len(seen) - 1) + [True]
        assert board.watchers == 0

    run(story())


def test_all_who_watch_get_the_same_object() -> None:
    async def story() -> None:
        board = Board()
        now = at(0)

        async def watch() -> list[Snapshot]:
            return [snapshot async for snapshot in board.watch(now)]

        watching = [asyncio.create_task(watch()) for _ in range(30)]
        await asyncio.sleep(0.01)
        assert board.watchers == 30
        board.post(at(1))
        await asyncio.sleep(0.15)
        board.post(at(2, State.CANCELLED))
        seen = await asyncio.gather(*watching)
        assert len({tuple(map(id, snapshots)) for snapshots in seen}) == 1
        assert [snapshot.step for snapshot in seen[0]] == [0, 1, 2]
        assert not board.is_watched("job")

    run(story())


def test_who_drops_the_stream_leaves_nothing_behind() -> None:
    async def story() -> None:
        board = Board()
        await anext(board.watch(at(0)))
        stream = board.watch(at(0))
        await anext(stream)
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.01)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        del stream, waiting
        gc.collect()
        await asyncio.sleep(0.01)
        assert board.watchers == 0

    run(story())


def test_a_board_that_is_closed_lets_everybody_go() -> None:
    async def story() -> None:
        board = Board()

        async def watch() -> list[Snapshot]:
            return [snapshot async for snapshot in board.watch(at(0))]

        watching = asyncio.create_task(watch())
        await asyncio.sleep(0.01)
        board.close()
        assert [snapshot.is_final for snapshot in await watching] == [False]
        assert [snapshot.is_final for snapshot in await watch()] == [False]
        assert board.watchers == 0

    run(story())


def test_what_is_over_is_all_that_is_shown_of_it() -> None:
    async def story() -> None:
        board = Board()
        board.post(at(3))
        assert board.latest("job") is not None
        board.post(at(3, State.FAILED))
        assert board.latest("job") is None
        assert [s.state async for s in board.watch(at(3, State.FAILED))] == [State.FAILED]

    run(story())
