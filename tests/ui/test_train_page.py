"""Training from the app without a browser: who may, what the routes answer, what a press does, how long it says it takes."""

import asyncio
import base64
import dataclasses
import json
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import numpy as np
import pytest
import torch
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from maml_core import runs
from maml_core.config import DEFAULTS, TrainConfig
from maml_core.errors import RunError
from maml_core.runs import estimating, worker
from maml_core.training import meta_train
from ui.checkpoints.recipe import CONFIG_LABELS
from ui.lab import engine
from ui.lab.state import LabState
from ui.shared import learners, visitors
from ui.train import routes, steering, watching

FRAME = str(Path(__file__).parents[2] / "ui" / "frame.py")
TINY = TrainConfig(K=4, batch_size=4, hidden=(8, 8), max_steps=200)
MINE, OTHERS = "a long word", "another one"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder of runs with one finished run in it: (root, its name)."""
    root = tmp_path_factory.mktemp("trained")
    runs.create(root / "tiny", TINY, "traced", about={"title": "first", "owner": visitors.owner(MINE)})
    worker.train_run(root / "tiny", test_sample=20)
    return root, "tiny"


@pytest.fixture
def root(tmp_path, monkeypatch):
    """An empty folder of runs, and nothing remembered of another."""
    monkeypatch.setenv("MAML_LAB_RUNS", str(tmp_path))
    monkeypatch.setattr(watching, "_last_look", (-1.0, None))
    monkeypatch.setattr(watching, "_rows", {})
    return tmp_path


@pytest.fixture
def run(trained, monkeypatch):
    folder, name = trained
    monkeypatch.setenv("MAML_LAB_RUNS", str(folder))
    monkeypatch.setattr(watching, "_last_look", (-1.0, None))
    monkeypatch.setattr(watching, "_rows", {})
    return name


def client(token=None, host="127.0.0.1"):
    cookies = {visitors.COOKIE: token} if token else None
    return TestClient(Starlette(routes=routes.routes()), cookies=cookies, client=(host, 1234))


def press(token=MINE, local=False):
    return steering.press(TINY, token, "x", local=local)


def act(client, **asked):
    return client.post("/train/act", json=asked)


# Who may


def test_training_is_for_everyone_unless_it_is_said_otherwise(monkeypatch):
    monkeypatch.delenv("MAML_LAB_TRAINING", raising=False)
    assert steering.refusal(local=False) == ""
    monkeypatch.setenv("MAML_LAB_TRAINING", "teacher")
    assert steering.refusal(local=True) == ""
    assert "only the teacher" in steering.refusal(local=False)
    monkeypatch.setenv("MAML_LAB_TRAINING", "off")
    assert "switched off" in steering.refusal(local=True)
    monkeypatch.setenv("MAML_LAB_TRAINING", "of")
    assert "must be one of everyone, teacher, off" in steering.refusal(local=True), "a slip must not open what was to be shut"


@pytest.mark.parametrize(
    ("host", "headers", "local"),
    [("127.0.0.1", {}, True), ("192.168.0.7", {}, False), ("127.0.0.1", {"X-Forwarded-For": "192.168.0.7"}, False)],
)
def test_the_teacher_is_who_sits_at_the_server(root, monkeypatch, host, headers, local):
    monkeypatch.setenv("MAML_LAB_TRAINING", "teacher")
    name = press(local=True)
    runs.ask(root / name, "pause")
    answer = client(MINE, host).post("/train/act", json={"run": name, "do": "resume"}, headers=headers)
    assert answer.status_code == (200 if local else 400)
    assert runs.look(root / name).state == ("queued" if local else "paused")


def test_only_the_browser_that_started_a_run_steers_it(root):
    name = press()
    for other in (client(token, "192.168.0.7") for token in (OTHERS, None, visitors.owner(MINE))):
        for do in ("pause", "stop", "resume", "delete", "rename"):
            answer = act(other, run=name, do=do, value={"title": "x", "note": ""})
            assert (answer.status_code, answer.text) == (400, "Only the browser that started a run can control it")
        assert not other.get("/train/runs.json").json()["runs"][0]["mine"]
    assert client(MINE).get("/train/runs.json").json()["runs"][0]["mine"]
    assert MINE not in "".join(path.read_text() for path in (root / name).glob("*.json")), "runs keep a digest alone"
    assert visitors.owner(MINE) not in client(OTHERS).get("/train/runs.json").text


def test_a_form_on_another_site_steers_nothing(root):
    name = press()
    answer = client(MINE).post(
        "/train/act", content=json.dumps({"run": name, "do": "stop"}), headers={"Content-Type": "text/plain"}
    )
    assert answer.status_code == 415
    assert runs.look(root / name).state == "queued"
    assert "SameSite=Lax" in visitors.new_cookie(), "a link from elsewhere must not make its follower a stranger"
    assert "HttpOnly" in visitors.new_cookie()


# Pressing


def test_a_press_queues_a_run_and_a_person_has_so_many(root, monkeypatch):
    monkeypatch.setenv("MAML_LAB_MAX_RUNS_PER_PERSON", "2")
    first, second = (press() for _ in range(2))
    assert first != second
    with pytest.raises(RunError, match="one person can have 2 runs"):
        press()
    assert {path.name for path in root.iterdir() if path.is_dir()} == {first, second}, "what was refused leaves nothing behind"
    other = press(OTHERS)
    places = {row["name"]: row["position"] for row in client().get("/train/runs.json").json()["runs"]}
    assert places == {first: 1, second: 2, other: 3}


def test_a_folder_that_cannot_be_written_is_said_in_words(root, monkeypatch):
    (root / "file").write_text("")
    monkeypatch.setenv("MAML_LAB_RUNS", str(root / "file"))
    with pytest.raises(RunError, match="Runs cannot be saved in"):
        press()


def test_presets_are_the_recipes_of_shipped_checkpoints():
    presets = steering.presets()
    assert presets["MAML-tf's recipe"] == TrainConfig()
    assert presets["Meta-SGD"].algorithm == "meta_sgd"
    assert presets["Best MAML"].multi_step
    assert all(config.command.startswith("python -m maml_core train") for config in presets.values())


# Steering


def test_steering_from_queued_to_deleted(root):
    name, mine = press(), client(MINE)
    for do, state in (("pause", "paused"), ("resume", "queued"), ("stop", "stopped")):
        assert act(mine, run=name, do=do).status_code == 200
        assert mine.get("/train/runs.json").json()["runs"][0]["state"] == state
    assert act(mine, run=name, do="rename", value={"title": "A *name*", "note": "why"}).status_code == 200
    row = mine.get("/train/runs.json").json()["runs"][0]
    assert (row["title"], row["note"]) == ("A *name*", "why")
    assert act(mine, run=name, do="delete").status_code == 200
    assert mine.get("/train/runs.json").json()["runs"] == []
    assert not (root / name).exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_run_of_a_machine_with_a_gpu_is_resumed_with_what_there_is_here(root, trained):
    mine, name = client(MINE), press()
    runs.ask(root / name, "pause")
    stored = json.loads((root / name / "config.json").read_text())
    stored["settings"] |= {"device": "cuda", "path": "compiled"}
    (root / name / "config.json").write_text(json.dumps(stored))
    (row,) = mine.get("/train/runs.json").json()["runs"]
    assert (row["state"], row["elsewhere"]) == ("paused", True)
    assert act(mine, run=name, do="resume").status_code == 200
    assert worker.main(root / name) == 1
    steering._changed()
    (row,) = mine.get("/train/runs.json").json()["runs"]
    assert (row["state"], row["elsewhere"]) == ("failed", True)
    assert "sees no CUDA GPU" in row["message"]
    assert act(mine, run=name, do="resume", value="here").status_code == 200
    assert worker.main(root / name) == 0
    steering._changed()
    (row,) = mine.get("/train/runs.json").json()["runs"]
    assert (row["state"], row["elsewhere"]) == ("finished", False)


@pytest.mark.parametrize(
    "asked",
    [
        {"run": "nothing", "do": "stop"},
        {"run": "../elsewhere", "do": "delete"},
        {"run": ".uploads", "do": "delete"},
        {"run": "", "do": "delete"},
        {"do": "stop"},
        {"run": "NAME"},
        {"run": "NAME", "do": "explode"},
        {"run": "NAME", "do": "rename", "value": {"title": 3}},
        {"run": "NAME", "do": "rename", "value": {"title": "x" * 61, "note": ""}},
        {"run": ["NAME"], "do": {"stop": 1}},
        ["stop"],
    ],
)
def test_a_question_that_makes_no_sense_gets_a_sentence(root, asked):
    name = press()
    answer = client(MINE).post(
        "/train/act", content=json.dumps(asked).replace("NAME", name), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400
    assert 10 < len(answer.text) < 200
    assert "Traceback" not in answer.text
    assert runs.look(root / name).state == "queued"


# Watching


def test_the_list_says_what_there_is_to_know(run):
    (row,) = client(MINE).get("/train/runs.json").json()["runs"]
    assert (row["name"], row["title"], row["state"], row["iteration"], row["mine"]) == (run, "first", "finished", 200, True)
    assert row["recipe"] == "MAML, 4 shots, 1 inner step, α 0.01, hidden layers of 8, 8"
    last = runs.merged(runs.read_metrics(learners.run_folder(run))[0])[-1]["validation"][-1]
    assert row["error"] == {"iteration": 200, "mean": last["mean"], "ci95": last["ci95"]}


def test_metrics_are_read_on_from_where_one_was(run):
    watcher = client()
    everything = watcher.get("/train/run.json", params={"run": run}).json()
    assert [line["iteration"] for line in everything["metrics"]] == [0, 100, 200]
    assert everything["snapshots"] == [0, 100, 200]
    assert [mark["label"] for mark in everything["marks"]] == ["pretrained"]
    again = watcher.get("/train/run.json", params={"run": run, "since": everything["offset"]}).json()
    assert again == everything | {"metrics": []}
    for bad in ("-1", "x", "1e9", "9" * 30):
        assert watcher.get("/train/run.json", params={"run": run, "since": bad}).status_code == 400


def floats(text, *shape):
    return np.frombuffer(base64.b64decode(text), "<f4").reshape(shape)


def test_the_task_through_training_is_what_the_lab_computes_for_each_snapshot(run):
    answer = client().get("/train/task.json", params={"run": run, "seed": 7}).json()
    assert answer["iterations"] == [0, 100, 200]
    assert len(answer["shots"]) == TINY.K
    curves = floats(answer["curves"], 3, 2, len(engine.GRID))
    for i, at in enumerate(answer["iterations"]):
        (expected,) = engine.on_show(LabState(seed=7, K=TINY.K, num_updates=1, learners=(f"run:{run}@{at}",)))
        np.testing.assert_allclose(curves[i], expected.curves[[0, -1]], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(floats(answer["query"], 3, 2)[i], expected.query[[0, -1]], rtol=1e-4)
    assert not np.allclose(curves[0], curves[-1])


def test_without_a_run_the_task_is_that_of_an_untrained_network(root):
    answer = client().get("/train/task.json", params={"shots": "0,1;2,-1"}).json()
    assert (answer["role"], answer["iterations"], answer["shots"]) == ("random", [0], [[0.0, 1.0], [2.0, -1.0]])
    assert client().get("/train/task.json", params={"shots": "0"}).status_code == 400
    assert client().get("/train/task.json", params={"run": "no such"}).status_code == 400


def test_a_run_without_a_snapshot_yet_has_an_empty_task(root):
    name = press()
    answer = client().get("/train/task.json", params={"run": name}).json()
    assert (answer["iterations"], answer["curves"], answer["query"]) == ([], "", "")


@pytest.mark.parametrize(
    ("file", "content", "shown"),
    [
        ("config.json", "{", False),
        ("config.json", "[" * 100_000, False),
        ("status.json", '{"state": "running", "iteration": 1e999}', True),
        ("status.json", '{"state": "failed", "iteration": 3, "message": "\\ud800"}', True),
        ("status.json", '{"state": "queued", "iteration": 0, "ticket": 9007199254740991}', True),
        ("about.json", '{"title": "\\ud800"}', True),
        ("about.json", '{"owner": 7}', True),
        (
            "metrics.jsonl",
            '{"iteration": 0, "validation": [{"step": 0, "mean": 1e999, "ci95": 0, "median": 0, "diverged": 0}]}\n',
            True,
        ),
    ],
)
def test_damage_in_one_run_hides_no_other_and_stops_nobody(root, file, content, shown):
    good, bad = press(), press(OTHERS)
    (root / bad / file).write_text(content)
    answer = client().get("/train/runs.json")
    assert answer.status_code == 200
    names = {row["name"] for row in answer.json()["runs"]}
    assert names == ({good, bad} if shown else {good})
    assert (bad in answer.json()["damaged"]) != shown
    assert press() in {row["name"] for row in client().get("/train/runs.json").json()["runs"]}


def test_a_folder_with_an_odd_name_is_no_run(root):
    good = press()
    (root / "od\udcffd").mkdir()
    (root / "od\udcffd" / "config.json").write_text("{")
    assert [row["name"] for row in client().get("/train/runs.json").json()["runs"]] == [good]


def test_thirty_watchers_are_one_look(root, monkeypatch):
    press()
    looks, found, together = [], runs.look, threading.Barrier(30)

    def slow(folder):
        looks.append(folder)
        time.sleep(0.2)
        return found(folder)

    monkeypatch.setattr(runs, "look", slow)
    monkeypatch.setattr(watching, "FRESH", 60)

    def watch():
        together.wait()
        watching.list_for(MINE)

    watchers = [threading.Thread(target=watch) for _ in range(30)]
    for watcher in watchers:
        watcher.start()
    for watcher in watchers:
        watcher.join()
    assert len(looks) == 1


def test_runs_that_are_over_are_read_once_and_listed_up_to_a_number(root, trained, monkeypatch):
    names = [f"old-{i:03}" for i in range(watching.LISTED + 10)]
    for name in names:
        shutil.copytree(trained[0] / trained[1], root / name)
    mine = press()
    assert len(watching.list_for(OTHERS, [])["runs"]) == watching.LISTED
    watching.look_again()
    monkeypatch.setattr(runs, "look", lambda folder: pytest.fail(f"{folder} was read again"))
    answer = watching.list_for(OTHERS, ["old-039", "old-000"])
    listed = {row["name"] for row in answer["runs"]}
    assert listed >= {mine, "old-039", "old-000"}
    assert answer["older"] == len(names) + 1 - len(listed)
    assert len(watching.list_for(MINE)["runs"]) == len(names) + 1, "one's own are all listed"


def test_a_question_is_not_longer_than_it_needs_to_be(root):
    press()
    headers = {"Content-Type": "application/json"}
    assert client(MINE).post("/train/act", content=b" " * 100_000, headers=headers).status_code == 413
    assert client(MINE).post("/train/act", content=b"[" * 4000, headers=headers).status_code == 400


@pytest.mark.clock
def test_a_slow_answer_to_one_keeps_nobody_waiting(root, monkeypatch):
    name = press()
    monkeypatch.setattr(steering, "act", lambda *asked, **more: time.sleep(1.5))

    async def both():  # on one event loop, as on a server
        server = httpx2.ASGITransport(Starlette(routes=routes.routes()))
        async with httpx2.AsyncClient(transport=server, base_url="http://127.0.0.1", cookies={visitors.COOKIE: MINE}) as mine:
            await mine.get("/train/runs.json")  # the first one finds out how quick this machine is
            slow = asyncio.create_task(mine.post("/train/act", json={"run": name, "do": "stop"}))
            await asyncio.sleep(0.2)
            began = time.perf_counter()
            assert (await mine.get("/train/runs.json")).status_code == 200
            assert time.perf_counter() - began < 1
            assert (await slow).status_code == 200

    with ThreadPoolExecutor(1) as pool:  # the browser tests keep a loop in this thread
        pool.submit(asyncio.run, both()).result()


def test_names_are_made_legible(root):
    name, mine = press(), client(MINE)
    act(mine, run=name, do="rename", value={"title": " a\u202e\n b\x00 ", "note": "\u200b"})
    row = mine.get("/train/runs.json").json()["runs"][0]
    assert (row["title"], row["note"]) == ("a b", "")
    act(mine, run=name, do="rename", value={"title": "علی\u200cرضا", "note": "👩\u200d🚀"})
    row = mine.get("/train/runs.json").json()["runs"][0]
    assert (row["title"], row["note"]) == ("علی\u200cرضا", "👩\u200d🚀")
    act(mine, run=name, do="rename", value={"title": "   ", "note": ""})
    assert mine.get("/train/runs.json").json()["runs"][0]["title"] == name


def test_what_is_to_be_beaten_is_measured_or_published():
    marks = watching.marks(TrainConfig())
    baseline = learners.get("pretrained").results["10"]["1"]["mean"]
    assert marks == [
        {"role": "pretrained", "label": "pretrained", "value": baseline, "about": "α = 0.02, over 10,000 tasks"},
        {"role": "true", "label": "MAML-tf", "value": 0.4506, "about": "as published"},
    ]
    (alone,) = watching.marks(TrainConfig(K=7, num_updates=2))
    assert alone["label"] == "pretrained"
    assert 1 < alone["value"] < 3
    assert alone["about"] == "α = 0.02, over 1,000 tasks"
    assert watching.marks(TrainConfig(family="sinusoid_2pi")) == []
    assert watching.marks(TrainConfig(algorithm="pretrained")) == []


# How long


@pytest.mark.clock
def test_the_estimate_is_of_the_order_of_the_truth():
    config = TrainConfig(K=4, batch_size=4, hidden=(8, 8), max_steps=2000)
    began = time.perf_counter()
    for _ in meta_train(config, path="traced"):
        pass
    took = time.perf_counter() - began
    known = estimating.seconds(config) - estimating.STARTING - estimating.MEASURING
    assert took / 6 < known < 6 * took


def test_a_run_of_the_same_program_tells_the_rate(trained):
    (run,) = runs.list_runs(trained[0])[0]
    known = estimating.rates([run])
    longer = TrainConfig(K=4, batch_size=4, hidden=(8, 8), max_steps=9000, seed=3, beta=0.1)
    expected = estimating.STARTING + 9000 / run.rate + estimating.MEASURING
    assert estimating.seconds(longer, known=known) == pytest.approx(expected)
    assert estimating.seconds(longer, known=known, test_sample=40_000) == pytest.approx(expected + 3 * estimating.MEASURING)
    assert estimating.seconds(longer, 4500, known) == pytest.approx(expected - 4500 / run.rate)


@pytest.mark.parametrize(
    "settings",
    [
        {"K": 200, "batch_size": 500, "num_updates": 5, "hidden": (200, 200)},
        {"hidden": (1024, 1024), "K": 1000, "num_updates": 2},
        {"algorithm": "pretrained", "hidden": (1,), "K": 10, "batch_size": 10_000},
        {"algorithm": "meta_sgd", "hidden": (1024, 1024), "batch_size": 1},
        {"num_updates": 50},
    ],
)
def test_an_estimate_takes_no_time_itself_and_heavy_recipes_take_longer(settings):
    usual, began = estimating.seconds(TrainConfig(max_steps=9000)), time.process_time()
    assert estimating.seconds(TrainConfig(max_steps=9000, **settings)) > usual
    assert time.process_time() - began < 8


# The page


def page():
    app = AppTest.from_file(FRAME, default_timeout=60).run()
    app.switch_page(str(Path(FRAME).parents[1] / "pages" / "train.py"))
    return app.run()


def field(app, name):
    fields = [*app.number_input, *app.selectbox, *app.text_input, *app.toggle]
    return next(w for w in fields if w.key == f"train_{name}")


def test_every_setting_has_its_range_and_meaning_and_reaches_the_run(root):
    app = page()
    assert not app.exception
    field(app, "K").set_value(4).run()
    field(app, "hidden").set_value("8, 8").run()
    field(app, "algorithm").set_value("fomaml").run()
    field(app, "num_updates").set_value(2).run()
    field(app, "multi_step").set_value(True).run()
    next(b for b in app.button if b.key == "train_press").click().run()
    assert not app.exception
    (run,) = runs.list_runs(root)[0]
    assert (run.config.K, run.config.hidden, run.config.algorithm, run.config.multi_step) == (4, (8, 8), "fomaml", True)
    assert run.state == "queued"
    for name in [*CONFIG_LABELS, "device"]:
        assert field(app, name).help
    assert {f.name for f in dataclasses.fields(TrainConfig)} - CONFIG_LABELS.keys() == {"model_type", "loss_type", "way"}


def test_a_preset_fills_the_form_and_a_change_leaves_it(root):
    app = page()
    pills = next(w for w in app.get("button_group") if w.key == "train_preset")
    assert pills.value == "Quick demo"
    pills.set_value("Best MAML").run()
    assert field(app, "max_steps").value == steering.presets()["Best MAML"].max_steps
    field(app, "max_steps").set_value(123).run()
    assert next(w for w in app.get("button_group") if w.key == "train_preset").value is None
    assert any("on this machine" in caption.value for caption in app.caption)


def test_a_setting_without_effect_is_neither_offered_nor_sent_and_comes_back(root):
    app = page()
    field(app, "K").set_value(4).run()
    field(app, "num_updates").set_value(3).run()
    field(app, "multi_step").set_value(True).run()
    field(app, "alpha").set_value(0.02).run()
    for algorithm, idle in (("reptile", {"multi_step"}), ("pretrained", {"num_updates", "multi_step", "alpha"})):
        field(app, "algorithm").set_value(algorithm).run()
        assert [name for name in CONFIG_LABELS if field(app, name).disabled] == sorted(idle, key=[*CONFIG_LABELS].index)
        for name in idle:
            assert field(app, name).value == DEFAULTS[name]
            assert "It has no effect now" in field(app, name).help
        next(b for b in app.button if b.key == "train_press").click().run()
        assert not app.exception
        config = runs.list_runs(root)[0][0].config
        assert config == TrainConfig.from_dict(config.to_dict() | {"algorithm": algorithm})
        assert all(getattr(config, name) == DEFAULTS[name] for name in idle)
    field(app, "algorithm").set_value("maml").run()
    assert (field(app, "num_updates").value, field(app, "multi_step").value, field(app, "alpha").value) == (3, True, 0.02)
    field(app, "num_updates").set_value(1).run()
    assert field(app, "multi_step").disabled


def test_settings_that_do_not_go_together_say_so_at_once(root):
    app = page()
    field(app, "K").set_value(1).run()
    field(app, "norm").set_value("batch_norm").run()
    assert "batch" in app.error[0].value
    assert next(b for b in app.button if b.key == "train_press").disabled
    field(app, "K").set_value(2).run()
    assert not app.error


def test_where_training_is_off_the_page_says_so(root, monkeypatch):
    monkeypatch.setenv("MAML_LAB_TRAINING", "off")
    app = page()
    assert "switched off" in app.error[0].value
    assert next(b for b in app.button if b.key == "train_press").disabled


def test_settings_outlive_a_look_at_another_page(root):
    app = page()
    field(app, "K").set_value(6).run()
    app.switch_page(str(Path(FRAME).parents[1] / "pages" / "lab.py")).run()
    app.switch_page(str(Path(FRAME).parents[1] / "pages" / "train.py")).run()
    assert field(app, "K").value == 6
