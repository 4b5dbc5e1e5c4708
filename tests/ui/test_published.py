"""The published table: its figures against the one source of each, ours against the checkpoints and the engine."""

import pytest
import torch
from starlette.applications import Starlette
from starlette.testclient import TestClient

from maml_core.baselines import PUBLISHED
from maml_core.evaluation import query_losses, summarise
from ui import library, maps, published

CLIENT = TestClient(Starlette(routes=maps.routes()))


def test_every_cell_of_the_published_table_is_there_and_exact():
    found = {(f.K, f.step): f.value for f in published.FIGURES if f.source == published.MAML_TF}
    assert found == {(K, step): value for K, row in PUBLISHED.items() for step, value in row.items()}
    assert not any(f.read_off for f in published.FIGURES if f.source == published.MAML_TF)


def test_ours_are_those_of_the_checkpoints_and_there_for_every_figure():
    data = published.payload()
    for figure in published.FIGURES:
        for name in published.OURS[figure.of]:
            stats = library.get(name).results[str(figure.K)][str(figure.step)]
            assert stats["tasks"] == published.TASKS
            assert data["ours"][name][figure.K][figure.step]["mean"] == pytest.approx(stats["mean"], rel=1e-3)


def test_measuring_again_is_the_evaluation_on_other_tasks(monkeypatch):
    monkeypatch.setattr(published, "ROUND", 20)
    published._losses.cache_clear()
    asked = {"learners": "shipped:maml_best", "K": 5, "time": 2}
    found = CLIENT.get("/explore/published.json", params=asked | {"rounds": 3}).json()
    saved = library.get("shipped:maml_best")
    theta, alpha = saved.split()
    settings = {"alpha": alpha, "K": 5, "num_updates": 10, "test_tasks": 20}
    losses = torch.cat([query_losses(saved.network.mse, theta, seed=seed, **settings) for seed in (2000, 2001, 2002)], 1)
    for step, stats in enumerate(summarise(losses)):
        assert found[str(step)]["mean"] == pytest.approx(stats.mean, rel=1e-3)
        assert found[str(step)]["ci95"] == pytest.approx(stats.ci95, rel=1e-3)
    assert CLIENT.get("/explore/published.json", params=asked | {"rounds": 1}).json() != found
    published._losses.cache_clear()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"learners": "anil"}, "none of the learners in the table"),
        ({"K": 0}, "K=0 is not possible"),
        ({"time": 100}, "from 1 to 99"),
        ({"rounds": "x"}, "from 1 to 10"),
    ],
)
def test_what_cannot_be_measured_is_said(change, says):
    answer = CLIENT.get("/explore/published.json", params={"learners": "maml", "K": 5, "time": 1, "rounds": 1} | change)
    assert answer.status_code == 400
    assert says in answer.text
