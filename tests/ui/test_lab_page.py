"""The wiring of the lab page, without a browser: widgets, state, the component's data."""

import json
from pathlib import Path

import pytest
import shown
from starlette.requests import Request
from streamlit.testing.v1 import AppTest

from ui.shared import modules

FRAME = str(Path(__file__).parents[2] / "ui" / "frame.py")
KEYS = ("amplitude", "phase", "K", "alpha", "num_updates", "noise", "free", "placement", "freeze", "ghosts", "view")


def page(**query):
    app = AppTest.from_file(FRAME, default_timeout=30)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    return app.switch_page(str(Path(FRAME).parents[1] / "pages" / "lab.py")).run()


def widget(app, key):
    return next(w for w in [*app.slider, *app.select_slider, *app.toggle, *app.get("button_group")] if w.key == key)


def data(app):
    return shown.data(app)[0]


def test_opens_without_a_click():
    app = page()
    assert not app.exception
    assert not app.markdown
    content = data(app)
    assert [learner["name"] for learner in content["learners"]] == ["maml", "pretrained"]
    assert len(content["shots"]) == 5
    assert {widget(app, key).key for key in KEYS} == set(KEYS)


def test_widgets_show_the_address():
    app = page(alpha="0.0137", K="9", amplitude="2.345", free="1")
    assert widget(app, "alpha").value == 0.0137
    assert widget(app, "K").value == 9
    assert widget(app, "amplitude").value == 2.345
    assert widget(app, "free").value is True
    assert len(data(app)["shots"]) == 9


def test_a_bad_address_warns_and_the_page_works():
    app = page(alpha="seven")
    assert r"alpha\=seven" in app.toast[0].value
    assert data(app)["alpha"] == 0.01


@pytest.mark.parametrize(
    ("key", "value"), [("K", 8), ("alpha", 0.02), ("num_updates", 20), ("noise", 0.5), ("amplitude", 1.5), ("phase", 0.7)]
)
def test_a_moved_slider_reaches_the_picture(key, value):
    app = page()
    before = data(app)
    widget(app, key).set_value(value)
    app.run()
    after = data(app)
    assert (after["epoch"] != before["epoch"]) == (after["shots"] != before["shots"])
    assert after["learners"] != before["learners"]
    assert after["query"][key] == str(value)


@pytest.mark.parametrize(
    ("key", "value", "changes"),
    [("placement", "left", "shots"), ("freeze", "body", "learners"), ("ghosts", "all", "ghosts"), ("view", "panels", "panels")],
)
def test_a_choice_reaches_the_picture_and_the_address(key, value, changes):
    app = page()
    before = data(app)
    widget(app, key).set_value(value)
    app.run()
    after = data(app)
    assert after[changes] != before[changes]
    assert after["query"][key] == value


def test_while_names_are_hidden_nothing_that_is_sent_tells_them():
    app = page(hide="names", learners="maml,pretrained,anil")
    text = json.dumps(data(app)).lower()
    for word in ("maml", "pretrained", "anil", 'own_alpha": 0.02'):
        assert word not in text
    assert [learner["name"] for learner in data(app)["learners"]] == ["A", "B", "C"]
    assert data(app)["query"]["learners"].startswith("~")


def test_hidden_from_an_address_the_letters_are_dealt_anew():
    orders = {data(page(hide="names"))["query"]["learners"] for _ in range(12)}
    assert len(orders) == 2


def test_while_the_curve_is_hidden_its_sliders_are_too():
    keys = {slider.key for slider in page(hide="truth").slider}
    assert not keys & {"amplitude", "phase"}
    assert {slider.key for slider in page().slider} >= {"amplitude", "phase"}


def test_a_missing_checkpoint_of_ones_own_is_said_and_left_out():
    app = page(learners="maml,upload:0123456789ab")
    assert "upload it again" in app.toast[0].value
    assert [learner["name"] for learner in data(app)["learners"]] == ["maml"]


def test_exact_values_reach_the_picture_and_the_slider():
    app = page()
    app.session_state["fold_exact"] = True
    app.run()
    assert [field.value for field in app.number_input] == [0.01, 0.0, 3.49, 2.56]
    next(field for field in app.number_input if field.key == "exact_alpha").set_value(0.0123)
    app.run()
    assert data(app)["alpha"] == 0.0123
    assert widget(app, "alpha").value == 0.0123
    assert not app.exception


def test_data_never_holds_what_json_does_not_know():
    json.dumps(data(page(alpha="1", num_updates="50", K="20")), allow_nan=False)


def test_the_browser_finds_its_modules_and_nothing_else():
    def get(version, name):
        request = Request({"type": "http", "path_params": {"version": version, "name": name}})
        return modules.route().endpoint(request)

    main = get(modules._VERSION, "lab/main.js")
    assert main.status_code == 200
    assert main.media_type == "text/javascript"
    assert "immutable" in main.headers["cache-control"]
    assert get(modules._VERSION, "lab/component.py").status_code == 404
    assert get(modules._VERSION, "../state.py").status_code == 404
    assert get("old", "lab/main.js").status_code == 404
