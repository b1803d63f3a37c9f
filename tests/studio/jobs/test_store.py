"""Jobs on disk: what may follow what, who wants what, and what goes with a picture."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.archive import Archive
from app.errors import DiskFull, JobDied, UnknownImage, UnknownVisualization
from app.studio.jobs.job import ACTIVE, LEGAL, Asker, IllegalTransition, State
from app.studio.jobs.store import JobStore
from app.studio.recipes import ChannelImage, ClassImage, Reconstruction, Strip, Visualization


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    made = Archive(tmp_path / "data", 100_000_000)
    yield made
    made.close()


@pytest.fixture
def jobs(archive: Archive) -> JobStore:
    return JobStore(archive.index)


def recipe(number: int = 0) -> ClassImage:
    return ClassImage(model="net", weights="w", class_=number)


def who(of: Visualization, asker: str = "anna", address: str = "", asked: float = 1.0) -> Asker:
    return Asker(of.id, asker, address, asked)


def upload(archive: Archive, owner: str) -> str:
    return archive.keep_image(
        owner=owner, name="x", picture=owner.encode(), preview=b"v", width=1, height=1,
        original=(1, 1), hours=1,
    ).id  # fmt: skip


def kept(archive: Archive, of: Visualization, image: str | None = None) -> None:
    archive.keep_result(of.key, {}, b"picture", "image/png", image, {"growth.webp": b"growth"})


def test_a_recipe_comes_back_from_the_disk_as_it_was(archive: Archive, jobs: JobStore) -> None:
    image = upload(archive, "anna")
    for asked in (
        recipe(3),
        ChannelImage(model="n", layer="a.0", channel=4, unit="neuron", pictures=3, seed=9),
        Reconstruction(model="n", layer="a", image=image, source="", quality="fine"),
        Strip(model="n", layers=("a", "b"), image=image, source="", size=128, steps=7),
    ):
        job = jobs.ask(asked, who(asked))
        assert job.recipe == asked
        assert job.id == asked.id == job.recipe.id


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40
)
@given(moves=st.lists(st.sampled_from([s for s in State if s is not State.UNMADE]), max_size=12))
def test_only_legal_moves_are_made_and_illegal_ones_change_nothing(
    archive: Archive, jobs: JobStore, moves: list[State]
) -> None:
    asked = recipe(len(jobs.active()) + sum(jobs.counts().values()))
    before = jobs.ask(asked, who(asked))
    for state in moves:
        if state in LEGAL[before.state]:
            if state is State.DONE:
                kept(archive, asked)
            before = jobs.move(asked.id, state)
            assert before.state is state
        else:
            with pytest.raises(IllegalTransition):
                jobs.move(asked.id, state)
            assert jobs.job(asked.id) == before


def test_every_state_can_be_left_and_those_at_rest_can_be_asked_for_again() -> None:
    assert set(LEGAL) == set(State)
    for state in State:
        assert LEGAL[state]
        if state not in ACTIVE | {State.DONE}:
            assert State.QUEUED in LEGAL[state]


def test_nothing_is_done_or_failed_unless_it_ran_and_what_is_done_stays() -> None:
    assert LEGAL[State.QUEUED] == {State.RUNNING, State.CANCELLED}
    assert {before for before in State if State.RUNNING in LEGAL[before]} == {State.QUEUED}
    assert {before for before in State if State.FAILED in LEGAL[before]} == {State.RUNNING}
    assert LEGAL[State.DONE] == {State.UNMADE}
    assert {before for before in State if State.CANCELLED in LEGAL[before]} == ACTIVE


def test_asking_twice_is_one_job_and_asking_again_begins_anew(jobs: JobStore) -> None:
    asked = recipe()
    jobs.ask(asked, who(asked))
    jobs.ask(asked, who(asked))
    jobs.ask(asked, who(asked, "bo"))
    assert len(jobs.active()) == 1
    assert [one.asker for one in jobs.askers(asked.id)] == ["anna", "bo"]
    jobs.move(asked.id, State.RUNNING)
    failed = jobs.move(asked.id, State.FAILED, deaths=3, error=JobDied(times=3))
    assert isinstance(failed.error, JobDied)
    assert str(failed.error) == str(JobDied(times=3))
    again = jobs.ask(asked, who(asked, "carl"))
    assert (again.state, again.deaths, again.error) == (State.QUEUED, 0, None)
    assert [one.asker for one in jobs.askers(asked.id)] == ["carl"], "the others wait no more"


def test_what_lost_its_result_is_unmade(archive: Archive, jobs: JobStore) -> None:
    asked = recipe()
    jobs.ask(asked, who(asked))
    jobs.move(asked.id, State.RUNNING)
    kept(archive, asked)
    assert jobs.move(asked.id, State.DONE).state is State.DONE
    result = archive.result(asked.key)
    assert result
    assert archive.part(result, "growth.webp") == b"growth"
    digest = result.parts["growth.webp"]
    (archive.root / "blobs" / digest[:2] / digest).write_bytes(b"grewth")
    assert archive.part(result, "growth.webp") is None
    assert jobs.job(asked.id).state is State.UNMADE
    assert jobs.counts()[State.UNMADE] == 1
    assert jobs.finished(9) == []
    assert list((archive.root / "blobs").glob("*/*")) == [], "the picture went with its part"
    assert jobs.ask(asked, who(asked)).state is State.QUEUED


def test_what_an_earlier_edition_made_is_unmade(
    archive: Archive, jobs: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = recipe()
    kept(archive, asked)
    assert jobs.made(asked, who(asked)).state is State.DONE
    id = asked.id
    monkeypatch.setattr("app.studio.recipes.recipe.EDITION", 10_000)
    assert jobs.job(id).state is State.UNMADE
    assert jobs.finished(9) == []


def test_what_is_asked_for_again_knows_nothing_of_the_time_before(jobs: JobStore) -> None:
    asked = recipe()
    jobs.ask(asked, who(asked))
    jobs.move(asked.id, State.RUNNING)
    jobs.move(asked.id, State.FAILED, seconds=9.0, device="cpu", deaths=2)
    again = jobs.ask(asked, who(asked))
    said = (again.started, again.finished, again.seconds, again.device, again.deaths)
    assert said == (None, None, None, None, 0)


def test_a_disk_that_is_full_when_the_last_one_leaves_lets_them_try_again(
    jobs: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = recipe()
    jobs.ask(asked, who(asked))
    with monkeypatch.context() as full:

        def no_room(*given: object, **said: object) -> None:
            raise DiskFull()

        full.setattr("app.studio.jobs.store._move", no_room)
        with pytest.raises(DiskFull):
            jobs.leave(asked.id, "anna")
    assert [one.asker for one in jobs.askers(asked.id)] == ["anna"]
    assert jobs.job(asked.id).state is State.QUEUED


def test_a_job_goes_with_its_picture_and_none_can_be_asked_for_after(
    archive: Archive, jobs: JobStore
) -> None:
    image = upload(archive, "anna")
    asked = Reconstruction(model="n", weights="w", layer="a", image=image, source="")
    jobs.ask(asked, who(asked))
    jobs.move(asked.id, State.RUNNING)
    kept(archive, asked, image)
    jobs.move(asked.id, State.DONE)
    archive.delete_image(image)
    with pytest.raises(UnknownVisualization):
        jobs.job(asked.id)
    assert jobs.askers(asked.id) == []
    with pytest.raises(UnknownImage):
        jobs.ask(asked, who(asked))
    with pytest.raises(UnknownImage):
        jobs.made(asked, who(asked))
    with pytest.raises(UnknownVisualization):
        jobs.move(asked.id, State.QUEUED)
    assert list((archive.root / "blobs").glob("*/*")) == []


def test_all_see_what_is_finished_but_for_what_is_made_from_a_persons_picture(
    archive: Archive, jobs: JobStore
) -> None:
    samples, annas = upload(archive, ""), upload(archive, "anna")
    layer = {"model": "n", "weights": "w", "layer": "a", "source": ""}
    open_to_all = [recipe(1), Reconstruction(**layer, image=samples)]  # type: ignore[arg-type]  # names
    private = Reconstruction(**layer, image=annas)  # type: ignore[arg-type]  # names
    for asked in (*open_to_all, private):
        image = asked.image if isinstance(asked, Reconstruction) else None
        jobs.ask(asked, who(asked))
        jobs.move(asked.id, State.RUNNING)
        kept(archive, asked, image)
        jobs.move(asked.id, State.DONE)
    assert [job.recipe for job in jobs.finished(9)] == open_to_all[::-1]
    assert len(jobs.finished(1)) == 1
    assert len(jobs.of("anna", 9)) == 3
    assert jobs.of("bo", 9) == []


def test_who_left_a_job_to_others_has_it_no_more(jobs: JobStore) -> None:
    shared, own = recipe(1), recipe(2)
    for asker in ("anna", "bo"):
        jobs.ask(shared, who(shared, asker, asked=1))
    jobs.ask(own, who(own, "anna", asked=2))
    assert [one.asker for one in jobs.leave(shared.id, "anna")] == ["bo"]
    assert jobs.job(shared.id).state is State.QUEUED
    assert jobs.leave(own.id, "anna") == []
    assert jobs.job(own.id).state is State.CANCELLED, "with the last one, at once"
    assert [job.recipe for job in jobs.of("anna", 9)] == [own]
    assert [job.recipe for job in jobs.of("bo", 9)] == [shared]


def test_those_without_a_cookie_are_one_person_per_address() -> None:
    people = {who(recipe(), "x", "10.0.0.1").person, who(recipe(), "y", "10.0.0.1").person}
    assert len(people) == 1
    assert who(recipe(), "x").person not in people


def test_old_finished_jobs_are_forgotten_but_never_one_that_waits(
    jobs: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.studio.jobs.store.MOST_FINISHED", 2)
    for number in range(5):
        jobs.ask(recipe(number), who(recipe(number)))
        if number:
            jobs.move(recipe(number).id, State.CANCELLED)
    jobs.prune()
    assert jobs.counts()[State.CANCELLED] == 2
    assert [job.recipe for job in jobs.active()] == [recipe(0)]
    assert jobs.job(recipe(4).id).state is State.CANCELLED


def test_a_power_cut_loses_no_change(archive: Archive, jobs: JobStore) -> None:
    """Another connection sees each change as soon as it has returned, without any closing."""
    jobs.ask(recipe(), who(recipe()))
    jobs.move(recipe().id, State.RUNNING)
    other = sqlite3.connect(archive.root / "index.sqlite")
    assert other.execute("SELECT state FROM jobs").fetchall() == [("running",)]
    assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    other.close()
