"""A class and its teacher at the routes: what each may do and sees, what nobody can do, and how one waits for news."""

import asyncio
import contextlib
import csv
import io
import json
import math
import threading
import time
from collections import Counter
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.testclient import TestClient

from ui.classroom import journal, live, reach, room, routes, who
from ui.classroom.line import TURN
from ui.lessons.routes import WITHHELD
from ui.lessons.routes import routes as lesson_routes
from ui.lessons.shelf import folder
from ui.shared import visitors

CARD = "which"
LESSON = """+++
title = "Which"
minutes = 1
predict = "seed=1&K=5&step=0"
observe = "seed=1&K=5&step=1"

[[choice]]
text = "=the first"
when = "1 < 2"
said = "no"

[[choice]]
text = "the second"
when = "2 < 1"
said = "no"
+++

# Predict
Which?

# Observe
This.

# Explain
So.
"""


@pytest.fixture(autouse=True)
def fresh(tmp_path, monkeypatch):
    """Folders of our own, and a server that remembers nothing."""
    (tmp_path / "lessons").mkdir()
    (tmp_path / "lessons" / f"01-{CARD}.md").write_text(LESSON)
    (tmp_path / "lessons" / "02-other.md").write_text(LESSON)
    monkeypatch.setenv("MAML_LAB_LESSONS", str(tmp_path / "lessons"))
    monkeypatch.setenv("MAML_LAB_RUNS", str(tmp_path / "runs"))
    restart(monkeypatch)


def restart(monkeypatch):
    monkeypatch.setattr(live, "_in_use", {})
    for line in (who.misses, who.openings, who.newcomers):
        monkeypatch.setattr(line, "_full", {})
        monkeypatch.setattr(line, "_waiting", Counter())
    monkeypatch.setattr(live, "_loop", None)
    monkeypatch.setattr(live, "_stopping", False)


APP = Starlette(routes=routes.routes(), middleware=[Middleware(GZipMiddleware, minimum_size=1000)])


class Person:
    """A browser in a room, or at its door."""

    def __init__(self, code="", *, token="", secret="", host="127.0.0.1", base="http://lab.test"):
        headers = {who.SECRET: secret} if secret else {}
        cookies = {visitors.COOKIE: token} if token else None
        self.room, self.client = code, TestClient(APP, base, cookies=cookies, headers=headers, client=(host, 1234))

    def send(self, route, /, **asked):
        body = json.dumps({"room": self.room, **asked})  # not the client's own, which refuses what others may send
        return self.client.post(f"/classroom/{route}", content=body, headers={"Content-Type": "application/json"})

    def act(self, do, value=None):
        return self.send("act", do=do, value=value)

    def join(self, name=""):
        answer = self.send("join", name=name)
        assert answer.status_code == 200, answer.text
        return self

    def vote(self, answer, card=CARD):
        return self.send("vote", card=card, answer=answer)

    def get(self, route="room.json", /, **query):
        return self.client.get(f"/classroom/{route}", params={"room": self.room, **query})

    @property
    def state(self):
        answer = self.get()
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def teacher():
    opened = Person().send("open").json()
    return Person(opened["room"], secret=opened["secret"])


@pytest.fixture
def ana(teacher):
    return Person(teacher.room, token="the cookie of ana").join("Ana")


@pytest.fixture
def bo(teacher, ana):
    return Person(teacher.room, token="the cookie of bo").join()


def rows(answer):
    assert answer.status_code == 200
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


# A card from beginning to end


def test_a_card_through_a_room(teacher, ana, bo):
    assert ana.state["card"] == ""
    state = teacher.act("card", CARD).json()
    missing = [{"number": 1, "label": "Ana", "named": True}, {"number": 2, "label": "student 2", "named": False}]
    assert (state["students"], state["answered"], state["missing"]) == (2, 0, missing)
    assert (ana.state["card"], ana.state["mine"]) == (CARD, None)
    assert ana.vote("1").json()["mine"] == "1"
    state = teacher.state
    assert (state["answered"], state["missing"]) == (1, missing[1:])
    assert bo.vote("0").status_code == 200
    tally = {"kind": "choice", "counts": [1, 1]}
    assert teacher.act("reveal", CARD).json()["tally"] == tally
    for student, mine in ((ana, "1"), (bo, "0")):
        assert student.state["tally"] == tally
        assert student.state["mine"] == mine
        assert "tally" not in student.get(has=student.state["tallied"]).json(), "who has it needs it no more"
    assert teacher.act("card", "").json()["done"] == [CARD]
    assert "tally" not in ana.state


def test_following_shows_everybody_the_teachers_lab_and_else_nobody(teacher, ana):
    teacher.act("card", CARD)
    teacher.act("held", {"query": "K=5", "step": 2})
    assert ana.state["held"] is None
    teacher.act("follow", True)
    assert (ana.state["following"], ana.state["held"]) == (True, {"query": "K=5", "step": 2})
    teacher.act("follow", False)
    assert (ana.state["following"], ana.state["held"]) == (False, None)


def test_the_answers_and_their_tally_go_home_as_csv_after_the_reveal(teacher, ana, bo):
    formula = Person(teacher.room, token="another").join('=HYPERLINK("x")')
    Person(teacher.room, token="silent").join("Di")
    teacher.act("card", CARD)
    for student, answer in ((ana, "1"), (bo, "0"), (formula, "0")):
        student.vote(answer)
    assert rows(teacher.get("answers.csv")) == [["student", "name", "card", "title", "answer", "option"]]
    assert rows(teacher.get("tally.csv")) == [["card", "title", "answer", "option", "students"]]
    teacher.act("reveal", CARD)
    answer = teacher.get("answers.csv")
    assert "attachment" in answer.headers["Content-Disposition"]
    assert rows(answer)[1:] == [
        ["1", "Ana", CARD, "Which", "1", "the second"],
        ["2", "", CARD, "Which", "0", "'=the first"],
        ["3", '\'=HYPERLINK("x")', CARD, "Which", "0", "'=the first"],
        ["4", "Di", CARD, "Which", "", ""],
    ]
    assert rows(teacher.get("tally.csv"))[1:] == [
        [CARD, "Which", "0", "'=the first", "2"],
        [CARD, "Which", "1", "the second", "1"],
    ]


def test_a_restart_in_the_middle_changes_nothing(teacher, ana, bo, monkeypatch):
    teacher.act("card", CARD)
    teacher.act("follow", True)
    teacher.act("held", {"query": "K=5", "step": 2})
    ana.vote("1")
    before = [person.state for person in (teacher, ana, bo)]
    restart(monkeypatch)
    assert [person.state for person in (teacher, ana, bo)] == before
    assert ana.vote("0").status_code == 400
    teacher.act("reveal", CARD)
    restart(monkeypatch)
    assert bo.state["tally"]["counts"] == [0, 1]


def test_the_end_of_a_room(teacher, ana):
    assert teacher.act("end").json()["ended"]
    assert ana.state["ended"], "who was in it hears of it"
    assert ana.vote("1").status_code == 404
    assert list(journal.folder().iterdir()) == []
    refused = teacher.get("answers.csv")
    assert (refused.status_code, refused.text) == (404, "This room has ended, and its answers were deleted")


@pytest.mark.parametrize("days", [-3, 3])
def test_a_clock_that_is_set_ends_no_room(teacher, ana, monkeypatch, days):
    teacher.act("card", CARD)
    monkeypatch.setattr(live, "THERE", 0)
    now = time.time() + days * 86_400
    monkeypatch.setattr(journal.time, "time", lambda: now)
    live._sweep()
    Person().send("open")
    assert ana.vote("1").status_code == 200
    assert teacher.state["answered"] == 1
    live._sweep()  # as every minute
    restart(monkeypatch)
    monkeypatch.setattr(journal, "_known", {})
    live._sweep()
    assert teacher.state["answered"] == 1, "for a server that starts with the clock as it is now, too"


def test_a_room_in_which_nothing_happened_for_a_day_is_over(teacher, ana, monkeypatch):
    ana.get()
    now = time.monotonic() + journal.LASTS + 60
    with monkeypatch.context() as later:
        later.setattr(journal, "time", SimpleNamespace(monotonic=lambda: now, time=time.time))
        assert ana.state["ended"]
    assert not (journal.folder() / f"{teacher.room}.jsonl").exists()


def test_a_teacher_takes_a_name_away_and_it_is_not_given_again(teacher, ana):
    assert teacher.act("unnamed", 1).status_code == 200
    assert (ana.state["name"], ana.state["named"]) == ("", True)
    ana.send("join", name="Ana once more")
    assert ana.state["name"] == ""
    assert ana.act("unnamed", 1).status_code == 403


def test_the_lab_in_the_teachers_hand_is_written_down_when_it_rests(one_loop, teacher, ana, monkeypatch):
    written, keep = [], journal.keep
    monkeypatch.setattr(journal, "keep", lambda code, event: (written.append(event["do"]), keep(code, event)))
    monkeypatch.setattr(live, "HELD", 0.3)
    teacher.act("card", CARD)
    teacher.act("follow", True)
    for step in range(8):
        teacher.act("held", {"query": "K=5", "step": step})
        assert ana.state["held"]["step"] == step
    time.sleep(0.4)
    assert written.count("held") <= 2
    assert journal.find(teacher.room).held.step == 7
    teacher.act("held", {"query": "K=5", "step": 3})
    teacher.act("card", "other")
    assert written[-2:] == ["held", "card"], "in the order in which it happened"


# Who may


def test_a_student_cannot_do_what_a_teacher_does(teacher, ana, bo):
    teacher.act("card", CARD)
    ana.vote("1")
    stranger, guess = Person(teacher.room), Person(teacher.room, token="the cookie of ana", secret="x" * 43)
    before = teacher.state
    for person in (bo, ana, stranger, guess, Person(teacher.room, secret=journal.find(teacher.room).secret)):
        for do, value in (
            ("card", "other"),
            ("reveal", CARD),
            ("follow", True),
            ("held", {"query": "", "step": 1}),
            ("end", None),
        ):
            assert person.act(do, value).status_code == 403
        for name in ("answers.csv", "tally.csv"):
            assert person.get(name).status_code == 403
    assert teacher.state == before
    assert guess.get().status_code == 403, "whoever offers a secret hears that it is none, in the room too"


def test_nobody_sees_a_tally_or_who_answered_what_before_the_reveal(teacher, ana, bo):
    teacher.act("card", CARD)
    said = [ana.vote("1").text]
    said += [person.get(has="").text for person in (teacher, bo, Person(teacher.room))]
    said += [person.get(name).text for person in (teacher, bo) for name in ("answers.csv", "tally.csv")]
    for text in said:
        assert "tally" not in text.replace("tally.csv", "")
        assert "counts" not in text
    assert '"mine":null' in bo.get().text
    assert "Ana" not in bo.get().text, "students do not see each other's names"


def test_an_answer_is_given_once_and_repeating_it_is_no_other(teacher, ana):
    assert ana.vote("1").text == "This card is no longer open in the room"
    teacher.act("card", CARD)
    assert ana.vote("1").status_code == ana.vote("1").status_code == 200
    assert ana.vote("0").text == "Your prediction is committed and cannot be changed"
    again = Person(teacher.room, token="the cookie of ana").join("somebody else")
    assert (again.state["mine"], again.state["name"]) == ("1", "Ana")
    assert teacher.state["answered"] == 1


def test_nobody_answers_in_a_room_he_is_not_in_or_after_the_reveal(teacher, ana, bo):
    other = Person().send("open").json()
    Person(other["room"], secret=other["secret"]).act("card", CARD)
    assert Person(other["room"], token="the cookie of ana").vote("1").text == "Join the room first"
    teacher.act("card", CARD)
    teacher.act("reveal", CARD)
    assert ana.vote("1").text == "The predictions have been revealed, so no more can be given"
    assert Person(other["room"], secret=other["secret"]).state["answered"] == 0


def test_a_secret_is_good_for_its_own_room_alone(teacher):
    other = Person().send("open").json()
    assert Person(other["room"], secret=teacher.client.headers[who.SECRET]).act("end").status_code == 403


def test_a_browser_without_a_cookie_gets_one_and_is_known_by_it(teacher):
    newcomer = Person(teacher.room)
    answer = newcomer.send("join", name="Cy")
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert newcomer.state["name"] == "Cy"
    assert newcomer.client.cookies[visitors.COOKIE] not in (journal.folder() / f"{teacher.room}.jsonl").read_text()


def test_a_visitor_at_the_door_is_told_that_it_is_there_and_no_more(teacher, ana):
    assert Person(teacher.room).state == {"version": "0.0", "room": teacher.room, "ended": False, "joined": False}
    assert Person(f" {teacher.room[:2]} {teacher.room[2:].lower()} ").state["room"] == teacher.room


# When somebody should not be there


def numbers(groups):
    return [[student["number"] for student in group] for group in groups]


def test_a_teacher_removes_a_student_with_the_answers_and_undoes_it(teacher, ana, bo, monkeypatch):
    teacher.act("card", CARD)
    ana.vote("1")
    bo.vote("0")
    seen = teacher.act("reveal", CARD).json()["tallied"]
    state = teacher.act("removed", [1]).json()
    assert (state["students"], state["answered"], numbers(state["removals"])) == (1, 1, [[1]])
    for person in (teacher, bo):
        assert person.get(has=seen).json()["tally"]["counts"] == [1, 0], "a tally without them is another"
    for send in (ana.get, lambda: ana.send("join", name="Somebody else")):
        assert send().json() == {**send().json(), "joined": False, "removed": True, "room": teacher.room}
    assert ana.vote("0").status_code == 403
    assert "1" not in [row[0] for row in rows(teacher.get("answers.csv"))]
    restart(monkeypatch)
    assert ana.state["removed"], "after a restart too"
    state = teacher.act("restored", [1]).json()
    assert (state["answered"], state["removals"], state["tally"]["counts"]) == (2, [], [1, 1])
    assert (ana.state["name"], ana.state["mine"]) == ("Ana", "1")
    assert bo.act("removed", [1]).status_code == bo.act("door", False).status_code == bo.act("code").status_code == 403


@pytest.mark.clock
def test_who_was_removed_waits_for_being_taken_back_in(one_loop, teacher, ana):
    with waiting(ana, since=ana.state["version"]) as took:
        teacher.act("removed", [1])
    assert took[0][0].json()["removed"]
    with waiting(ana, since=ana.state["version"]) as took:
        assert not took
        teacher.act("restored", [1])
    assert took[0][0].json()["joined"]


def test_a_closed_door_keeps_newcomers_out_and_nobody_else(teacher, ana, bo, monkeypatch):
    monkeypatch.setattr(room, "MAX_STUDENTS", 2)
    monkeypatch.setattr(live, "THERE", 0)
    assert teacher.act("door", False).json()["closed"]
    restart(monkeypatch)
    late = Person(teacher.room, token="late").send("join", name="")
    assert (late.status_code, late.text) == (400, "The door of this room is closed. Ask your teacher to open it")
    assert (ana.join().state["name"], bo.join().state["joined"]) == ("Ana", True), "nobody has made room for who stays out"
    assert not teacher.act("door", True).json()["closed"]
    assert Person(teacher.room, token="late").join().state["joined"]


def test_a_new_code_keeps_those_inside_and_lets_nobody_in_by_the_old_one(teacher, ana, bo, monkeypatch):
    old = teacher.room
    teacher.act("removed", [2])
    new = teacher.act("code").json()["room"]
    assert new != old
    for _ in range(2):
        assert [ana.state["room"], teacher.state["room"], bo.state["room"]] == [new, new, old], "who is out is told no code"
        late = Person(old, token="late")
        refused = late.get()
        assert (refused.status_code, refused.text) == (
            404,
            f"The code {old} is no longer used. Ask your teacher for the new one.",
        )
        assert late.send("join", name="").status_code == 404
        assert bo.send("join", name="").json()["removed"]
        assert Person(new, token="the cookie of ana").state["name"] == "Ana"
        restart(monkeypatch)
    for token in ("late", "the cookie of bo"):
        assert Person(new, token=token).join().state["joined"]
    assert numbers(teacher.state["people"]) == [[1], [3], [4]]
    assert teacher.state["removals"] == []
    teacher.act("end")
    assert ana.state["ended"]
    assert list(journal.folder().iterdir()) == []


def test_no_two_rooms_have_had_the_same_code(teacher, monkeypatch):
    used = iter([teacher.act("code").json()["room"], teacher.room, "TVWXHG"])
    letters = iter("")

    def choice(among):
        nonlocal letters
        letter = next(letters, "")
        if not letter:
            letters = iter(next(used))
            letter = next(letters)
        return letter

    restart(monkeypatch)
    monkeypatch.setattr(journal.secrets, "choice", choice)
    assert Person().send("open").json()["room"] == "TVWXHG"


def test_newcomers_of_one_network_within_a_minute_are_shown_together_and_removed_at_once(teacher, ana, lines, monkeypatch):
    for at in range(6):
        Person(teacher.room, token=f"crowd {at}", host="10.0.0.7").join()
    Person(teacher.room, token="another", host="10.0.0.8").join()
    crowd = [2, 3, 4, 5, 6, 7]
    for _ in range(2):
        assert numbers(teacher.state["people"]) == [[1], crowd, [8]]
        restart(monkeypatch)
    assert "10.0.0" not in (journal.folder() / f"{teacher.room}.jsonl").read_text()
    state = teacher.act("removed", crowd).json()
    assert (numbers(state["people"]), numbers(state["removals"])) == ([[1], [8]], [crowd])
    assert numbers(teacher.act("restored", crowd).json()["people"]) == [[1], crowd, [8]]


def test_a_room_full_of_nobody_who_has_answered_is_emptied_by_its_teacher_at_once(teacher, ana, lines, monkeypatch):
    monkeypatch.setattr(room, "MAX_STUDENTS", 7)
    teacher.act("card", CARD)
    for at in range(6):
        Person(teacher.room, token=f"crowd {at}", host="10.0.0.7").join().vote("0")
    ana.get()
    late = Person(teacher.room, token="late")
    refused = late.send("join", name="Late")
    assert (refused.status_code, "Ask your teacher to remove who should not be there" in refused.text) == (400, True)
    crowd = next(group for group in numbers(teacher.state["people"]) if len(group) > 1)
    assert teacher.act("removed", crowd).json()["answered"] == 0
    assert late.join("Late").vote("1").status_code == 200
    assert teacher.act("reveal", CARD).json()["tally"]["counts"] == [0, 1]


# Odd input


@pytest.mark.parametrize("answer", ["", "2", "-1", "x", "0\n", "0" * 5000, "١"])
def test_what_is_no_answer_is_refused_in_a_sentence(teacher, ana, answer):
    teacher.act("card", CARD)
    reply = ana.vote(answer)
    assert reply.status_code in (400, 413)
    assert 0 < len(reply.text) < 200
    assert teacher.state["answered"] == 0


@pytest.mark.parametrize(
    ("do", "value"),
    [
        ("card", "none"),
        ("card", 7),
        ("card", "../x"),
        ("reveal", "other"),
        ("follow", "yes"),
        ("held", {"query": "x" * 2001, "step": 1}),
        ("held", {"query": "K=5", "step": 1e300}),
        ("held", {"query": "K=5", "step": -1}),
        ("held", "x"),
        ("removed", [1]),
        ("removed", 1),
        ("removed", [{}, None]),
        ("restored", ["1"] * 200),
        ("door", "open"),
        ("burn", None),
        ({}, None),
    ],
)
def test_a_teachers_act_that_cannot_be_is_refused_in_a_sentence(teacher, do, value):
    teacher.act("card", CARD)
    reply = teacher.act(do, value)
    assert reply.status_code == 400
    assert 0 < len(reply.text) < 200
    assert teacher.get().status_code == 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


SECRETS: dict[str, str] = {}


@given(
    st.sampled_from(["join", "vote", "act", "open"]),
    st.dictionaries(st.sampled_from(["card", "answer", "do", "value", "name", "has"]), JSON),
    st.booleans(),
)
@settings(max_examples=150)
def test_nothing_that_is_sent_crashes_anything(name, asked, teaches):
    if not SECRETS.keys() & live._in_use.keys():
        opened = Person().send("open").json()
        SECRETS[opened["room"]] = opened["secret"]
    code = next(iter(SECRETS.keys() & live._in_use.keys()))
    person = Person(code, token="x", secret=SECRETS[code] if teaches else "")
    if name != "open":
        status = person.send(name, **asked).status_code
        assert status < 500
        assert status != 403 or name != "act" or not teaches, "the teacher's secret is"
    assert (
        person.client.post(
            f"/classroom/{name}", content=json.dumps([asked]), headers={"Content-Type": "application/json"}
        ).status_code
        == 400
    )


def test_a_form_on_another_site_does_nothing(teacher):
    for name in ("open", "join", "vote", "act"):
        answer = teacher.client.post(f"/classroom/{name}", content="{}", headers={"Content-Type": "text/plain"})
        assert answer.status_code == 415
        assert teacher.client.post(f"/classroom/{name}", json={"room": "x" * 5000}).status_code == 413


def test_a_name_is_text_whatever_is_in_it(teacher):
    Person(teacher.room, token="x").join("<script>\u202e\x00 \ud83d" + "y" * 100)
    teacher.act("card", CARD)
    assert [each["label"] for each in teacher.state["missing"]] == [("<script> " + "y" * 100)[:40]]


def test_a_name_keeps_its_joiners_in_the_room_in_its_journal_and_at_home(teacher, monkeypatch):
    names = ["علی\u200cرضا", "ශ්\u200dරී", "👨\u200d👩\u200d👧"]
    for name in names:
        Person(teacher.room, token=name.encode().hex()).join(name)
    teacher.act("card", CARD)
    assert [each["label"] for each in teacher.state["missing"]] == names
    restart(monkeypatch)
    assert [each["label"] for each in teacher.state["missing"]] == names
    teacher.act("reveal", CARD)
    assert [row[1] for row in rows(teacher.get("answers.csv"))[1:]] == names


def test_a_card_that_is_gone_after_its_answers_is_said_and_nothing_breaks(teacher, ana):
    teacher.act("card", CARD)
    ana.vote("1")
    (folder() / f"01-{CARD}.md").unlink()
    assert teacher.act("reveal", CARD).json()["tally"] is None
    assert ana.state["tally"] is None
    assert rows(teacher.get("answers.csv"))[1:] == [["1", "Ana", CARD, "", "1", ""]]
    (folder() / f"01-{CARD}.md").write_text(LESSON)
    assert ana.state["tally"]["counts"] == [0, 1], "its file came back"


# Limits


@pytest.fixture
def lines(monkeypatch):
    """The seconds that each question waited in a line; they pass at once, and no others do."""
    waited = []
    for module in ("line", "live"):
        monkeypatch.setattr(f"ui.classroom.{module}.time", SimpleNamespace(monotonic=lambda: 1000.0))

    async def sleep(seconds):
        waited.append(seconds)

    monkeypatch.setattr("ui.classroom.line.asyncio", SimpleNamespace(**{**vars(asyncio), "sleep": sleep}))
    return waited


def test_a_right_code_is_let_in_however_many_wrong_ones_came_from_its_address(teacher, ana, lines):
    prankster, codes = Person(host="10.0.0.7"), ("BCDGH", "HGDCBJ")
    for at in range(40):
        prankster.room = codes[at % 2]
        assert prankster.get().status_code == 404
    assert lines == []
    for at in range(20):
        prankster.room = codes[at % 2]
        refused = prankster.get()
        assert (refused.status_code, "There is no room" in refused.text) == (404, True)
    assert lines == [TURN] * 20, "guesses come one by one"
    newcomer = Person(teacher.room, host="10.0.0.7").join("Cy")
    assert lines == [TURN] * 21, "and a right one among them is not told by the time it takes"
    lines.clear()
    teacher.act("card", CARD)
    assert newcomer.vote("1").status_code == 200
    there = Person(teacher.room, token="the cookie of ana", host="10.0.0.7")
    assert there.get().status_code == 200
    assert Person(teacher.room, secret=teacher.client.headers[who.SECRET], host="10.0.0.7").get().status_code == 200
    assert Person(teacher.room, host="10.0.0.8").get().status_code == 200
    assert lines == [], "who is in a room, or elsewhere, waits for nothing"


def test_rooms_are_opened_freely_at_the_server_and_one_by_one_from_elsewhere(lines, monkeypatch):
    monkeypatch.setattr(live, "OPENS", 0)
    for _ in range(6):
        assert Person().send("open").status_code == 200
    for _ in range(5):
        assert Person(host="10.0.0.7").send("open").status_code == 200
    assert lines == []
    assert Person(host="10.0.0.7").send("open").status_code == 200
    assert lines == [TURN]


def opened(host="127.0.0.1", browser="", there=True):
    """A room from this address, its teacher there or gone."""
    answer = Person(host=host, token=browser).send("open")
    assert answer.status_code == 200, answer.text
    made = answer.json()
    teacher = Person(made["room"], secret=made["secret"], host=host)
    if there:
        teacher.get()
    else:
        live._in_use[made["room"]].opened = -math.inf
    return teacher


def test_one_who_opens_rooms_keeps_no_teacher_of_his_network_from_opening_one(lines):
    ours = opened("10.0.0.7", "a teacher", there=False)
    prank = [opened("10.0.0.7", "prankster", there=False) for _ in range(4)]
    for _ in range(20):
        prank.append(opened("10.0.0.7", "prankster", there=False))
    assert not ours.state["ended"], "the newest give way"
    mine = opened("10.0.0.7", "another teacher")
    assert prank[-1].state["ended"]
    with_tabs = [opened("10.0.0.7", "prankster") for _ in range(9)]
    late = opened("10.0.0.7", "a third teacher")
    assert with_tabs[-1].state["ended"], "one browser with many tabs has one room before others have none"
    assert not any(teacher.state["ended"] for teacher in (mine, late))


def test_rooms_that_one_browser_opened_and_left_give_way_also_where_it_joined_them(lines, monkeypatch):
    prank = [opened("10.0.0.7", "prankster", there=False) for _ in range(live.MOST_OPEN)]
    for each in prank:
        Person(each.room, token="prankster").join()
    monkeypatch.setattr(live, "THERE", 0)
    mine = opened("10.0.0.7", "a teacher")
    assert sum(each.state["ended"] for each in prank) == 1
    assert not mine.state["ended"]


def test_one_address_has_so_many_rooms_in_use_and_ending_one_makes_room_for_another(lines):
    used = [opened("10.0.0.7", f"teacher {at}") for at in range(live.MOST_OPEN)]
    for each in used:
        Person(each.room, token="x").join()
    refused = Person(host="10.0.0.7").send("open")
    assert refused.status_code == 429
    assert "end one" in refused.text
    assert opened("10.0.0.8")
    used[0].act("end")
    assert opened("10.0.0.7")


@pytest.fixture
def full(monkeypatch):
    """As many rooms as there can be, opened at the server, their teachers there."""
    monkeypatch.setattr(journal, "MAX_ROOMS", 3)
    return [opened(browser=f"teacher {at}") for at in range(3)]


def leave(teacher):
    left = live._in_use[teacher.room]
    left._seen.pop(live.TEACHER)
    left.opened = -math.inf


def test_where_there_can_be_no_more_a_room_that_nobody_used_gives_way_and_its_teacher_hears_of_it(full):
    assert Person(host="10.0.0.7").send("open").status_code == 400
    leave(full[1])
    opened("10.0.0.7", "somebody")
    assert full[1].state["ended"]
    assert full[1].act("card", CARD).status_code == 404
    assert Person(host="10.0.0.8").send("open").status_code == 400
    assert not full[0].state["ended"]


def test_after_a_restart_rooms_of_several_teachers_are_not_taken_for_those_of_one(full, monkeypatch):
    restart(monkeypatch)
    for teacher in full:
        teacher.get()
    assert Person(host="10.0.0.7").send("open").status_code == 400
    assert not any(teacher.state["ended"] for teacher in full)


def test_who_is_at_the_server_finds_room_for_a_class_but_takes_no_teacher_his(full):
    assert Person().send("open").status_code == 400, "all the teachers are there"
    student = Person(full[0].room, token="x").join()
    student.get()
    full[1].act("card", CARD)
    leave(full[0])
    leave(full[1])
    assert Person(host="10.0.0.7").send("open").status_code == 400
    opened(browser="a")
    assert student.state["joined"], "a room with a class in it goes last"
    assert Person(full[1].room).state["ended"]
    opened(browser="b")
    assert student.state["ended"]
    assert Person().send("open").status_code == 400
    assert not full[2].state["ended"]


def test_a_class_behind_one_address_comes_at_once_and_a_crowd_one_by_one(teacher, lines):
    for _ in range(60):
        Person(teacher.room, host="10.0.0.7").join()
    assert lines == []
    Person(teacher.room, host="10.0.0.7").join()
    assert lines == [TURN]
    Person(teacher.room, host="10.0.0.8").join()
    assert lines == [TURN]


def test_who_joins_without_end_keeps_nobody_out(teacher, ana, monkeypatch, lines):
    monkeypatch.setattr(room, "MAX_STUDENTS", 5)
    ana.get()
    for _ in range(30):
        assert Person(teacher.room, host="10.0.0.7").send("join", name="x").status_code == 200
    late = Person(teacher.room, token="late", host="10.0.0.7").join("Late")
    teacher.act("card", CARD)
    assert (ana.vote("1").status_code, late.vote("0").status_code) == (200, 200)


def test_in_a_full_room_who_neither_answered_nor_is_there_makes_room(teacher, ana, bo, monkeypatch):
    monkeypatch.setattr(room, "MAX_STUDENTS", 2)
    late = Person(teacher.room, token="late")
    for one in (ana, bo):
        one.get()
    assert late.send("join", name="").status_code == 400, "both came a moment ago"
    teacher.act("card", CARD)
    ana.vote("1")
    monkeypatch.setattr(live, "THERE", 0)
    late.join("Late")
    assert (ana.state["joined"], bo.state["joined"], late.state["joined"]) == (True, False, True)
    assert [each["label"] for each in teacher.state["missing"]] == ["Late"]
    assert len(journal.find(teacher.room).students) == 2


def test_who_was_away_for_longest_makes_room_first(teacher, monkeypatch):
    monkeypatch.setattr(room, "MAX_STUDENTS", 3)
    clock = SimpleNamespace(monotonic=lambda: clock.now, now=1000.0)
    monkeypatch.setattr(live, "time", clock)
    asleep, nobody, there = (Person(teacher.room, token=token).join() for token in ("asleep", "nobody", "there"))
    asleep.get()
    clock.now += 600
    there.get()
    late = Person(teacher.room, token="late").join()
    assert [one.state["joined"] for one in (asleep, nobody, there, late)] == [True, False, True, True]


def test_a_refusal_of_this_server_is_known_by_a_header(teacher):
    for answer in (Person("BCDGH").get(), Person(teacher.room, secret="x").get(), teacher.get()):
        assert routes.ANSWERED in answer.headers


def test_one_network_of_version_six_is_one_address(lines):
    for host in ("2001:db8::1", "2001:db8::2"):
        for _ in range(20):
            Person("BCDGH", host=host).get()
    Person("BCDGH", host="2001:db8:1::1").get()
    assert lines == []
    Person("BCDGH", host="2001:db8::3").get()
    assert lines == [TURN]


# Waiting


@contextlib.contextmanager
def waiting(person, **query):
    """An answer that somebody waits for, in a thread: a list that it is put into, with the seconds it took."""
    took = []

    def ask():
        began = time.perf_counter()
        took.append((person.get(**query), time.perf_counter() - began))

    thread = threading.Thread(target=ask)
    thread.start()
    time.sleep(0.3)
    yield took
    thread.join(5)
    assert took


@pytest.fixture
def one_loop():
    """All clients on one event loop, as on a server."""
    with TestClient(APP) as client, pytest.MonkeyPatch.context() as patch:
        patch.setattr(TestClient, "portal", client.portal)
        yield


@pytest.mark.clock
def test_news_reach_who_waits_at_once_and_votes_only_the_teacher(one_loop, teacher, ana, bo):
    teacher.act("card", CARD)
    with waiting(ana, since=ana.state["version"]) as student, waiting(teacher, since=teacher.state["version"]) as teaching:
        bo.vote("1")
        time.sleep(0.6)
        assert not student, "a vote is no news for the others"
        assert teaching[0][0].json()["answered"] == 1
        teacher.act("reveal", CARD)
        time.sleep(0.1)
        assert student[0][0].json()["tally"] == {"kind": "choice", "counts": [0, 1]}


@pytest.mark.clock
def test_the_other_tab_of_who_answered_hears_of_it_and_nobody_else(one_loop, teacher, ana, bo):
    teacher.act("card", CARD)
    with waiting(bo, since=bo.state["version"]) as other, waiting(ana, since=ana.state["version"]) as tab:
        ana.vote("1")
        time.sleep(0.2)
        assert tab[0][0].json()["mine"] == "1"
        assert not other
        with waiting(bo, since=bo.state["version"]) as named:
            bo.send("join", name="Bo")
        assert named[0][0].json()["name"] == "Bo"


@pytest.mark.clock
def test_a_question_that_is_behind_is_answered_at_once(one_loop, teacher, ana):
    before = ana.state["version"]
    teacher.act("card", CARD)
    began = time.perf_counter()
    assert ana.get(since=before).json()["card"] == CARD
    assert ana.get().json()["card"] == CARD
    assert ana.get(since="nonsense").json()["card"] == CARD
    assert time.perf_counter() - began < 1


@pytest.mark.clock
def test_a_wait_ends_by_itself_and_who_is_not_in_the_room_does_not_wait(one_loop, teacher, ana, monkeypatch):
    monkeypatch.setattr(routes, "POLL", 0.5)
    assert ana.get(since=ana.state["version"]).json()["version"] == ana.state["version"]
    began = time.perf_counter()
    assert not Person(teacher.room).get(since="0.0").json()["joined"]
    assert time.perf_counter() - began < 0.4


@pytest.mark.clock
def test_one_person_waits_in_so_many_tabs(one_loop, teacher, ana):
    with contextlib.ExitStack() as tabs:
        took = [tabs.enter_context(waiting(ana, since=ana.state["version"])) for _ in range(live.TABS + 2)]
        assert [len(tab) for tab in took] == [1, 1] + [0] * live.TABS, "the oldest make room"
        teacher.act("card", CARD)


@pytest.mark.clock
def test_who_waits_hears_that_the_server_ends(one_loop, teacher, ana, monkeypatch):
    with waiting(ana, since=ana.state["version"]) as took:
        used = live._in_use[teacher.room]
        monkeypatch.setattr(live, "_loop", next(iter(used._waiting.values()))[0].get_loop())
        live.stop()
        time.sleep(0.2)
        assert took[0][1] < 2
    assert ana.get(since=ana.state["version"]).elapsed.total_seconds() < 1


# The way in


def test_an_address_is_drawn_as_a_code(teacher):
    answer = teacher.client.get("/classroom/qr.svg", params={"address": f"http://192.168.0.2:8501/classroom?room={teacher.room}"})
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.text.startswith("<svg")
    for odd in ("", "javascript:alert(1)", "http://" + "x" * 200, "http://ü"):
        assert teacher.client.get("/classroom/qr.svg", params={"address": odd}).status_code == 400
    for none in ("http://a", "http://a/?room=", "http://a/?room=BCDGH"):
        assert teacher.client.get("/classroom/qr.svg", params={"address": none}).status_code == 404


def test_a_teacher_at_the_server_is_told_how_others_reach_it(teacher, ana, monkeypatch):
    secret = teacher.client.headers[who.SECRET]
    monkeypatch.setattr(reach, "_hosts", lambda: ["192.168.0.2"])
    monkeypatch.setattr(reach, "_listens", "127.0.0.1")
    here = Person(teacher.room, secret=secret, base="http://localhost:8501")
    assert here.state["reach"] == {"hosts": ["192.168.0.2"], "alone": True}
    monkeypatch.setattr(reach, "_listens", "0.0.0.0")
    assert here.state["reach"] == {"hosts": ["192.168.0.2"], "alone": False}
    assert teacher.state["reach"] is None
    assert "reach" not in ana.state


def test_who_is_in_a_room_is_not_told_a_card_before_it_is_revealed(teacher, ana, bo, monkeypatch):
    def told(token, card=CARD):
        app = Starlette(routes=lesson_routes(who.withholds))
        return TestClient(app, cookies={visitors.COOKIE: token}).get("/lessons/answer.json", params={"card": card, "answer": "0"})

    in_it = ("the cookie of ana", "the cookie of bo")
    assert told(in_it[0]).status_code == 200, "no card is open"
    teacher.act("card", CARD)
    bo.vote("0")
    for token in in_it:
        assert (told(token).status_code, told(token).text) == (400, WITHHELD)
        assert told(token, "other").status_code == 200
    restart(monkeypatch)
    assert told(in_it[0]).text == WITHHELD, "after a restart too, before anybody has come back"
    assert told("").status_code == told("the cookie of cy").status_code == 200, "they are in no room"
    teacher.act("reveal", CARD)
    assert told(in_it[0]).json()["truth"] is not None
    teacher.act("card", "other")
    assert told(in_it[0], "other").text == WITHHELD
    teacher.act("end")
    assert told(in_it[0], "other").status_code == 200
