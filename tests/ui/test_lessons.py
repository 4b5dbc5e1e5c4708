"""The shipped lessons are true today, can be answered rightly and wrongly, and nobody is told what is right too soon."""

import json
import math
import re
import shutil
import threading
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import numpy as np
import pytest
import torch
from starlette.applications import Starlette
from starlette.testclient import TestClient

from maml_core.config import DIVERGED_ABOVE
from ui.lab import engine
from ui.lab.state import LabState
from ui.lessons import expressions, routes, settle, shelf
from ui.lessons.__main__ import main as check_lessons
from ui.lessons.answers import MOST_SKETCHES, SKETCH, Slider
from ui.lessons.toml import LessonError
from ui.shared import visitors
from ui.train import watching

FOLDER = Path(__file__).parents[2] / "lessons"
SHIPPED = list(shelf.shelf(FOLDER).lessons.values())
each = pytest.mark.parametrize("lesson", SHIPPED, ids=lambda lesson: lesson.card)
X = np.linspace(-5, 5, SKETCH)


@pytest.fixture(autouse=True)
def as_on_the_server(monkeypatch):
    monkeypatch.delenv("MAML_LAB_LESSONS", raising=False)
    torch.set_num_threads(1)


@pytest.fixture
def client():
    return TestClient(Starlette(routes=routes.routes(lambda token, card: False)))


def right_answer(lesson, truth):
    return lesson.answer.read(lesson.write_answer(tuple(truth) if lesson.kind == "sketch" else truth))


def wrong_answers(lesson, truth):
    """Every other option; the ends of an axis; curves that a person may well draw."""
    if lesson.kind == "choice":
        return [at for at in range(len(lesson.answer.options)) if at != truth]
    if lesson.kind == "slider":
        return [lesson.answer.low, lesson.answer.high]
    return [(0.0,) * SKETCH, (1.0,) * SKETCH, tuple(np.sin(X).round(2)), tuple((-np.array(truth)).round(2).clip(-6, 6))]


def written(lesson, answer):
    return lesson.write_answer(answer)


def test_the_folder_has_ten_cards_and_the_first_five_take_ten_minutes():
    found = shelf.shelf(FOLDER)
    assert found.broken == []
    assert len(SHIPPED) == 10
    assert sum(lesson.minutes for lesson in SHIPPED[:5]) == 10
    assert {lesson.kind for lesson in SHIPPED} == {"choice", "slider", "sketch"}
    assert {lesson.view for lesson in SHIPPED} == {"lab", "world", "train"}


@each
def test_what_a_lesson_claims_holds_today(lesson):
    settled = settle.settle(lesson)
    assert settled.failed == []
    assert lesson.claims
    used = {name for claim in lesson.claims for name in claim.names} | lesson.answer.names
    said = {name for text in texts(lesson) for name in re.findall(r"\{\{(\w+)", text)}
    worked_out = {name for number in lesson.numbers.values() for name in getattr(number, "names", ())}
    assert lesson.numbers.keys() == (used | said | worked_out) & lesson.numbers.keys(), "no number is measured in vain"


def texts(lesson):
    return [*lesson.sections.values(), lesson.right, *lesson.answer.texts, lesson.challenge.said]


@each
def test_no_measured_number_is_typed_by_hand(lesson):
    """Decimals in a text are limits of a challenge, the family's amplitudes, or a stretch of the range, never errors."""
    allowed = {"0.1", *re.findall(r"\d+\.\d+", lesson.challenge.goal.text)}
    for text in texts(lesson):
        cited = re.sub(r"section\s+\d\.\d", "", text)
        assert set(re.findall(r"(?<![\w.])\d+\.\d+", cited)) <= allowed


@each
def test_what_a_lesson_says_becomes_html(lesson):
    for text in texts(lesson):
        html = lesson.html(text)
        assert not re.search(r"\{\{|\}\}|\$|\\[a-z]", html), html
    assert lesson.right, "whoever is right hears so"


@each
def test_the_right_answer_is_right_and_others_are_not(lesson):
    settled = settle.settle(lesson)
    if lesson.view == "train":
        assert settled.truth is None
        return
    right = right_answer(lesson, settled.truth)
    assert lesson.answer.is_right(right, settled.truth)
    for answer in wrong_answers(lesson, settled.truth):
        assert not lesson.answer.is_right(answer, settled.truth)
        assert lesson.answer.said(answer, settled.truth)


@each
def test_a_slider_can_be_wrong_to_both_sides(lesson):
    if lesson.kind != "slider" or lesson.view == "train":
        return
    answer, truth = lesson.answer, settle.settle(lesson).truth
    at = (
        math.log(truth / answer.low) / math.log(answer.high / answer.low)
        if answer.log
        else (truth - answer.low) / (answer.high - answer.low)
    )
    assert 0.15 < at < 0.85
    middle = math.sqrt(answer.low * answer.high) if answer.log else (answer.low + answer.high) / 2
    assert not answer.is_right(middle, truth), "where the handle stands at first"
    assert answer.said(answer.low, truth) == answer.said_low
    assert answer.said(answer.high, truth) == answer.said_high


def test_each_option_is_what_it_says_when_it_is_so():
    """Exactly one option holds, whatever the error of the learner in question were."""
    lesson = shelf.find("few-points")
    known = settle.settle(lesson).values
    for error in np.geomspace(0.01, 20, 50):
        holding = [option.when.value(known | {"norm10": error}) for option in lesson.answer.options]
        assert sum(holding) == 1


def check(client, lesson, query, **more):
    return client.get("/lessons/check.json", params=dict(parse_qsl(query)) | {"card": lesson.card} | more).json()


@each
def test_a_challenge_is_not_done_at_first_and_can_be_done(lesson, client):
    if lesson.view == "train":
        return
    first = check(client, lesson, lesson.observe)
    assert (first["done"], first["said"]) == (False, "")
    assert [part["text"] for part in first["parts"] if not part["holds"]], "it says what is missing"
    done = check(client, lesson, lesson.challenge.solution)
    assert done["done"]
    assert done["said"].startswith("<p>")
    assert done["parts"] == []
    if lesson.view == "lab":  # walking through the steps on show is not enough
        state = lesson.lab
        for step in range(state.num_updates + 1):
            assert not check(client, lesson, urlencode(state.to_query() | {"step": str(step)}))["done"]


@each
def test_a_solution_can_be_reached_on_the_card(lesson):
    """By its controls, by placing shots, by new tasks; learners and what else there is stay as they are."""
    if lesson.view != "lab":
        return
    start, (solution, _) = lesson.lab, LabState.from_query(dict(parse_qsl(lesson.challenge.solution)))
    assert set(solution.learners) == set(start.learners)
    free = {*lesson.controls, "seed", "shots", "step"}
    if solution.shots is not None:
        free.add("K")
    changed = {name for name in start.__dataclass_fields__ if getattr(start, name) != getattr(solution, name)}
    same_task = solution.shots is not None
    assert changed - free <= ({"placement", "num_updates", "K"} if same_task else set())


ON_ONE_WAVE = {"the-mean-task": 1 / 20}
"""Cards whose challenge is about one wave, and how often a new task may reach it."""


@each
def test_no_challenge_is_won_by_luck(lesson):
    """New tasks reach none of them, or hardly ever, at any step and with any learner's own luck: goals are on 1,000 waves."""
    if lesson.view != "lab":
        return
    goal = lesson.challenge.goal
    if lesson.card not in ON_ONE_WAVE:
        assert not any(name.endswith((".query", ".support")) for name in goal.names)
        return
    met = [goal.value(settle.of_lab(replace(lesson.lab, seed=seed, num_updates=1), goal.names)) for seed in range(150)]
    assert sum(met) / len(met) < ON_ONE_WAVE[lesson.card]


@pytest.mark.parametrize("card", ["equally-wrong", "half-the-range"])
def test_a_challenge_on_shots_is_not_won_where_the_learners_are_equal(card):
    """Before the step, after hardly any of it, or with the points in one place."""
    lesson = shelf.find(card)
    known = lesson.values(lesson.challenge.goal.names & lesson.numbers.keys())
    state = LabState.from_query(dict(parse_qsl(lesson.challenge.solution)))[0]
    for shown in (state.place([(1, 1), (1.1, 1), (1.2, 1)]), replace(state, step=0), replace(state, alpha=0.0001)):
        assert not lesson.challenge.goal.value(known | settle.of_lab(shown, lesson.challenge.goal.names))


@pytest.mark.parametrize("edit", [{}, {"K": 3}, {"alpha": 0.02}, {"freeze": "body"}, {"noise": 1.0}, {"placement": "even"}])
def test_the_mean_of_a_goal_is_that_of_the_settings_on_show(edit):
    state = replace(LabState(seed=4, K=10, step=2, num_updates=3), **edit)
    shown = settle.of_lab(state, {"maml.mean"})
    same = engine.fresh("maml", state.K, state.alpha, 3, state.noise, state.placement, state.freeze)
    assert shown["maml.mean"] == same.mean[2]
    assert "pretrained.mean" not in shown, "what nobody asks for is not measured"


@pytest.mark.parametrize("card", ["equally-wrong", "half-the-range"])
def test_shots_that_reach_a_challenge_are_neither_rare_nor_common(card):
    """Some placed at random do, in a stretch as wide as allowed."""
    lesson = shelf.find(card)
    known = lesson.values(lesson.challenge.goal.names & lesson.numbers.keys())
    rng, state = np.random.default_rng(0), LabState.from_query(dict(parse_qsl(lesson.challenge.solution)))[0]
    count, width = {"equally-wrong": (3, 10.0), "half-the-range": (4, 2.5)}[card]
    reached = 0
    for _ in range(60):
        low = rng.uniform(-5, 5 - width)
        x = rng.uniform(low, low + width, count)
        shown = settle.of_lab(state.place(zip(x, state.task.curve(x), strict=True)), lesson.challenge.goal.names)
        reached += lesson.challenge.goal.value(known | shown)
    assert 2 <= reached <= 12


def test_dragging_the_tasks_together_is_no_way_round_a_challenge():
    """Learners end at one point where all optima are one: the challenge asks for that with the tasks left where they are."""
    lesson = shelf.find("what-it-looks-at")
    together = settle.of_world({"tasks": "0,0;0,0.01;0.01,0;0,0"})
    assert together["apart"] < 0.05
    assert together["dragged"] > 1
    assert not lesson.challenge.goal.value(together)
    assert settle.of_world({"alpha": "0"})["dragged"] == 0


# Routes


def test_the_cards_are_listed_in_order(client):
    listed = client.get("/lessons/cards.json").json()
    assert [card["card"] for card in listed["cards"]] == [lesson.card for lesson in SHIPPED]
    assert listed["broken"] == []
    assert listed["cards"][0] == {
        "card": "equally-wrong",
        "number": 1,
        "title": "Two networks, one step",
        "minutes": 2,
        "view": "lab",
        "answer": "choice",
        "challenge": True,
    }


@each
def test_a_card_tells_nothing_of_what_is_right(lesson, client):
    told = client.get("/lessons/card.json", params={"card": lesson.card})
    assert told.headers["cache-control"] == "no-store"
    card = told.json()
    assert card["card"] == lesson.card
    assert len(card["headings"]) == 4
    of_slider, of_sketch = {"label", "low", "high", "log", "unit"}, {"learner", "label", "step", "half", "x", "y", "points"}
    assert card["answer"].keys() <= {"kind", "options"} | of_slider | of_sketch
    hidden = [lesson.challenge.solution, lesson.challenge.goal.text] if lesson.challenge.solution else []
    hidden += [option.when.text for option in getattr(lesson.answer, "options", ())] + [claim.text for claim in lesson.claims]
    assert not any(json.dumps(secret)[1:-1] in told.text for secret in hidden)
    cards = [other.card for other in SHIPPED]
    at = cards.index(lesson.card)
    assert card["next"] == (cards[at + 1] if at + 1 < len(cards) else None)
    assert card["previous"] == (cards[at - 1] if at else None)


@each
def test_an_answer_is_settled(lesson, client):
    truth = settle.settle(lesson).truth
    if lesson.view == "train":
        settled = client.get("/lessons/answer.json", params={"card": lesson.card, "answer": "0.5"}).json()
        assert (settled["right"], settled["truth"]) == (None, None)
        return
    right = right_answer(lesson, truth)
    wrong = wrong_answers(lesson, truth)[0]
    for answer, is_right in ((right, True), (wrong, False)):
        asked = {"card": lesson.card, "answer": written(lesson, answer)}
        settled = client.get("/lessons/answer.json", params=asked).json()
        assert settled["right"] is is_right
        assert settled["truth"] == truth
        assert settled["failed"] == []
        assert all(settled[part].startswith("<p>") for part in ("said", "observe", "explain"))
        assert (settled["said"] == lesson.html(lesson.right)) == is_right


def test_the_truth_of_a_sketch_is_the_curve_in_the_lab():
    lesson = shelf.find("half-the-range")
    curve = engine.on_show(LabState(seed=59, K=5, placement="left"))[0].curves[1]
    np.testing.assert_allclose(settle.settle(lesson).truth, np.interp(X, engine.GRID, curve), atol=1e-3)


def test_only_the_half_that_is_asked_for_is_judged():
    lesson = shelf.find("half-the-range")
    truth = settle.settle(lesson).truth
    assert lesson.answer.is_right(tuple(y if x >= 0 else 0.0 for x, y in zip(X, truth, strict=True)), truth)
    assert not lesson.answer.is_right(tuple(y if x <= 0 else 0.0 for x, y in zip(X, truth, strict=True)), truth)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("card.json", "There is no card '' on this server"),
        ("card.json?card=../README", "There is no card '../README' on this server"),
        ("answer.json?card=equally-wrong", "An answer must be the number of an option, from 0 to 2"),
        ("answer.json?card=equally-wrong&answer=3", "An answer must be the number of an option, from 0 to 2"),
        ("answer.json?card=equally-wrong&answer=-1", "An answer must be the number of an option, from 0 to 2"),
        ("answer.json?card=the-cliff&answer=nan", "An answer must be a number from 0.01 to 1"),
        ("answer.json?card=the-mean-task&answer=1,2", "An answer must be 41 numbers from -6 to 6"),
        ("answer.json?card=the-mean-task&answer=" + ",".join(["7"] * 41), "An answer must be 41 numbers from -6 to 6"),
        ("answer.json?card=the-mean-task&answer=" + ",".join(["nan"] * 41), "An answer must be 41 numbers from -6 to 6"),
        ("check.json?card=equally-wrong&K=99", "K=99 in the address: it must be a whole number from 1 to 20"),
        ("check.json?card=what-it-looks-at&theta=9,9", "the world has 3 to 6 tasks"),
    ],
)
def test_what_cannot_be_asked_is_said_in_a_sentence(client, asked, says):
    answer = client.get(f"/lessons/{asked}")
    assert answer.status_code == 400
    assert answer.text.startswith(says)
    assert "\n" not in answer.text


def test_a_challenge_about_a_learner_that_is_not_on_show_is_not_done(client):
    lesson = shelf.find("equally-wrong")
    assert not check(client, lesson, f"{lesson.challenge.solution}&learners=pretrained")["done"]


def test_what_is_on_show_in_a_lab():
    state = LabState(seed=14, K=10, learners=("maml", "meta_sgd", "shipped:maml_best"), step=10).place([(1, 2), (-3, 0.5)])
    shown = settle.of_lab(state)
    assert (shown["shots"], shown["x_min"], shown["x_max"], shown["K"], shown["step"]) == (2, -3, 1, 10, 10)
    runs = engine.on_show(state)
    assert shown["maml.query"] == runs[0].query[10]
    assert shown["maml.support"] == runs[0].support[10]
    assert shown["own.query"] == runs[2].query[10]
    assert shown["meta_sgd.diverged"] == (not runs[1].query[10] <= DIVERGED_ABOVE)
    assert settle.of_lab(LabState(seed=14, K=10, learners=("meta_sgd",), step=10))["meta_sgd.diverged"] is True
    assert math.isnan(settle.of_lab(state.place([]))["x_min"])


def test_a_run_of_ones_own_keeps_a_promise_or_not(client, monkeypatch):
    lesson = shelf.find("your-own")
    own = {"mine": True, "state": "finished", "error": {"mean": 0.42}, "family": "sinusoid", "K": 10, "steps": 1}
    runs = [
        own,
        own | {"mine": False, "error": {"mean": 0.1}},
        own | {"state": "running", "error": {"mean": 0.1}},
        own | {"family": "sinusoid_2pi", "error": {"mean": 0.3}},
        own | {"K": 20, "error": {"mean": 0.2}},
        own | {"error": None},
    ]
    monkeypatch.setattr(watching, "list_for", lambda token: {"runs": runs if token == "me" else []})
    client.cookies.set(visitors.COOKIE, "me")
    assert check(client, lesson, "", answer="0.45")["done"]
    assert not check(client, lesson, "", answer="0.4")["done"]
    assert not check(client, lesson, "")["done"]
    client.cookies.set(visitors.COOKIE, "somebody else")
    assert not check(client, lesson, "", answer="0.45")["done"]


def test_a_truth_without_a_place_on_the_axis_is_said():
    slider = Slider("error", 0.1, 3.0, expressions.read("x", {"x": float}, float), 1.5, "", "", log=True)
    assert slider.truth({"x": 0.5}, None) == 0.5
    for nowhere in (0.0, -1.0, math.inf):
        with pytest.raises(ValueError, match="has no place on this axis"):
            slider.truth({"x": nowhere}, None)


# Tallies


def test_answers_of_a_class_are_counted():
    choice, slider, sketch = (shelf.find(card) for card in ("equally-wrong", "the-cliff", "the-mean-task"))
    assert choice.tally([0, 1, 1]) == {"kind": "choice", "counts": [1, 2, 0]}
    assert slider.tally([0.5, 0.02]) == {"kind": "slider", "values": [0.02, 0.5]}
    curves = [(float(n % 5),) * SKETCH for n in range(70)]
    assert sketch.tally(curves) == {"kind": "sketch", "sketches": [list(curve) for curve in curves[:MOST_SKETCHES]]}
    assert all(lesson.tally([]) for lesson in (choice, slider, sketch))


@each
def test_an_answer_survives_being_written(lesson):
    some = {
        "choice": ["0", "1"],
        "slider": ["0.31234567", "0.9"],
        "sketch": [",".join(f"{np.sin(x):.6f}" for x in X), ",".join(["-6"] * SKETCH)],
    }[lesson.kind]
    for text in some:
        answer = lesson.read_answer(text)
        assert lesson.read_answer(lesson.write_answer(answer)) == answer
        json.dumps(lesson.tally([answer]), allow_nan=False)


# Folders


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in ("01-equally-wrong.md", "05-the-cliff.md", "README.md"):
        shutil.copy(FOLDER / name, tmp_path)
    monkeypatch.setenv("MAML_LAB_LESSONS", str(tmp_path))
    return tmp_path


def test_a_broken_file_is_named_with_its_line_and_the_others_go_on(folder, client):
    (folder / "02-broken.md").write_text("+++\ntitle = \n+++\n")
    (folder / "06-the-cliff.md").write_text((folder / "05-the-cliff.md").read_text(encoding="utf-8"), encoding="utf-8")
    listed = client.get("/lessons/cards.json").json()
    assert [card["card"] for card in listed["cards"]] == ["equally-wrong", "the-cliff"]
    assert [(wrong["file"], wrong["line"]) for wrong in listed["broken"]] == [("02-broken.md", 2), ("06-the-cliff.md", 1)]
    assert "05-the-cliff.md already has the card the-cliff" in listed["broken"][1]["message"]
    answer = client.get("/lessons/card.json?card=broken")
    assert (answer.status_code, answer.text.partition(":")[0]) == (400, "02-broken.md, line 2")
    with pytest.raises(LessonError, match=r"02-broken\.md, line 2"):
        shelf.find("broken")


def test_a_file_is_read_again_when_it_has_changed(folder, client):
    path = folder / "05-the-cliff.md"
    path.write_text(path.read_text(encoding="utf-8").replace('title = "The cliff"', 'title = "Die Klippe"'), encoding="utf-8")
    assert client.get("/lessons/card.json?card=the-cliff").json()["title"] == "Die Klippe"
    path.unlink()
    assert client.get("/lessons/card.json?card=the-cliff").status_code == 400


def test_a_folder_that_is_not_there_is_said(tmp_path, client, monkeypatch):
    monkeypatch.setenv("MAML_LAB_LESSONS", str(tmp_path / "none"))
    listed = client.get("/lessons/cards.json").json()
    assert listed["cards"] == []
    assert listed["broken"][0]["message"] == "lessons cannot be read here: there is no such folder"


def test_a_fact_that_stopped_holding_is_said_on_the_card_and_by_the_command(folder, client, capsys):
    path = folder / "05-the-cliff.md"
    path.write_text(path.read_text(encoding="utf-8").replace('"own == 0.01"', '"own == 0.02"'), encoding="utf-8")
    settled = client.get("/lessons/answer.json?card=the-cliff&answer=0.5").json()
    assert settled["failed"] == ["own == 0.02"]
    assert check_lessons([str(folder)]) == 1
    assert "05-the-cliff.md: does not hold: own == 0.02" in capsys.readouterr().out


def test_the_command_says_what_holds_and_what_is_broken(folder, capsys):
    assert check_lessons([str(folder)]) == 0
    assert capsys.readouterr().out.splitlines() == ["01-equally-wrong.md: holds", "05-the-cliff.md: holds"]
    (folder / "02-broken.md").write_bytes(b"\xff")
    assert check_lessons([str(folder)]) == 2
    assert capsys.readouterr().out.splitlines()[0] == "02-broken.md, line 1: the file is not UTF-8 text"
    assert check_lessons([str(folder / "none")]) == 2


def test_a_question_that_is_read_is_measured_ahead_once(folder, client, monkeypatch):
    started, go = [], threading.Event()

    def slowly(lesson):
        started.append(lesson.card)
        return go.wait(10)

    monkeypatch.setattr(settle, "settle", slowly)
    for _ in range(3):
        client.get("/lessons/card.json?card=the-cliff")
    go.set()
    monkeypatch.setattr(settle, "answer", lambda lesson, given, truth: truth)
    assert client.get("/lessons/answer.json?card=the-cliff&answer=0.05").json() is True
    assert started == ["the-cliff"]
