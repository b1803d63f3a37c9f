"""The line is fair: properties over whatever people ask for, leave, and are given."""

from hypothesis import given
from hypothesis import strategies as st

from app.studio.jobs.queue import Line

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
    line, own = Line(), {person: list[str]() for person in PEOPLE}
    for number, (what, person) in enumerate(events):
        if what == "ask":
            own[person].append(f"{person} {number}")
            line.add(own[person][-1], [person])
        elif what == "leave" and own[person]:
            line.remove(own[person].pop(0))
        elif what == "take":
            order = line.order()
            job = line.take()
            assert job == (order[0] if order else None)
            assert line.order() == order[1:]
            if job:
                assert own[job.split()[0]].pop(0) == job
    assert sorted(line.order()) == sorted(job for jobs in own.values() for job in jobs)


@given(
    st.lists(st.integers(5, 20), min_size=2, max_size=5),
    st.randoms(use_true_random=False),
)
def test_those_who_always_have_something_waiting_get_turns_alike(
    amounts: list[int], random: object
) -> None:
    line = Line()
    asked = [f"{person}.{n}" for person, amount in enumerate(amounts) for n in range(amount)]
    random.shuffle(asked)  # type: ignore[attr-defined]  # hypothesis' own Random
    for one in asked:
        line.add(one, [one.split(".")[0]])
    had = [0] * len(amounts)
    while all(count < amount for count, amount in zip(had, amounts, strict=True)):
        job = line.take()
        assert job is not None
        had[int(job.split(".")[0])] += 1
        assert max(had) - min(had) <= 1


@given(st.integers(1, 6), st.integers(1, 30))
def test_who_comes_anew_waits_for_one_round_at_most_however_much_others_had(
    others: int, taken: int
) -> None:
    line = Line()
    for n in range(40):
        for person in range(others):
            line.add(f"{person}.{n}", [str(person)])
    for _ in range(taken):
        line.take()
    line.add("new", ["new"])
    assert line.order().index("new") <= others


def test_newcomers_without_end_keep_nobody_waiting() -> None:
    line = Line()
    for n in range(3):
        line.add(f"anna {n}", ["anna"])
    taken = []
    for n in range(20):
        line.add(f"new {n}", [f"person {n}"])
        taken.append(line.take())
    assert {f"anna {n}" for n in range(3)} <= set(taken)


def test_a_shared_job_goes_when_the_first_of_those_who_want_it_has_a_turn() -> None:
    line = Line()
    for n in range(4):
        line.add(f"anna {n}", ["anna"])
    assert line.order()[-1] == "anna 3"
    line.want("anna 3", ["anna", "bo"])
    assert line.order()[:2] == ["anna 0", "anna 3"]
    assert line.count_of("anna") == 4
    line.want("anna 3", ["anna"])
    assert line.order()[-1] == "anna 3"


def test_what_was_interrupted_is_the_next_and_costs_nobody_a_turn() -> None:
    line = Line()
    for n in range(2):
        line.add(f"anna {n}", ["anna"])
    for n in range(2):
        line.add(f"bo {n}", ["bo"])
    for _ in range(2):  # it is interrupted twice
        assert line.take() == "anna 0"
        line.put_back("anna 0", ["anna"])
        assert line.order() == ["anna 0", "bo 0", "anna 1", "bo 1"]
    assert [line.take() for _ in range(5)] == ["anna 0", "bo 0", "anna 1", "bo 1", None]


def test_the_house_comes_last() -> None:
    line = Line()
    line.add("house", [])
    assert not line.has_people()
    for n in range(3):
        line.add(f"anna {n}", ["anna"])
    assert line.order() == ["anna 0", "anna 1", "anna 2", "house"]
    line.want("house", ["bo"])
    assert line.order().index("house") < 2
