"""The lab's state: any state survives the address, any address gives a state, and shots behave as a person expects."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maml_core.config import MAX_SHOTS
from ui.lab.state import CHOICES, LabState, task_of_seed
from ui.shared.learners import LEARNERS, in_order
from ui.shared.ranges import FAMILY, RANGES


def number(name, kind=st.floats):
    return kind(*RANGES[name])


def decimals(name):
    return (
        number(name)
        .map(lambda value: float(f"{value:.10g}"))
        .filter(lambda value: RANGES[name].low <= value <= RANGES[name].high)
    )


points = st.tuples(
    st.integers(-5000, 5000).map(lambda n: n / 1000),
    st.integers(-6000, 6000).map(lambda n: n / 1000),
)
states = st.integers(*RANGES["num_updates"]).flatmap(
    lambda updates: st.builds(
        LabState,
        seed=number("seed", st.integers),
        amplitude=st.none() | decimals("amplitude"),
        phase=st.none() | decimals("phase"),
        K=number("K", st.integers),
        alpha=decimals("alpha"),
        num_updates=st.just(updates),
        noise=decimals("noise"),
        shots=st.none() | st.lists(points, max_size=MAX_SHOTS).map(tuple),
        step=st.integers(0, updates),
        learners=st.sampled_from(
            [(), ("maml",), ("pretrained",), LEARNERS, ("maml", "upload:0123456789ab"), ("run:my-run_2.a",), ("anil", "maml")]
        ),
        placement=st.sampled_from(CHOICES["placement"]),
        freeze=st.sampled_from(CHOICES["freeze"]),
        ghosts=st.sampled_from(CHOICES["ghosts"]),
        view=st.sampled_from(CHOICES["view"]),
        hide=st.sampled_from([(), ("truth",), ("names",), ("truth", "names")]),
        present=st.booleans(),
        free=st.booleans(),
    )
)


@given(states)
def test_any_state_survives_the_address(state):
    again, problems = LabState.from_query(state.to_query())
    assert again == state
    assert problems == []
    assert again.points == state.points


@given(
    st.dictionaries(st.sampled_from([*RANGES, "shots", "learners", "free", "utm_source"]), st.text(max_size=60) | st.just("nan"))
)
def test_any_address_gives_a_state_and_says_what_it_could_not_use(query):
    state, problems = LabState.from_query(query)
    for problem in problems:
        assert "in the address" in problem
    again, none = LabState.from_query(state.to_query())
    assert again == state
    assert none == []


def test_the_default_address_is_empty():
    assert LabState().to_query() == {}
    assert LabState.from_query({}) == (LabState(), [])


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"alpha": "7"}, "it must be a number from 0.0001 to 1. Using 0.01 instead."),
        ({"K": "2.5"}, "it must be a whole number from 1 to 20"),
        ({"shots": "1,2;3"}, "separated by semicolons"),
        ({"shots": "9,0"}, "x from -5 to 5"),
        ({"shots": ";".join(["0,0"] * 51)}, "at most 50 shots"),
        ({"learners": "maml,mamml"}, "there is no learner 'mamml'"),
        ({"free": "yes"}, "it must be 1 or 0"),
        ({"present": "2"}, "it must be 1 or 0"),
        ({"placement": "right"}, "it must be one of anywhere, left, cluster, even. Using anywhere instead."),
        ({"freeze": "tail"}, "it must be one of none, body, head"),
        ({"ghosts": "some"}, "it must be one of before, previous, all, none"),
        ({"view": "3d"}, "it must be one of overlay, panels"),
        ({"hide": "shots"}, "'shots' cannot be hidden; it must be truth or names"),
        ({"learners": "~xyz"}, "the hidden list of learners is damaged"),
        ({"learners": "upload:0123456789ab,run:a"}, "only one checkpoint of your own"),
        ({"learners": "run:../../etc"}, "there is no learner"),
        ({"amplitude": "-1"}, "Using the task's own instead"),
        ({"num_updates": "3", "step": "9"}, "past the last of 3 inner steps"),
    ],
)
def test_what_is_wrong_in_an_address_is_said(query, says):
    _, problems = LabState.from_query(query)
    assert len(problems) == 1
    assert says in problems[0]


def test_sampled_shots_lie_on_the_curve_and_noise_moves_them():
    state = LabState(seed=4, K=8)
    for x, y in state.points:
        assert y == pytest.approx(np.clip(state.task.curve(x), -6, 6), abs=0.001)
    noisy = state.change("noise", 0.5)
    assert [x for x, _ in noisy.points] == [x for x, _ in state.points]
    assert noisy.points != state.points


def test_raising_k_keeps_the_shots_there_were():
    state = LabState(K=5)
    assert state.change("K", 9).points[:5] == state.points
    assert state.change("K", 2).points == state.points[:2]


@pytest.mark.parametrize("K", [1, 3, 20])
def test_sampled_shots_lie_where_they_are_placed(K):
    low, high = FAMILY.x
    for seed in range(30):
        state = LabState(seed=seed, K=K).place([(0, 0)])
        xs = {place: [x for x, _ in state.change("placement", place).points] for place in CHOICES["placement"]}
        assert all(len(x) == K and low <= min(x) and max(x) <= high for x in xs.values())
        assert xs["anywhere"] == [x for x, _ in LabState(seed=seed, K=K).points]
        assert max(xs["left"]) <= 0
        assert max(xs["cluster"]) - min(xs["cluster"]) <= 0.15 * (high - low) + 0.011
        assert xs["even"] == pytest.approx([low + (high - low) * (k + 0.5) / K for k in range(K)], abs=0.006)


def test_names_are_hidden_in_an_address_that_gives_them_back():
    for _ in range(20):
        state = LabState(step=4).change("hide", ("names",))
        assert state.step == 0
        assert set(state.learners) == {"maml", "pretrained"}
        query = state.to_query()
        assert not any(name in "".join(query.values()) for name in LEARNERS)
        assert LabState.from_query(query) == (state, [])
        shown = state.change("hide", ())
        assert shown.learners == ("maml", "pretrained")


def test_the_letters_are_dealt_at_random():
    assert len({LabState().shuffle().learners for _ in range(40)}) == 2


def test_a_vote_needs_maml_and_another():
    assert set(LabState(learners=()).shuffle().learners) == {"maml", "pretrained"}
    assert set(LabState(learners=("anil", "oracle")).shuffle().learners) == {"maml", "anil", "oracle"}


def test_learners_have_one_order():
    assert in_order(["run:a", "random", "maml"]) == ("maml", "random", "run:a")


def test_a_new_k_samples_anew():
    state = LabState(K=3).place([(0, 1), (1, 1)])
    assert state.change("K", 4) == LabState(K=4)
    assert len(state.place([]).change("K", 4).points) == 4


def test_shots_follow_the_curve_when_it_moves():
    state = LabState(amplitude=2.0, phase=0.5).place([(1, 2 * np.sin(0.5)), (0, 3)])
    moved = state.change("amplitude", 4.0)
    assert moved.points[0] == pytest.approx((1, 4 * np.sin(0.5)), abs=0.002)
    assert moved.points[1][1] - moved.task.curve(0) == pytest.approx(3 - state.task.curve(0), abs=0.002)


def test_new_shots_keep_the_task_and_a_new_task_does_not():
    state = LabState(seed=4).place([(0, 0)])
    other = state.sample_shots()
    assert other.task[:2] == state.task[:2]
    assert len(other.points) == other.K
    fresh = other.new_task()
    assert (fresh.amplitude, fresh.phase, fresh.shots) == (None, None, None)
    assert fresh.task[:2] != state.task[:2]


@given(number("seed", st.integers))
def test_every_seed_makes_a_task_in_range(seed):
    task = task_of_seed(seed)
    assert RANGES["amplitude"].clip(task.amplitude) == task.amplitude
    assert RANGES["phase"].clip(task.phase) == task.phase


def test_fewer_updates_pull_the_step_back():
    assert LabState(step=9).change("num_updates", 4).step == 4


@pytest.mark.parametrize("bad", [[(0, float("nan"))], [(0, 0)] * (MAX_SHOTS + 1), [(0,)], ["xy"]])
def test_shots_that_cannot_be_are_refused(bad):
    with pytest.raises((ValueError, TypeError)):
        LabState().place(bad)
