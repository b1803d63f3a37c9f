"""The line is fair: properties over whatever people ask for, leave, and are given."""

from hypothesis import given
from hypothesis import strategies as st

from app.studio.jobs.queue import JobQueue

PEOPLE = ("anna", "bo", "carl")
#: What may happen: somebody asks for one more, the next is taken, somebody leaves their oldest.
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.sampled_from(PEOPLE)),
        st.tuples(st.just("take"), st.just("")),
        st.tuples(st.just("leave"), st.sampled_from(PEOPLE)),
    ),
    max_size=60,
)


@given(EVENTS)
def test_what_is_taken_is_what_was_foretold_and_each_persons_own_comes_in_order(
    events: list[tuple[str, str]],
) -> None:
    queue, own = JobQueue(), {person: list[str]() for person in PEOPLE}
    for number, (what, person) in enumerate(events):
        if what == "ask":
            own[person].append(f"{person} {number}")
            queue.add(own[person][-1], [person])
        elif what == "leave" and own[person]:
            queue.remove(own[person].pop(0))
        elif what == "take":
            order = queue.order()
            job = queue.take()
            assert job == (order[0] if order else None)
            assert queue.order() == order[1:]
            if job:
                assert own[job.split()[0]].pop(0) == job
    assert sorted(queue.order()) == sorted(job for jobs in own.values() for job in jobs)


@given(
    st.lists(st.integers(5, 20), min_size=2, max_size=5),
    st.randoms(use_true_random=False),
)
def test_those_who_always_have_something_waiting_get_turns_alike(
    amounts: list[int], random: object
) -> None:
    queue = JobQueue()
    asked = [f"{person}.{n}" for person, amount in enumerate(amounts) for n in range(amount)]
    random.shuffle(asked)  # type: ignore[attr-defined]  # hypothesis' own Random
    for one in asked:
        queue.add(one, [one.split(".")[0]])
    had = [0] * len(amounts)
    while all(count < amount for count, amount in zip(had, amounts, strict=True)):
        job = queue.take()
        assert job is not None
        had[int(job.split(".")[0])] += 1
        assert max(had) - min(had) <= 1


@given(st.integers(1, 6), st.integers(1, 30))
def test_who_comes_anew_waits_for_one_round_at_most_however_much_others_had(
    others: int, taken: int
) -> None:
    queue = JobQueue()
    for n in range(40):
        for person in range(others):
            queue.add(f"{person}.{n}", [str(person)])
    for _ in range(taken):
        queue.take()
    queue.add("new", ["new"])
    assert queue.order().index("new") <= others


def test_newcomers_without_end_keep_nobody_waiting() -> None:
    queue = JobQueue()
    for n in range(3):
        queue.add(f"anna {n}", ["anna"])
    taken = []
    for n in range(20):
        queue.add(f"new {n}", [f"person {n}"])
        taken.append(queue.take())
    assert {f"anna {n}" for n in range(3)} <= set(taken)


def test_a_shared_job_goes_when_the_first_of_those_who_want_it_has_a_turn() -> None:
    queue = JobQueue()
    for n in range(4):
        queue.add(f"anna {n}", ["anna"])
    assert queue.order()[-1] == "anna 3"
    queue.want("anna 3", ["anna", "bo"])
    assert queue.order()[:2] == ["anna 0", "anna 3"]
    assert queue.count_of("anna") == 4
    queue.want("anna 3", ["anna"])
    assert queue.order()[-1] == "anna 3"


def test_what_was_interrupted_is_the_next_and_costs_nobody_a_turn() -> None:
    queue = JobQueue()
    for n in range(2):
        queue.add(f"anna {n}", ["anna"])
    for n in range(2):
        queue.add(f"bo {n}", ["bo"])
    for _ in range(2):  # it is interrupted twice
        assert queue.take() == "anna 0"
        queue.put_back("anna 0", ["anna"])
        assert queue.order() == ["anna 0", "bo 0", "anna 1", "bo 1"]
    assert [queue.take() for _ in range(5)] == ["anna 0", "bo 0", "anna 1", "bo 1", None]


def test_the_house_comes_last() -> None:
    queue = JobQueue()
    queue.add("house", [])
    assert not queue.has_people()
    for n in range(3):
        queue.add(f"anna {n}", ["anna"])
    assert queue.order() == ["anna 0", "anna 1", "anna 2", "house"]
    queue.want("house", ["bo"])
    assert queue.order().index("house") < 2
