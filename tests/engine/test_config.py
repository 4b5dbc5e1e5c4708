"""Settings: what is allowed survives a round trip, what is not is explained."""

import json
from dataclasses import fields, replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from maml_core.arguments import parser
from maml_core.config import CLASSIFICATION, FAMILIES, JOINT, MAX_DRAWINGS, ConfigError, TrainConfig, choices


def allowed(f, family):
    low, high = (f.metadata[key] for key in ("low", "high"))
    if possible := choices(f.name, family):
        return st.sampled_from(possible)
    if isinstance(f.default, tuple):
        return st.lists(st.integers(low, high), min_size=1, max_size=4).map(tuple)
    return st.integers(low, high) if isinstance(f.default, int) else st.floats(low, high)


@st.composite
def configs(draw):
    family = draw(st.sampled_from(FAMILIES))
    values = draw(st.fixed_dictionaries({f.name: allowed(f, family) for f in fields(TrainConfig)})) | {"family": family}
    if family in CLASSIFICATION:
        values |= {
            "K": draw(st.integers(1, MAX_DRAWINGS)),
            "hidden": draw(st.sampled_from([(8,), (4, 4, 4)])),
            "batch_size": draw(st.integers(1, 9)),
        }
    try:
        return TrainConfig.from_dict(values)
    except ConfigError as error:  # each alone is allowed; a few combinations are not
        reasons = ("told amplitude and phase", "cannot see x", "weights between", "a meta-batch has", "their product is")
        assume(not any(reason in str(error) for reason in reasons))
        raise


@given(configs())
def test_round_trip_through_json(config):
    assert TrainConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@given(
    st.dictionaries(
        st.sampled_from([f.name for f in fields(TrainConfig)]),
        st.none() | st.booleans() | st.integers() | st.just(10**400) | st.floats() | st.text(),
    )
)
def test_any_value_is_taken_or_explained(values):
    try:
        TrainConfig.from_dict(values)
    except ConfigError as error:
        assert len(str(error)) < 300
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"K": 0}, "K=0 is not possible: it must be between 1 and 1000"),
        ({"K": 2.5}, "it must be a whole number between 1 and 1000"),
        ({"K": True}, "it must be a whole number between 1 and 1000"),
        ({"max_steps": "many"}, "it must be a whole number between 1 and 10000000"),
        ({"beta": "small"}, "it must be a number between 1e-07 and 1"),
        ({"alpha": float("nan")}, "it must be between"),
        ({"algorithm": "mamml"}, "choose one of maml, fomaml, reptile"),
        ({"algorithm": 5}, "algorithm=5 is not possible: choose one of maml, fomaml, reptile"),
        ({"norm": None}, "choose one of none, batch_norm"),
        ({"algorithm": "oracle", "family": "sinusoid_line"}, "told amplitude and phase"),
        ({"multi_step": "yes"}, "multi_step='yes' is not possible: choose one of false, true"),
        ({"multi_step": 1}, "choose one of false, true"),
        ({"hidden": []}, "1 to 16 hidden layers"),
        ({"hidden": "40"}, "a list of whole numbers, each between 1 and 1024"),
        ({"hidden": [40, 2000]}, "it must be between 1 and 1024"),
        ({"learning_rate": 1}, "unknown setting 'learning_rate'"),
    ],
)
def test_what_is_wrong_is_said(values, message):
    with pytest.raises(ConfigError, match=message.replace("[", r"\[")):
        TrainConfig.from_dict(values)


IDLE = [
    ({"algorithm": "pretrained", "num_updates": 3}, "num_updates", "without inner steps"),
    ({"algorithm": "oracle", "multi_step": True}, "multi_step", "without inner steps"),
    ({"algorithm": "reptile", "num_updates": 3, "multi_step": True}, "multi_step", "Reptile uses only where"),
    ({"multi_step": True}, "multi_step", "only one inner step"),
    ({"way": 7}, "way", "a curve has no classes"),
    ({"family": "characters", "algorithm": "prototypical", "num_updates": 3}, "num_updates", "compares takes no inner steps"),
    ({"family": "characters", "algorithm": "matching", "alpha": 0.1}, "alpha", "compares takes no inner steps"),
]


@pytest.mark.parametrize(("values", "name", "why"), IDLE)
def test_a_setting_without_effect_is_refused_and_an_older_record_of_it_still_read(values, name, why):
    with pytest.raises(ConfigError, match=f"{name}=.* has no effect here: .*{why}.*; leave it out"):
        TrainConfig.of(**values)
    assert TrainConfig.from_dict(values) == TrainConfig.of(**{key: value for key, value in values.items() if key != name})


@given(configs())
def test_the_command_line_of_a_config_makes_it_again(config):
    args = parser().parse_args(config.command.split()[3:])
    given = {f.name: getattr(args, f.name) for f in fields(TrainConfig) if getattr(args, f.name) is not None}
    again = TrainConfig.of(**given)
    assert again == (replace(config, alpha=again.alpha) if config.algorithm in JOINT else config)


def test_every_setting_says_what_it_is():
    for f in fields(TrainConfig):
        assert f.metadata["help"]
        assert f.metadata["choices"] or f.metadata["low"] is not None


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"batch_size": 10_000, "K": 11}, "a meta-batch has at most 100,000 shots"),
        ({"batch_size": 200, "hidden": (1000, 1000)}, "their product is at most"),
        ({"batch_size": 100, "hidden": (300, 300), "num_updates": 50}, "their product is at most"),
    ],
)
def test_what_would_take_all_memory_is_refused(settings, says):
    with pytest.raises(ConfigError, match=says):
        TrainConfig(**settings)
    assert TrainConfig(batch_size=10_000, K=10)
    assert TrainConfig(algorithm="pretrained", batch_size=200, hidden=(1000, 1000)), "joint training adapts nothing"
