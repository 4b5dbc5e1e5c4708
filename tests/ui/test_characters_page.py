"""The page "Characters" without a browser: it opens, a drawing survives its text form, the routes answer as the engine does."""

import base64
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from shown import data
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from maml_core import characters
from maml_core.algorithms import adapt
from ui.characters import drawings, engine, learners, routes, samples

ROOT = Path(__file__).parents[2]
PLACES = st.integers(0, 63)
STROKES = st.lists(st.tuples(PLACES, PLACES), min_size=1, max_size=drawings.MOST_POINTS).map(tuple)
DRAWINGS = st.lists(STROKES, max_size=drawings.MOST_STROKES).map(tuple)
NEEDS_SHIPPED = pytest.mark.skipif(set(learners.there()) < set(learners.NAMES), reason="its checkpoints are not trained yet")


@pytest.fixture(scope="module")
def client():
    return TestClient(Starlette(routes=routes.routes()))


def test_opens_with_a_sample_and_every_learner_that_is_there():
    app = AppTest.from_file(str(ROOT / "ui" / "frame.py"), default_timeout=30).run()
    app.switch_page(str(ROOT / "pages" / "characters.py")).run()
    assert not app.exception
    (shown,) = data(app)
    assert [learner["name"] for learner in shown["learners"]] == learners.there()
    assert all(learner["name"] in shown["looks"] for learner in shown["learners"])
    assert len(drawings.read_all(shown["sample"]["support"], 5)) == len(shown["names"]) == learners.WAY


@given(st.lists(DRAWINGS, min_size=1, max_size=6).map(tuple))
def test_drawings_survive_their_text_form(drawn):
    assert drawings.read_all(drawings.write_all(drawn), len(drawn)) == drawn


@given(st.text(alphabet=drawings.LETTERS + ".*~ é", max_size=60))
def test_any_text_is_a_drawing_or_is_refused_in_a_clause(text):
    try:
        assert drawings.write(drawings.read(text)) == text
    except ValueError as error:
        assert 0 < len(str(error)) < 200


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("A", "pairs of letters"),
        ("A*", "pairs of letters"),
        ("AA.", "pairs of letters"),
        ("AA" * (drawings.MOST_POINTS + 1), "at most 24 points"),
        (".".join(["AA"] * (drawings.MOST_STROKES + 1)), "at most 12 strokes"),
    ],
)
def test_what_is_no_drawing_is_refused_by_what_is_wrong(text, why):
    with pytest.raises(ValueError, match=why):
        drawings.read(text)


@pytest.mark.parametrize("seed", range(20))
def test_a_sampled_drawing_keeps_its_line_on_the_grid(seed):
    sample = samples.sample(seed)
    assert sample == samples.sample(seed)
    drawn = drawings.read_all(sample["support"], learners.WAY)
    assert all(drawn)
    new = characters.character(torch.rand(1, characters.RANDOMS, generator=torch.Generator().manual_seed(seed)))
    exact = characters.Strokes(new.points[0], new.present[0])
    lines = exact.points[exact.present > 0]
    share = torch.linspace(0, 1, 50)[:, None]
    for line, stroke in zip(lines, drawings.of_strokes(exact), strict=True):
        corners = torch.tensor(stroke).float()
        dense = torch.cat([corners[:1], *(a + share * (b - a) for a, b in pairwise(corners))])
        on_grid = (line / lines.abs().max().clamp(1) + 1) * 31.5
        assert torch.cdist(on_grid, dense).amin(1).max() < 1.5


def likely(client, **query):
    answer = client.get("/characters/picture.json", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


@NEEDS_SHIPPED
def test_the_answers_are_those_of_the_engine(client):
    """By the checkpoint, `adapt` and a softmax, without anything of the page."""
    sample = samples.sample(3)
    found = likely(client, support=sample["support"], query=sample["query"], learners="maml,prototypical,nearest")
    x = torch.stack([drawings.image(drawing) for drawing in drawings.read_all(sample["support"], 5)])
    asked = drawings.image(drawings.read(sample["query"]))[None]
    learner = learners.of("maml", 5)
    y = torch.arange(5)
    path = adapt(learner.problem.loss, learner.theta, x, y, learner.alpha, 5)
    expected = [learner.problem.network.apply(phi, asked).softmax(1)[0] for phi in path]
    torch.testing.assert_close(torch.tensor(found["answers"]["maml"]["likely"]), torch.stack(expected), atol=1e-4, rtol=0)
    loss = [learner.problem.loss(phi, x, y) for phi in path]
    torch.testing.assert_close(torch.tensor(found["answers"]["maml"]["loss"]), torch.stack(loss), atol=1e-4, rtol=1e-3)
    for name in ("prototypical", "nearest"):
        assert found["answers"][name]["loss"] is None
        assert sum(found["answers"][name]["likely"][0]) == pytest.approx(1, abs=1e-3)
    seen = torch.frombuffer(bytearray(base64.b64decode(found["seen"][-1])), dtype=torch.uint8).reshape(28, 28)
    torch.testing.assert_close(seen / 255, asked[0], atol=0.003, rtol=0)


@NEEDS_SHIPPED
def test_it_learns_what_it_is_shown():
    """Before any step it knows nothing; after five it is mostly right."""
    right = {0: 0, 5: 0}
    for seed in range(20):
        sample = samples.sample(seed)
        support, query = drawings.read_all(sample["support"], 5), drawings.read(sample["query"])
        shares = engine.answer("maml", support, query, 5).likely
        for step in right:
            right[step] += shares[step].index(max(shares[step])) == sample["answer"]
    assert right[0] < 12 < right[5]


@NEEDS_SHIPPED
def test_fewer_signs_and_no_question_are_answered_too(client):
    signs = samples.sample(4)["support"].split("..")
    found = likely(client, support="..".join(signs[:3]), query=signs[1], learners="maml,prototypical")["answers"]
    assert [len(found[name]["likely"][0]) for name in found] == [3, 3]
    assert found["maml"]["likely"][-1][1] > 0.5
    found = likely(client, support="..".join(signs[:3]), learners="maml,nearest", num_updates="2")["answers"]
    assert (found["maml"]["likely"], len(found["maml"]["loss"]), found["nearest"]["likely"]) == (None, 3, None)


@NEEDS_SHIPPED
def test_a_frozen_body_takes_no_step(client):
    sample = samples.sample(5)
    asked = {"support": sample["support"], "query": sample["query"], "learners": "maml"}
    whole, head = (likely(client, **asked, freeze=freeze)["answers"]["maml"]["likely"] for freeze in ("none", "body"))
    assert whole[0] == head[0]
    assert whole[1] != head[1]


@NEEDS_SHIPPED
def test_the_table_and_the_script_give_the_numbers_of_the_picture(client):
    sample = samples.sample(6)
    asked = {"support": sample["support"], "query": sample["query"], "learners": "maml,prototypical,nearest", "freeze": "body"}
    answers = likely(client, **asked)["answers"]
    rows = client.get("/characters/probabilities.csv", params=asked).text.splitlines()[1:]
    told = [float(row.split(",")[3]) for row in rows]
    assert told == [share for answer in answers.values() for row in answer["likely"] for share in row]
    script = client.get("/characters/code.py", params=asked).text
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    printed = [float(number) for row in re.findall(r"tensor\(\[\[(.*?)\]", done.stdout, re.S) for number in row.split(",")]
    assert printed == pytest.approx(told, abs=2e-4)


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("support=", "two or more"),
        ("support=AA", "two or more"),
        ("support=AA....AB", "two or more"),
        ("support=AA..A", "pairs of letters"),
        ("support=AA..AB..AC..AD..AE..AF", "at most 5 drawings"),
        ("support=AA..AB&query=A", "query is not possible"),
        ("support=AA..AB&learners=oracle", "choose from"),
        ("support=AA..AB&num_updates=50", "from 1 to 5"),
        ("support=AA..AB&alpha=9", "from 0.0001 to 1"),
        ("support=AA..AB&freeze=all", "choose one of"),
    ],
)
def test_what_cannot_be_answered_is_said_in_a_sentence(client, query, why):
    answer = client.get(f"/characters/picture.json?{query}")
    assert (answer.status_code, why in answer.text) == (400, True), answer.text


def test_a_seed_out_of_range_is_refused(client):
    assert client.get("/characters/sample.json?seed=-1").status_code == 400
    assert client.get("/characters/sample.json?seed=7").json() == samples.sample(7)


def test_a_tap_is_a_dot_however_the_hand_trembled():
    trembling, dot = (((30, 30), (31, 32), (30, 31)),), (((30, 30),),)
    assert torch.equal(drawings.image(trembling), drawings.image(dot))
    assert not torch.equal(drawings.image((((30, 30), (33, 30)),)), drawings.image(dot)), "a short line stays one"
