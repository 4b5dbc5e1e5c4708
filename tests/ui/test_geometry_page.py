"""The geometry page without a browser: it opens, and its routes answer with what the engine computes, or in a sentence."""

import base64
from pathlib import Path

import numpy as np
import pytest
import torch
from shown import data
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from maml_core import runs
from maml_core.algorithms import adapt
from maml_core.config import TrainConfig
from maml_core.palette import NEUTRAL, ROLES
from maml_core.runs import worker
from ui.geometry import planes
from ui.shared import learners

ROOT = Path(__file__).parents[2]


def test_opens_with_a_look_for_everything_it_draws():
    app = AppTest.from_file(str(ROOT / "ui" / "frame.py"), default_timeout=30).run()
    app.switch_page(str(ROOT / "pages" / "geometry.py")).run()
    assert not app.exception
    looks = data(app)[0]["looks"]
    for role in ("maml", "fomaml", "reptile", "pretrained", *"ABCDEF"):
        assert looks[role]["light"] == (ROLES | NEUTRAL)[role].light


@pytest.fixture
def client():
    return TestClient(Starlette(routes=planes.routes()))


def decoded(text, *shape):
    return np.frombuffer(base64.b64decode(text), "<f4").reshape(shape)


def test_the_middle_of_the_plane_is_theta_itself(client):
    answer = client.get("/geometry/plane.json?learner=maml").json()
    before, after = (decoded(answer[part], planes.SIDE, planes.SIDE) for part in ("before", "after"))
    found = learners.get("maml")
    theta, alpha = found.split()
    batch = planes._batch(found, planes.LOSS_TASKS)
    losses = []
    for x_s, y_s, x_q, y_q in zip(*batch, strict=True):
        phis = adapt(found.network.mse, theta, x_s, y_s, alpha, 1)
        losses.append([found.network.mse(phi, x_q, y_q).item() for phi in phis])
    middle = planes.SIDE // 2
    np.testing.assert_allclose([before[middle, middle], after[middle, middle]], np.mean(losses, 0), rtol=1e-4)
    assert before.min() > 0.9 * before[middle, middle], "no other point of the plane serves all tasks without a step"
    paths = decoded(answer["paths"], planes.DRAWN_TASKS, planes.STEPS + 1, 2)
    np.testing.assert_allclose(paths[:, 0], 0, atol=1e-6)
    assert 0.5 < sum(answer["explained"]) < 1


def test_the_plane_of_a_learner_whose_adaptation_diverges_is_refused_in_a_sentence(client):
    answer = client.get("/geometry/plane.json?learner=meta_sgd")
    assert (answer.status_code, answer.text) == (
        400,
        "Adaptation of Meta-SGD diverges within 10 steps: there is no plane to show",
    )


@pytest.mark.parametrize(
    "asked", ["plane.json?learner=nobody", "plane.json?learner=run:none", "term.json?run=none", "term.json?run=../x"]
)
def test_what_is_not_there_is_said_in_a_sentence(client, asked, tmp_path, monkeypatch):
    monkeypatch.setenv("MAML_LAB_RUNS", str(tmp_path))
    answer = client.get(f"/geometry/{asked}")
    assert answer.status_code == 400
    assert "Traceback" not in answer.text
    assert "no " in answer.text


def test_tasks_are_few_but_spread_over_all_there_are():
    """The mean square of their targets is that of 4,096 tasks, within a tenth."""
    batch = planes._batch(learners.get("maml"), planes.LOSS_TASKS)
    many = planes._batch(learners.get("maml"), 4096)
    mean, sure = (part.y_query.square().mean() for part in (batch, many))
    assert mean == pytest.approx(sure.item(), rel=0.1)
    torch.testing.assert_close(batch.y_query.shape, torch.Size([planes.LOSS_TASKS, planes.QUERY, 1]))


def test_training_makes_the_ignored_term_longer(client):
    points = {point["role"]: point for point in client.get("/geometry/term.json").json()["points"]}
    assert points["random"]["whole"][0] < 0.5 < points["fomaml"]["whole"][0] < points["maml"]["whole"][0]
    assert all(len(point["layers"]) == 3 for point in points.values())


def test_the_term_through_a_runs_snapshots(client, tmp_path, monkeypatch):
    monkeypatch.setenv("MAML_LAB_RUNS", str(tmp_path))
    runs.create(
        tmp_path / "tiny", TrainConfig(K=4, batch_size=4, hidden=(8, 8), max_steps=200), "traced", about={"title": "my run"}
    )
    assert client.get("/geometry/term.json?run=tiny").text == "The run tiny has no snapshots yet"
    worker.train_run(tmp_path / "tiny", test_sample=20)
    answer = client.get("/geometry/term.json?run=tiny").json()
    assert answer["runs"] == [{"name": "tiny", "title": "my run"}]
    iterations = [point["iteration"] for point in answer["points"]]
    assert iterations == sorted(iterations)
    assert iterations[-1] == 200
    assert len(iterations) == len(runs.snapshots_of(tmp_path / "tiny"))
