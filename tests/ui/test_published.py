"""The published table: its figures against the one source of each, ours against the checkpoints and the engine."""

import csv
import io

import pytest
import torch
from starlette.applications import Starlette
from starlette.testclient import TestClient

from maml_core.baselines import PUBLISHED
from maml_core.evaluation import QUERY, query_metric, summarise
from ui.explore import maps, published
from ui.shared import learners
from ui.shared.remembered import memory

CLIENT = TestClient(Starlette(routes=maps.routes()))


def test_every_cell_of_the_published_table_is_there_and_exact():
    found = {(f.K, f.step): f.value for f in published.FIGURES if f.source == published.MAML_TF}
    assert found == {(K, step): value for K, row in PUBLISHED.items() for step, value in row.items()}
    assert not any(f.read_off for f in published.FIGURES if f.source == published.MAML_TF)


def test_how_uncertain_their_figures_are_is_what_their_recipe_shows_over_as_many_tasks():
    """The interval over 10,000 tasks of the checkpoint with MAML-tf's own settings, taken to 100 tasks."""
    (note,) = (note for note in published.NOTES if "no interval" in note)
    said = {10: (0.03, 0.09), 5: (0.09, 0.16)}
    for K, (low, high) in said.items():
        assert f"{low} to {high} with {K}" in note.replace("10 shots", "10")
        stats = learners.get("shipped:maml_tf_small_alpha").results[str(K)]
        halves = [round(stats[str(step)]["ci95"] * (stats[str(step)]["tasks"] / 100) ** 0.5, 2) for step in PUBLISHED[K]]
        assert all(low <= half <= high for half in halves)


def test_ours_are_those_of_the_checkpoints_and_there_for_every_figure():
    data = published.payload()
    for figure in published.FIGURES:
        for name in published.OURS[figure.of]:
            stats = learners.get(name).results[str(figure.K)][str(figure.step)]
            assert stats["tasks"] == published.OUR_TASKS
            assert data["ours"][name][figure.K][figure.step] == {"mean": stats["mean"], "ci95": stats["ci95"]}, "not rounded yet"


def test_measuring_again_is_the_evaluation_on_other_tasks(monkeypatch):
    monkeypatch.setattr(published, "OUR_ROUND", 20)
    memory.clear()
    asked = {"learners": "shipped:maml_best", "K": 5, "time": 2}
    found = CLIENT.get("/explore/published.json", params=asked | {"rounds": 3}).json()
    saved = learners.get("shipped:maml_best")
    theta, alpha = saved.split()
    settings = {"alpha": alpha, "num_updates": 10, "test_tasks": 20}
    losses = torch.cat([query_metric(saved.tasks(5, QUERY), theta, seed=seed, **settings) for seed in (2000, 2001, 2002)], 1)
    for step, stats in enumerate(summarise(losses)):
        assert found[str(step)] == {"mean": stats.mean, "ci95": stats.ci95}
    assert CLIENT.get("/explore/published.json", params=asked | {"rounds": 1}).json() != found
    memory.clear()


def test_the_csv_is_the_table_on_show_also_where_it_was_measured_again(monkeypatch):
    def table(**query):
        answer = CLIENT.get("/explore/published.csv", params=query)
        assert "maml-lab-published.csv" in answer.headers["content-disposition"]
        return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))

    monkeypatch.setattr(published, "OUR_ROUND", 20)
    monkeypatch.setattr(published, "OUR_TASKS", 60)
    memory.clear()
    ours, before, again = published.payload()["ours"], table(), table(measured="shipped:maml_best:5,maml:10", time=2)
    assert len(before) == sum(len(published.OURS[figure.of]) for figure in published.FIGURES)
    fresh = {
        (name, K): CLIENT.get("/explore/published.json", params={"learners": name, "K": K, "time": 2, "rounds": 3}).json()
        for name, K in (("shipped:maml_best", "5"), ("maml", "10"))
    }
    names = {learners.title(name): name for name in published.NAMES}
    for old, new in zip(before, again, strict=True):
        name, K, step = names[old["ours"]], old["K"], old["step"]
        assert float(old["mean"]) == ours[name][int(K)][int(step)]["mean"]
        assert float(new["mean"]) == fresh.get((name, K), ours[name][int(K)])[step if (name, K) in fresh else int(step)]["mean"]
    assert before != again
    for odd in ({"measured": "anil:5", "time": 1}, {"measured": "maml:7", "time": 1}, {"measured": "maml:5"}):
        assert CLIENT.get("/explore/published.csv", params=odd).status_code == 400
    memory.clear()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"learners": "anil"}, "is not a learner in the table"),
        ({"K": 0}, "K=0 is not possible"),
        ({"time": 100}, "from 1 to 99"),
        ({"rounds": "x"}, "from 1 to 10"),
    ],
)
def test_what_cannot_be_measured_is_said(change, says):
    answer = CLIENT.get("/explore/published.json", params={"learners": "maml", "K": 5, "time": 1, "rounds": 1} | change)
    assert answer.status_code == 400
    assert says in answer.text
