"""The Explore page without a browser: what an address asks for, what the routes answer, and that all agree with the engine."""

import csv
import io
import json
import re
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
import pytest
from shown import address, data
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from maml_core import sweeps
from ui.explore import component, exploration, maps
from ui.explore.exploration import Exploration
from ui.lab import engine
from ui.lab.state import LabState
from ui.shared import learners
from ui.shared.remembered import memory

PAGE = str(Path(__file__).parents[2] / "pages" / "explore.py")
CLIENT = TestClient(Starlette(routes=maps.routes()))
SMALL = {"learners": "maml", "along": "K"}


@pytest.fixture(autouse=True)
def small(tmp_path, monkeypatch):
    """Small rounds, no maps from other tests, and a folder for runs and uploads of this test alone."""
    monkeypatch.setenv("MAML_LAB_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(maps, "ROUND", 6)
    monkeypatch.setattr(maps, "SHOT_ROWS", (2, 5))
    monkeypatch.setattr(maps, "ALPHA_ROWS", (0.001, 0.01, 1.0))
    monkeypatch.setattr(maps, "MAP_STEPS", 3)
    memory.clear()


def page(**query):
    app = AppTest.from_file(PAGE, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def shown(app):
    """What the page gave to its component."""
    (given,) = data(app)
    return given


def get(name, **query):
    answer = CLIENT.get(f"/explore/{name}", params=query)
    assert answer.status_code == 200, answer.text
    return answer


# The page


def test_it_opens_on_maml_and_the_address_stays_empty():
    app = page()
    assert not app.exception
    assert [learner["key"] for learner in shown(app)["learners"]] == ["maml"]
    assert address(app) == {}


def test_an_address_shows_its_maps():
    app = page(learners="maml,pretrained", K="5", alpha="0.013", conditions="noise,half", tasks="10000", view="curves")
    data = shown(app)
    assert [learner["label"] for learner in data["learners"]] == ["MAML", "pretrained"]
    assert (data["K"], data["alpha"], data["tasks"], data["view"]) == (5, 0.013, 10_000, "curves")
    assert data["conditions"] == ["half", "noise"]
    assert app.number_input(key="explore_alpha").value == 0.013


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"learners": "maml,nobody"}, "there is no learner"),
        ({"learners": ",".join(f"run:r{i}" for i in range(5))}, "at most 4 learners"),
        ({"learners": "maml,upload:0123456789ab"}, "upload it again"),
        ({"K": "0"}, "it must be a whole number from 1 to 20"),
        ({"alpha": "high"}, "it must be a number from 0.0001 to 1"),
        ({"conditions": "rain"}, "'rain' is not a condition"),
        ({"tasks": "7"}, "it must be 2000 or 10000"),
        ({"view": "globe"}, "it must be one of maps"),
    ],
)
def test_what_cannot_be_used_is_said_and_the_page_works(query, says):
    app = page(**query)
    assert says in app.toast[0].value.replace("\\", "")
    assert not app.exception
    assert shown(app)["steps"] == exploration.MAP_STEPS


def test_a_change_is_in_the_address_and_reaches_the_view():
    app = page()
    app.multiselect(key="explore_learners").set_value(["anil", "shipped:maml_best"]).run()
    app.number_input(key="explore_K").set_value(3).run()
    assert address(app) == {"learners": "anil,shipped:maml_best", "K": "3"}
    assert [learner["label"] for learner in shown(app)["learners"]] == ["ANIL", "MAML best"]
    app.multiselect(key="explore_learners").set_value([]).run()
    assert address(app)["learners"] == "none"
    assert not app.exception


@pytest.mark.parametrize(
    "asked",
    [
        Exploration(),
        Exploration((), view="published"),
        Exploration(("oracle", "run:a.b@500"), 3, 0.0123, ("half", "amplitude", "phase", "noise", "shots"), 10_000, "curves"),
    ],
)
def test_any_exploration_survives_the_address(asked):
    assert Exploration.from_query(asked.to_query()) == (asked, [])


def test_a_baseline_has_no_setting_it_was_trained_for():
    steps = {name: component.payload(Exploration((name,)))["learners"][0]["steps"] for name in ("maml", "pretrained", "random")}
    assert steps == {"maml": 1, "pretrained": 0, "random": 0}


# The maps


@pytest.mark.parametrize("learner", ["maml", "meta_sgd", "anil", "oracle", "pretrained", "shipped:maml_batch_norm", "random"])
def test_a_map_equals_the_engines_own(learner):
    found = get("map.json", learners=learner, along="alpha", K=4, conditions="noise").json()
    saved = learners.get(learner)
    batch = sweeps.draw(("noise",), oracle=learner == "oracle").part(0, 6)
    for row, alpha in enumerate((0.001, 0.01, 1.0)):
        theta, sizes = saved.split(alpha)
        losses = sweeps.query_losses(saved.network.mse, theta, [sweeps.Row(4, sizes)], batch, 3)
        for step, stats in enumerate(sweeps.cells(losses)[0]):
            for name in ("mean", "ci95", "median", "diverged"):
                assert found[name][row][step] == pytest.approx(getattr(stats, name), rel=1e-3)


def test_both_maps_agree_where_they_meet():
    by_shots = get("map.json", **SMALL).json()
    by_alpha = get("map.json", learners="maml", along="alpha", K=5).json()
    assert by_shots["mean"][1] == by_alpha["mean"][1], "K = 5 at α = 0.01, which is MAML's own"


def test_each_answer_has_met_more_tasks_and_the_same_are_not_met_twice():
    seen = [get("map.json", **SMALL, have=have).json()["tasks"] for have in (0, 6, 0, 12)]
    assert seen == [6, 12, 12, 18], "who has seen less than there is gets what there is"
    whole = maps.find(maps.ask(SMALL)).losses
    saved = learners.get("maml")
    theta, alpha = saved.split()
    rows = [sweeps.Row(K, alpha) for K in (2, 5)]
    once = sweeps.query_losses(saved.network.mse, theta, rows, sweeps.draw().part(0, 18), 3)
    np.testing.assert_allclose(whole, once, rtol=1e-4)


def test_measuring_ends_with_the_last_task(monkeypatch):
    monkeypatch.setattr(maps, "MOST_TASKS", 12)
    assert [get("map.json", **SMALL, have=have).json()["tasks"] for have in (0, 6, 12, 12)] == [6, 12, 12, 12]


def test_old_maps_give_way_to_new_ones(monkeypatch):
    get("map.json", **SMALL)
    assert maps.find(maps.ask(SMALL)).tasks == 6
    monkeypatch.setattr(memory, "most", memory.size)
    get("map.json", learners="anil")
    assert maps.find(maps.ask(SMALL)).tasks == 0


def test_diverged_tasks_never_make_nan_in_json():
    found = get("map.json", learners="maml", along="alpha", K=5).text
    assert "NaN" not in found
    assert "Infinity" not in found
    assert json.loads(found)["diverged"][2][3] > 0.5


@pytest.mark.parametrize("learner", ["maml", "meta_sgd", "oracle"])
def test_examples_say_what_the_lab_says_of_them(learner):
    """The best, the typical and the worst task by the map's few points, each with its error along the whole curve."""
    asked = SMALL | {"learners": learner}
    found = get("examples.json", **asked, row=1, step=2).json()
    losses = maps.find(maps.ask(asked)).losses[1, 2]
    by_the_map = dict(zip(("best", "typical", "worst"), losses.sort().values[[0, 2, 5]].tolist(), strict=True))
    for name, task in found.items():
        state, problems = LabState.from_query(dict(parse_qsl(task["href"].removeprefix("lab?"))))
        assert problems == []
        assert (state.step, len(state.points), set(state.learners)) == (2, 5, {learner, "pretrained"})
        assert state.task.amplitude == pytest.approx(task["amplitude"], abs=1e-4)
        assert engine.on_show(state)[state.learners.index(learner)].query[2] == task["loss"]
        assert task["loss"] == pytest.approx(by_the_map[name], rel=0.25)


def test_a_task_that_the_lab_cannot_show_has_no_address():
    found = get("examples.json", **SMALL, conditions="amplitude", row=0, step=1).json()
    assert {task["href"] for task in found.values()} == {""}
    assert all(5 <= task["amplitude"] <= 10 for task in found.values())


def test_more_shots_are_more_rows():
    few, more = (get("map.json", **SMALL, conditions=name).json() for name in ("", "shots"))
    assert more["rows"] == [2, 5, 25, 30, 40, 50]
    assert more["mean"][:2] == few["mean"]


def test_the_csv_holds_every_cell():
    rows = list(csv.DictReader(io.StringIO(get("map.csv", **SMALL, alpha=0.02, conditions="half").text)))
    assert [(row["K"], row["step"]) for row in rows] == [(str(K), str(step)) for K in (2, 5) for step in range(4)]
    found = get("map.json", **SMALL, alpha=0.02, conditions="half").json()
    assert {(row["learner"], row["conditions"], row["alpha"]) for row in rows} == {("MAML", "half", "0.02")}
    for i, row in enumerate(rows):
        assert float(row["mean"]) == pytest.approx(found["mean"][i // 4][i % 4], rel=1e-3)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"along": "beta"}, "it must be one of K, alpha"),
        ({"learners": "maml,anil"}, "name one learner"),
        ({"learners": "none"}, "name one learner"),
        ({"learners": "run:gone"}, "no checkpoint of a run named gone"),
        ({"have": "-1"}, "have=-1 is not possible: it must be a whole number from 0"),
        ({"K": "99"}, "from 1 to 20"),
    ],
)
def test_what_cannot_be_answered_is_said_in_a_sentence(query, says):
    answer = CLIENT.get("/explore/map.json", params=SMALL | query)
    assert answer.status_code == 400
    assert says in answer.text
    assert "\n" not in answer.text


@pytest.mark.parametrize(("row", "step"), [("9", "0"), ("0", "9"), ("x", "0"), ("-1", "0")])
def test_a_cell_outside_of_the_map_is_refused(row, step):
    assert CLIENT.get("/explore/examples.json", params=SMALL | {"row": row, "step": step}).status_code == 400


def test_the_colours_rise_evenly_in_lightness():
    def lightness(colour):
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 116 * np.cbrt(np.dot(linear, (0.2126, 0.7152, 0.0722))) - 16

    source = (Path(component.__file__).parents[1] / "chart" / "heat.js").read_text("utf-8")
    colours = re.findall(r"#[0-9a-f]{6}", source)
    assert len(colours) == 11
    rises = np.diff([lightness(colour) for colour in colours])
    assert rises.min() > 0.6 * rises.mean()
    assert rises.max() < 1.5 * rises.mean()
