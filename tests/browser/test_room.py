"""A class in a browser: a teacher and three students through a card, reloads and a restart in its middle, following, the CSV."""

import contextlib
import csv
import http.client
import re
import statistics
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import Lab, Server
from playwright.sync_api import Browser, Page, Route, expect

CARD, RIGHT, WRONG = "One step", "one of them follows", "both stay"
LESSON = f"""+++
title = "{CARD}"
minutes = 2
predict = "seed=15&K=10&step=0"
observe = "seed=15&K=10&num_updates=10&step=0"
right = "Right: {{{{maml}}}}, and not {{{{pretrained}}}}."

[numbers]
maml = {{ measure = "error", learner = "maml", step = 1, K = 10 }}
pretrained = {{ measure = "error", learner = "pretrained", step = 1, K = 10 }}

[[choice]]
text = "{WRONG}"
when = "pretrained < maml"
said = "One is at {{{{maml}}}}."

[[choice]]
text = "{RIGHT}"
when = "maml < pretrained"
said = ""

[[choice]]
text = "neither"
when = "maml > 3"
said = "One is at {{{{maml}}}}."
+++

# Predict

What happens?

# Observe

Step.

# Explain

$\\theta$ was trained for it.
"""
NUMBER, SKETCH = "How much", "Which curve"
OTHERS = {
    NUMBER: """
predict = "seed=15&K=10&step=0"
observe = "seed=15&K=10&step=1"
right = "Close."

[numbers]
after = { measure = "picture", lab = "seed=15&K=10", learner = "maml", step = 1 }

[slider]
label = "error after one step"
low = 0.001
high = 10.0
log = true
truth = "after"
within = 2.0
said_low = "It is more."
said_high = "It is less."
""",
    SKETCH: """
predict = "learners=none&shots=none&step=0&hide=truth"
observe = "learners=pretrained&seed=15&step=0"
right = "That is the curve."

[sketch]
label = "Your sketch: the pretrained network"
learner = "pretrained"
step = 0
within = 0.4
said = "It draws another one."
""",
}
WORDS = "# Predict\n\nWhat comes?\n\n# Observe\n\nSee.\n\n# Explain\n\nIt was measured.\n"
PHONE = {"width": 390, "height": 844}


class Person(Lab):
    """Somebody on the Classroom page, in a browser of their own."""

    expected = "$^"
    """What the browser may complain of, as a pattern."""

    def _said(self, problem: str) -> None:
        if not re.search(self.expected, problem):
            super()._said(problem)

    def ready(self) -> "Person":
        expect(self.page.locator(".classroom h1, .classroom .code-large").first).to_be_visible(timeout=30_000)
        return self

    def open(self, query: str = "") -> "Person":
        self.page.goto(f"{self.base}/classroom{query}")
        return self.ready()

    def reload(self) -> "Person":
        self.page.reload()
        return self.ready()

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def sees(self, text: str | re.Pattern, timeout: int = 15_000) -> None:
        expect(self.page.locator(".classroom").get_by_text(text).first).to_be_visible(timeout=timeout)

    def predict(self, words: str) -> None:
        self.page.get_by_text(words).click()
        self.press("Commit")
        self.sees("Your prediction is in")

    @property
    def code(self) -> str:
        return self.page.locator(".code-small").text_content()

    def at_step(self, step: int) -> None:
        expect(self.page.locator(".live .count")).to_have_text(re.compile(f"^step {step} of"), timeout=15_000)


@pytest.fixture
def person(browser: Browser) -> Iterator[Callable[..., Person]]:
    """People with browsers of their own; the test fails if one of these complained."""
    people: list[Person] = []

    def come(base: str, query: str = "", **settings) -> Person:
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | settings))
        people.append(Person(context.new_page(), base))
        return people[-1].open(query)

    yield come
    for one in people:
        one.page.context.close()
    assert [one.problems for one in people] == [[]] * len(people)


def start(folder: Path) -> Server:
    """A server with a card of each kind, so that no test depends on the words of a shipped one."""
    (folder / "lessons").mkdir()
    (folder / "lessons" / "01-one-step.md").write_text(LESSON, encoding="utf-8")
    for i, (title, about) in enumerate(OTHERS.items(), 2):
        text = f'+++\ntitle = "{title}"\nminutes = 2{about}+++\n{WORDS}'
        (folder / "lessons" / f"0{i}-{title.lower().replace(' ', '-')}.md").write_text(text, encoding="utf-8")
    server = Server(folder / "runs")
    server.environment["MAML_LAB_LESSONS"] = str(folder / "lessons")
    return server.start()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its address."""
    server = start(tmp_path_factory.mktemp("school"))
    yield server.base
    server.stop()


@pytest.fixture
def teacher(person: Callable[..., Person], server: str) -> Person:
    teacher = person(server)
    teacher.press("Open a room")
    expect(teacher.page.locator(".code-large")).to_be_visible()
    return teacher


def put(teacher: Person, card: str = CARD) -> None:
    teacher.page.get_by_role("button", name=card).click()
    expect(teacher.page.locator(".watched")).to_be_visible()


def test_a_class_through_a_card_with_reloads_and_a_restart_in_the_middle(person, tmp_path, request):
    server = start(tmp_path)
    request.addfinalizer(server.stop)
    teacher = person(server.base)
    teacher.press("Open a room")
    teacher.sees("0 have joined")
    ana, bo, cy = (person(server.base, f"?room={teacher.code.lower()}", viewport=PHONE) for _ in range(3))
    for student in (ana, bo, cy):
        student.sees("Waiting for the teacher")
    teacher.sees("3 have joined")
    ana.page.get_by_label("Your name").fill("<b>Ana</b>")
    ana.press("Save")
    ana.sees("you are <b>Ana</b>")
    put(teacher)
    ana.predict(RIGHT)
    teacher.sees("1 of 3 have answered")

    for one in (teacher, ana, bo):
        one.reload()
    teacher.sees("1 of 3 have answered")
    ana.sees("Your prediction is in")
    expect(ana.page.get_by_role("radio", name=RIGHT)).to_be_checked()
    expect(ana.page.get_by_role("radio", name=RIGHT)).to_be_disabled()
    bo.predict(WRONG)
    for one in (teacher, ana, bo, cy):
        expect(one.page.locator(".tally")).to_have_count(0)

    for one in (teacher, ana, bo, cy):
        one.expected = "ERR_(CONNECTION|EMPTY_RESPONSE)|WebSocket"
    server.stop()
    for one in (teacher, cy):
        one.sees("The server does not answer")
    server.start()
    for one in (teacher, cy):
        expect(one.page.locator(".away")).to_be_empty(timeout=15_000)
    teacher.sees("2 of 3 have answered")
    teacher.page.get_by_text("Who has not answered").click()
    teacher.sees("student 3")
    cy.predict(WRONG)
    teacher.sees("3 of 3 have answered")

    teacher.press("Reveal")
    for one in (teacher, ana, bo, cy):
        expect(one.page.locator(".tally strong")).to_have_text(["2", "1", "0"], timeout=20_000)
        one.page.locator(".live .task-chart .curve").first.wait_for(state="attached")
    expect(bo.page.locator(".tally li", has_text=WRONG)).to_contain_text("yours")
    expect(ana.page.locator(".tally li", has_text=RIGHT)).to_contain_text("right · yours")
    bo.reload()
    expect(bo.page.locator(".tally strong")).to_have_text(["2", "1", "0"])

    teacher.page.get_by_text("Manage this room").click()
    for name, header in (("Answers as CSV", "student"), ("Tally as CSV", "card")):
        with teacher.page.expect_download() as download:
            teacher.press(name)
        rows = list(csv.reader(download.value.path().read_text("utf-8-sig").splitlines()))
        assert rows[0][0] == header
        assert len(rows) == 4


@pytest.mark.clock
def test_an_answer_on_a_line_that_stays_open_is_not_held_back(server, teacher):
    line, took = http.client.HTTPConnection(server.partition("//")[2]), []
    for _ in range(40):
        began = time.perf_counter()
        line.request("GET", f"/classroom/qr.svg?address=http://a?room={teacher.code}")
        assert line.getresponse().read()
        took.append(time.perf_counter() - began)
    assert statistics.median(took) < 0.03, "a socket that waits for confirmations takes 40 ms"


def test_everybody_follows_the_teachers_lab_and_is_free_again(person, server, teacher):
    student = person(server, f"?room={teacher.code}")
    student.sees("Waiting for the teacher")
    put(teacher)
    teacher.press("Reveal")
    teacher.press("Only 0 of 1 have answered. Reveal anyway?")
    teacher.page.wait_for_timeout(800)
    teacher.sees("0 of 1 has answered")
    student.predict(RIGHT)
    teacher.sees("1 of 1 has answered")
    teacher.press("Reveal")
    for one in (teacher, student):
        one.page.locator(".live .task-chart .curve").first.wait_for(state="attached")
    teacher.page.get_by_role("switch", name="Follow me").click()
    student.sees("The lab follows the teacher’s")
    expect(student.page.locator(".live .steps button").first).to_be_disabled()
    teacher.page.locator(".live .steps input").focus()
    teacher.page.keyboard.press("End")
    teacher.page.keyboard.press("ArrowLeft")
    teacher.at_step(9)
    student.at_step(9)
    teacher.page.locator(".live").get_by_role("button", name="New task").click()
    teacher.page.wait_for_timeout(1500)
    for part in ("h1", ".cards"):
        texts = [one.page.locator(f".live {part}").inner_text() for one in (teacher, student)]
        assert texts[0] == texts[1]
    step = teacher.page.locator(".live .count").inner_text()
    student.reload()
    expect(student.page.locator(".live .count")).to_have_text(step, timeout=15_000)
    expect(student.page.locator(".live .cards")).to_have_text(teacher.page.locator(".live .cards").text_content())
    teacher.page.get_by_role("switch", name="Follow me").click()
    student.sees("The lab is yours to explore")
    student.page.locator(".live .steps input").focus()
    student.page.keyboard.press("Home")
    student.at_step(0)
    expect(teacher.page.locator(".live .count")).to_have_text(step)


def test_the_teachers_address_carries_the_room_to_another_browser_and_hides_its_secret(person, server, teacher):
    teacher.page.get_by_text("Manage this room").click()
    teacher.press("Show my address")
    address = teacher.page.get_by_label("The address that makes whoever opens it").input_value()
    assert "#teacher=" in address
    assert "teacher" not in teacher.page.url
    asked: list[str] = []
    context = teacher.page.context.browser.new_context()
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address.replace(re.search(r"//[^/]+", address)[0], "//" + server.partition("//")[2]))
    expect(page.locator(".code-large")).to_have_text(teacher.code, timeout=30_000)
    assert "teacher" not in page.url
    secret = address.partition("#teacher=")[2]
    assert not [url for url in asked if secret in url]
    page.reload()
    expect(page.locator(".code-large")).to_have_text(teacher.code, timeout=30_000)
    context.close()


def test_a_link_takes_no_room_from_its_teacher_and_neither_does_what_stands_in_between(person, server, teacher):
    teacher.expected = "403"
    code = teacher.code
    for address in (f"/classroom?room={code}#teacher=wrong", "/lab", f"/classroom?room={code}#teacher=wrong"):
        with teacher.page.expect_response(re.compile("room.json")) if "room" in address else contextlib.nullcontext():
            teacher.page.goto(server + address)
        if "room" in address:
            teacher.sees("0 have joined")
            expect(teacher.page.locator(".code-large")).to_have_text(code)
            assert "teacher" not in teacher.page.url
    teacher.page.route("**/classroom/room.json*", lambda route: route.fulfill(status=403, body="Your school does not want this"))
    teacher.page.reload()
    teacher.sees("The server does not answer")
    teacher.page.unroute("**/classroom/room.json*")
    expect(teacher.page.locator(".code-large")).to_have_text(code)


def test_a_browser_that_keeps_no_cookies_is_told_so_and_takes_one_place(person, server, teacher):
    def without_cookies(route: Route) -> None:
        asked = urllib.request.Request(route.request.url, route.request.post_data_buffer, {"Content-Type": "application/json"})
        with urllib.request.urlopen(asked) as answer:
            route.fulfill(body=answer.read(), headers={"X-Classroom": "answered"})

    student = person(server)
    for name in ("join", "room.json*"):
        student.page.route(f"**/classroom/{name}", without_cookies)
    student.page.get_by_label("The code on the board").fill(teacher.code)
    student.page.keyboard.press("Enter")
    student.sees("This browser blocks cookies")
    student.page.wait_for_timeout(1500)
    teacher.sees("1 has joined")


def test_what_is_done_in_one_tab_is_seen_in_the_other_and_the_keyboard_goes_on(person, server, teacher):
    focused = "document.activeElement.tagName + ' ' + document.activeElement.textContent"
    student = person(server, f"?room={teacher.code}")
    student.sees("Waiting for the teacher")
    other = Person(student.page.context.new_page(), server).open(f"?room={teacher.code}")
    student.page.get_by_label("Your name").fill("Ana")
    student.press("Save")
    other.sees("you are Ana")
    assert student.page.evaluate(focused) == "H1 Waiting for the teacher"
    put(teacher)
    assert teacher.page.evaluate(focused) == f"H1 {CARD}"
    teacher.page.get_by_text("Who has not answered").click()
    teacher.press("Ana")
    teacher.sees("Press Ana again to remove the name")
    teacher.press("Ana")
    other.sees("you are student 1")
    student.predict(RIGHT)
    assert student.page.evaluate(focused) == f"H1 {CARD}"
    other.sees("Your prediction is in")
    expect(other.page.get_by_role("radio", name=RIGHT)).to_be_checked()
    teacher.press("Withdraw the card")
    teacher.sees("Choose a card for the room")
    assert teacher.page.evaluate(focused) == "H2 Choose a card for the room"
    assert other.problems == []


def test_a_wrong_code_is_said_and_the_right_one_is_read_however_it_is_typed(person, server, teacher):
    student = person(server)
    student.expected = "404"
    student.open("?room=BCDGH")
    student.sees("There is no room BCDGH")
    student.page.get_by_label("The code on the board").fill(f" {teacher.code[:2].lower()} {teacher.code[2:]}")
    student.page.keyboard.press("Enter")
    student.sees("Waiting for the teacher")
    assert student.page.url.endswith(f"room={teacher.code}")


def test_who_comes_after_the_reveal_sees_it_too(person, server, teacher):
    put(teacher)
    teacher.press("Reveal")
    teacher.sees(re.compile(r"^right( · yours)?$"))
    late = person(server, f"?room={teacher.code}")
    late.sees("0 predictions")
    late.sees(re.compile(r"^right( · yours)?$"))
    late.page.locator(".live .task-chart .curve").first.wait_for(state="attached")


def test_the_end_of_a_room_is_asked_first_offers_the_answers_and_is_seen_by_everybody(person, server, teacher):
    dialog = teacher.page.get_by_role("dialog", name="End this room?")
    save = dialog.get_by_role("button", name="Answers as CSV")
    student = person(server, f"?room={teacher.code}")
    student.sees("Waiting for the teacher")
    teacher.page.get_by_text("Manage this room").click()
    teacher.page.get_by_role("button", name="End the room").dblclick()
    expect(dialog).to_contain_text("No card was revealed")
    expect(save).to_be_hidden()
    dialog.get_by_role("button", name="Keep it open").click()
    put(teacher)
    student.predict(RIGHT)
    teacher.sees("1 of 1 has answered")
    teacher.press("Reveal")
    expect(teacher.page.locator(".tally strong").first).to_be_visible(timeout=20_000)
    teacher.press("End the room")
    expect(dialog).to_contain_text("those of the revealed card")
    with teacher.page.expect_download() as download:
        save.click()
    rows = list(csv.reader(download.value.path().read_text("utf-8-sig").splitlines()))
    assert rows[1][-1] == RIGHT
    student.sees("The predictions are revealed")
    teacher.page.wait_for_timeout(700)  # longer than a double click
    dialog.get_by_role("button", name="Delete and end").click()
    for one in (teacher, student):
        one.sees("This room is over")


def test_who_should_not_be_there_is_removed_with_the_answer_and_comes_back_by_the_teacher_or_a_new_code(person, server, teacher):
    old = teacher.code
    ana, bo = (person(server, f"?room={old}") for _ in range(2))
    ana.page.get_by_label("Your name").fill("Ana")
    ana.press("Save")
    put(teacher)
    ana.predict(RIGHT)
    bo.predict(WRONG)
    teacher.sees("2 of 2 have answered")
    teacher.press("Reveal")

    def counts(*expected: str) -> None:
        for one in (teacher, bo):
            expect(one.page.locator(".tally strong")).to_have_text(expected, timeout=20_000)

    def press(name: str) -> None:
        teacher.page.wait_for_timeout(700)  # longer than a double click
        teacher.press(name)

    counts("1", "1", "0")
    teacher.page.get_by_text("Who is in this room").click()
    press("Remove Ana")
    ana.sees("The teacher has removed you from this room")
    counts("1", "0", "0")
    expect(teacher.page.get_by_role("button", name="Undo: Ana")).to_be_focused()
    ana.reload()
    ana.sees("The teacher has removed you from this room")
    press("Undo: Ana")
    counts("1", "1", "0")
    expect(ana.page.locator(".tally li", has_text=RIGHT)).to_contain_text("yours", timeout=20_000)
    press("Remove Ana")
    ana.sees("The teacher has removed you from this room")

    door = teacher.page.get_by_role("switch", name="Let newcomers in")
    door.click()
    teacher.sees("the door is closed")
    bo.reload()
    bo.sees("The predictions are revealed")
    cy = person(server)
    cy.expected = "40[04]"
    cy.open(f"?room={old}")
    cy.sees("The door of this room is closed. Ask your teacher to open it.")
    door.click()
    press("New code")
    expect(teacher.page.locator(".code-small")).not_to_have_text(old)
    new = teacher.code
    bo.sees(f"Room {new}")
    for one in (teacher, bo):
        expect(one.page).to_have_url(re.compile(f"room={new}"))
        one.reload()
        one.sees("The predictions are revealed" if one is bo else "1 has joined")
    cy.press("Join")
    cy.sees(f"The code {old} is no longer used. Ask your teacher for the new one.")
    ana.press("Go to another room")
    for one in (ana, cy):
        one.page.get_by_label("The code on the board").fill(new)
        one.page.keyboard.press("Enter")
        one.sees(f"Room {new}")
    teacher.sees("3 have joined")
    teacher.press("All cards")
    expect(teacher.page.locator(".code-large")).to_have_text(new)
    expect(teacher.page.locator(".qr")).to_have_attribute("alt", re.compile(f"room={new}$"))


def test_numbers_are_dots_whose_values_are_told_beside_what_was_measured(person, server, teacher):
    ana, bo = (person(server, f"?room={teacher.code}") for _ in range(2))
    put(teacher, NUMBER)
    for student, position in ((ana, "100"), (bo, "150")):
        student.page.locator(".slide input").fill(position)
        student.press("Commit")
        student.sees("Your prediction is in")
        expect(student.page.locator(".tally")).to_have_count(0)
    teacher.sees("2 of 2 have answered")
    teacher.press("Reveal")
    chart = ana.page.locator(".tally .dots-chart")
    expect(chart.locator(".points path")).to_have_count(2, timeout=20_000)
    expect(chart.locator(".truth-words")).to_have_text(re.compile("^measured: 0.[0-9]+$"), timeout=20_000)
    expect(chart.locator(".own-words")).to_have_text("yours")
    measured = chart.locator(".truth-words").text_content()[10:]
    described = f"2 predictions from 0.1 to 1, half of them up to 1. Measured: {measured}."
    expect(chart.locator("svg.dots")).to_have_attribute("aria-label", described)
    chart.locator(".points path").first.hover(force=True)
    expect(chart.locator(".hoverlayer")).to_have_text(re.compile("^(0.1: 1 prediction · 1 above|1: 1 prediction · 1 below)"))
    expect(teacher.page.locator(".tally .own-words")).to_have_count(0)


def test_sketches_are_laid_over_the_task_with_ones_own_and_what_was_measured(person, server, teacher):
    student = person(server, f"?room={teacher.code}")
    put(teacher, SKETCH)
    pad = student.page.get_by_role("application", name="Your sketch")
    pad.focus()
    student.page.keyboard.press("ArrowUp")
    student.press("Commit")
    student.sees("Your prediction is in")
    teacher.sees("1 of 1 has answered")
    teacher.press("Reveal")
    stage = student.page.locator(".tally .stage")
    expect(stage.locator(".task-chart[data-drawn]")).to_be_attached(timeout=20_000)
    expect(stage.locator("[data-laid=pretrained]")).to_be_attached(timeout=20_000)
    expect(stage.locator("[data-laid=A]")).to_have_count(2)  # one among all, and one's own, by name
    expect(stage.locator(".laid-label")).to_have_text("yours")
    expect(student.page.locator(".tally-key")).to_have_text("predictionswhat pretrained draws")
    inside, whole = (
        student.page.locator(f".tally {part}").first.bounding_box() for part in ("[data-laid=pretrained]", "svg.task")
    )
    assert whole["x"] < inside["x"] < inside["x"] + inside["width"] < whole["x"] + whole["width"]
    expect(teacher.page.locator(".tally [data-laid=A]")).to_have_count(1, timeout=20_000)


def test_a_teachers_browser_with_a_wrong_clock_keeps_its_rooms(person, server, teacher):
    code = teacher.code
    teacher.page.clock.set_fixed_time("2040-01-01")
    for query in (f"?room={code}", ""):
        teacher.open(query)
        teacher.sees("0 have joined" if query else f"Back to {code}")
    teacher.press(f"Back to {code}")
    expect(teacher.page.locator(".code-large")).to_have_text(code)


def test_presenting_is_large_and_nothing_but_the_room(person, server, teacher):
    put(teacher)
    size = "() => parseFloat(getComputedStyle(document.querySelector('.question .asked .prose')).fontSize)"
    before = teacher.page.evaluate(size)
    teacher.press("Present")
    assert teacher.page.evaluate(size) >= 1.2 * before
    for menu in ("Who is in this room", "Manage this room"):
        expect(teacher.page.get_by_text(menu)).to_be_hidden()
    expect(teacher.page).to_have_url(re.compile("present=true"))
    teacher.reload()
    expect(teacher.page.locator(".classroom.present")).to_be_visible()
    teacher.page.keyboard.press("Escape")
    expect(teacher.page.locator(".classroom.present")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_stands_in_the_way_of_anybody(person, server, teacher, scheme):
    student = person(server, f"?room={teacher.code}", viewport=PHONE, color_scheme=scheme)
    student.sees("Waiting for the teacher")
    teacher.page.emulate_media(color_scheme=scheme)

    def clean(page: Page) -> None:
        page.wait_for_timeout(400)
        found = Axe().run(page, context=".classroom").response["violations"]
        assert [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found] == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    teacher.page.get_by_text("Who is in this room").click()
    for page in (teacher.page, student.page):
        clean(page)
    put(teacher)
    student.predict(WRONG)
    for page in (teacher.page, student.page):
        clean(page)
    teacher.press("Reveal")
    student.sees(re.compile(r"^right( · yours)?$"))
    for page in (teacher.page, student.page):
        page.locator(".live .task-chart .curve").first.wait_for(state="attached")
        clean(page)
