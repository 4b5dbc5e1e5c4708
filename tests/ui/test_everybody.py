"""One visitor cannot take training away from a class: how many runs, how long, what they hold, and who ends everybody's."""

import json
import os
import shutil
from collections import Counter
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from maml_core import PRETRAINED, runs
from maml_core.config import TrainConfig
from maml_core.errors import RunError
from maml_core.runs import Status
from ui.shared import learners, viewer, visitors
from ui.train import keeping, routes, steering, watching

FRAME = str(Path(__file__).parents[2] / "ui" / "frame.py")
TINY = TrainConfig(K=4, batch_size=4, hidden=(8, 8), max_steps=200)
FOR_DAYS = TrainConfig(max_steps=10_000_000, num_updates=10, batch_size=1000)


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    """An empty folder of runs, and nothing remembered of another."""
    monkeypatch.setenv("MAML_LAB_RUNS", str(tmp_path))
    monkeypatch.setattr(watching, "_last_look", (-1.0, None))
    monkeypatch.setattr(watching, "_rows", {})
    return tmp_path


def client(token="me", host="192.168.0.7"):
    return TestClient(Starlette(routes=routes.routes()), cookies={visitors.COOKIE: token}, client=(host, 1234))


def press(token, network="school", local=False, config=TINY):
    return steering.press(config, token, "x", local=local, network=network)


def becomes(name, state, size=0, time=0.0):
    """The run is in another state, since then, and holds so many megabytes."""
    folder = learners.run_folder(name)
    with runs.held(folder):
        runs.write_status(folder, Status(state))
    stored = json.loads((folder / "status.json").read_text()) | {"time": time}
    (folder / "status.json").write_text(json.dumps(stored))
    with (folder / "checkpoints" / "step-000000.safetensors").open("wb") as file:
        file.truncate(size * 2**20)
    watching.look_again()


def states():
    watching.look_again()
    return {run.name: run.state for run in watching.seen().known}


# How many


def test_fresh_cookies_do_not_fill_the_line(root, monkeypatch):
    monkeypatch.setenv("MAML_LAB_MAX_RUNS_PER_ADDRESS", "4")
    monkeypatch.setenv("MAML_LAB_MAX_RUNS_IN_ALL", "6")
    refused = []
    for cookie in range(12):
        try:
            press(f"cookie {cookie}")
        except RunError as error:
            refused.append(str(error))
    assert len(refused) == 8
    assert "4 runs can be in training or waiting from one address; wait until one has ended" in refused[0]
    assert len([path for path in root.iterdir() if path.is_dir()]) == 4, "what was refused leaves nothing behind"
    for cookie in ("a", "b"):
        press(cookie, "home")
    with pytest.raises(RunError, match="6 runs can be in training or waiting on this server"):
        press("c", "another")
    for _ in range(5):
        press("teacher", local=True)
    assert Counter(states().values()) == {"queued": 11}


def test_a_class_behind_one_address_has_room():
    for student in range(40):
        press(f"student {student}")


# How long


def test_a_run_that_takes_days_is_for_who_sits_at_the_server(root):
    with pytest.raises(RunError, match=r"would take about .*, and at most 30 min are allowed on this server: lower iterations"):
        press("me", config=FOR_DAYS)
    assert not [path for path in root.iterdir() if path.is_dir()]
    name = press("teacher", local=True, config=FOR_DAYS)
    runs.ask(root / name, "pause")
    teacher = client("teacher")
    answer = teacher.post("/train/act", json={"run": name, "do": "resume"})
    assert (answer.status_code, "at most 30 min" in answer.text) == (400, True)


def test_what_is_left_of_a_run_counts_and_the_limit_can_be_set(monkeypatch):
    assert steering.too_long(FOR_DAYS, local=False)
    assert not steering.too_long(FOR_DAYS, local=False, done=9_999_000)
    monkeypatch.setenv("MAML_LAB_MAX_RUN_MINUTES", "1000000")
    assert not steering.too_long(FOR_DAYS, local=False)


def test_a_network_that_takes_long_to_measure_is_a_long_run():
    assert steering.too_long(TrainConfig(hidden=(1024, 1024), max_steps=1), local=False)
    assert not any(steering.too_long(config, local=False) for config in steering.presets().values())


@pytest.mark.parametrize("local", [False, True])
def test_the_form_says_before_the_press_that_a_run_takes_too_long(monkeypatch, local):
    monkeypatch.setattr(viewer, "is_local", lambda: local)
    monkeypatch.setenv("MAML_LAB_MAX_RUN_MINUTES", "2")
    app = AppTest.from_file(FRAME, default_timeout=60).run()
    app.switch_page(str(Path(FRAME).parents[1] / "pages" / "train.py")).run()
    next(field for field in app.number_input if field.key == "train_max_steps").set_value(10_000_000).run()
    assert not app.exception
    assert ["at most 2 min" in error.value for error in app.error] == ([] if local else [True])
    assert next(button for button in app.button if button.key == "train_press").disabled != local


# Who sits at the server


def test_who_sits_at_the_server_ends_everybodys(root):
    names = [press(f"student {i}") for i in range(4)]
    becomes(names[0], "paused", size=3)
    upload = learners.add((PRETRAINED / "maml.safetensors").read_bytes(), "mine.safetensors", visitors.owner("student 1"))
    student, teacher = client("student 1"), client("teacher", "127.0.0.1")

    for asked in ({"do": "stop all"}, {"do": "clear"}, {"run": names[2], "do": "stop"}, {"run": upload, "do": "delete"}):
        answer = student.post("/train/act", json={"run": "", **asked})
        assert (answer.status_code, answer.text[:4].lower()) == (400, "only")
    assert student.get("/train/everybody.json").status_code == 403
    assert not student.get("/train/runs.json").json()["here"]
    assert [row["may"] for row in student.get("/train/runs.json").json()["runs"]].count(True) == 1

    assert teacher.get("/train/runs.json").json()["here"]
    assert all(row["may"] and not row["mine"] for row in teacher.get("/train/runs.json").json()["runs"])
    found = teacher.get("/train/everybody.json").json()
    assert {row["name"]: row["state"] for row in found["runs"]} == states()
    assert next(row["size"] for row in found["runs"] if row["name"] == names[0]) >= 3 * 2**20
    assert (found["held"], found["room"]) == (sum(row["size"] for row in found["runs"]), 2000 * 2**20)
    assert [row["name"] for row in found["uploads"]] == [upload]

    def does(do, run=""):
        assert teacher.post("/train/act", json={"run": run, "do": do}).status_code == 200

    does("stop", names[1])
    assert states() == {names[0]: "paused", names[1]: "stopped", names[2]: "queued", names[3]: "queued"}
    with runs.held(root / names[2]):
        runs.write_status(root / names[2], Status("running"))
        watching.look_again()
        does("clear")
        assert states()[names[2]] == "running"
        does("stop all")
        assert runs.read_request(root / names[2]) == "stop"
    assert states() == {names[0]: "paused", names[1]: "stopped", names[2]: "interrupted", names[3]: "stopped"}
    (root / names[3] / "config.json").write_text("{")
    for name in names:
        does("delete", name)
    does("delete", upload)
    assert states() == {}
    assert learners.uploads() == []


# What they hold


@pytest.fixture
def room(monkeypatch):
    """There are ten megabytes."""
    monkeypatch.setenv("MAML_LAB_RUNS_MB", "10")


def test_what_nobody_is_here_for_goes_first_and_the_oldest_of_that(room):
    ended = {token: press(token) for token in ("old", "new", "here", "paused", "waits")}
    ended["teacher"] = press("teacher", local=True)
    for at, token in enumerate(("here", "teacher", "paused", "old", "new")):
        becomes(ended[token], "paused" if token == "paused" else "finished", 2, time=float(at))
    with visitors.being_here("here"):
        assert keeping.make_room()
        assert set(states()) == {*ended.values()} - {ended["old"]}
        becomes(ended["teacher"], "finished", 6)
        assert keeping.make_room()
        assert set(states()) == {ended["here"], ended["waits"], ended["teacher"]}
        becomes(ended["teacher"], "finished", 8)
        assert keeping.make_room()
        assert set(states()) == {ended["waits"], ended["teacher"]}


def test_who_holds_more_than_their_share_gives_before_those_who_have_left(room):
    theirs = press("absent")
    becomes(theirs, "finished", time=0.0)
    much = [press("much") for _ in range(3)]
    for at, name in enumerate(much):
        becomes(name, "finished", 4, time=float(1 + at))
    with visitors.being_here("much"):
        assert keeping.make_room()
    assert set(states()) == {theirs, *much[1:]}


def test_of_those_who_are_here_whoever_holds_most_gives(room):
    much = [press("much") for _ in range(3)]
    little = press("little")
    for at, name in enumerate((little, *much)):
        becomes(name, "finished", 3, time=float(at))
    with visitors.being_here("much"), visitors.being_here("little"):
        assert keeping.make_room()
    assert set(states()) == {little, *much[1:]}


def test_where_there_is_no_room_a_stranger_is_told_and_who_sits_at_the_server_is_not(room):
    becomes(press("teacher", local=True), "finished", 11)
    with pytest.raises(RunError, match="hold all the space they may"):
        press("me")
    press("teacher", local=True)
    assert len(states()) == 2


def test_small_runs_have_a_bound_too(room):
    for i in range(12):
        becomes(press(f"cookie {i}"), "stopped", time=float(i))
    press("one more")
    assert Counter(states().values()) == {"stopped": 10, "queued": 1}


# What a look costs


def test_a_look_at_a_line_that_has_not_changed_reads_nothing(root, monkeypatch):
    first = press("me")
    for i in range(40):
        name = f"maml-{i:06}"
        shutil.copytree(root / first, root / name)
    assert len(states()) == 41
    monkeypatch.setattr(runs, "look", lambda folder: pytest.fail(f"{folder} was read again"))
    calls: Counter[str] = Counter()

    def counted(module, name):
        done = getattr(module, name)

        def count(path, *more, **named):
            if str(path).startswith(str(root)):
                calls[name] += 1
            return done(path, *more, **named)

        monkeypatch.setattr(module, name, count)

    for name in ("open", "scandir", "listdir"):
        counted(os, name)
    counted(Path, "open")
    watching.look_again()
    watching.list_for("me")
    assert calls["open"] == 0
    assert calls["scandir"] + calls["listdir"] <= 2, "the folder of runs, but no run's"
    looks = []
    monkeypatch.setattr(runs, "folders", lambda root: looks.append(root) or [])
    for _ in range(30):
        watching.list_for("me")
    assert looks == [], "one look serves everybody"


def test_a_look_that_takes_long_serves_longer(monkeypatch):
    now = [0.0]
    looks = []
    monkeypatch.setattr(watching.time, "monotonic", lambda: now[0])

    def slow(root):
        looks.append(now[0])
        now[0] += 1.0
        return []

    monkeypatch.setattr(runs, "folders", slow)
    for moment in (0.0, 2.0, 10.9, 11.2, 12.2):
        now[0] = max(now[0], moment)
        watching.seen()
    assert looks == [0.0, 11.2]
