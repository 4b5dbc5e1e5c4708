"""A room follows from its journal and from nothing else, whatever happens to the journal and to the server."""

import json
import os
import stat
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ui.classroom import rooms
from ui.classroom.rooms import NoRoom, RoomError
from ui.shared import learners, visitors
from ui.train import watching

OPENED = {"do": "opened", "code": "BCDGH", "salt": "salt", "secret": "digest", "at": 1000.0}
WHO, CARDS, ANSWERS = st.sampled_from(["a", "b", "c", "d"]), st.sampled_from(["one", "two", ""]), st.sampled_from(["0", "1", "2"])
NUMBERS = st.integers(1, 5)
EVENTS = st.one_of(
    st.builds(lambda who: {"do": "left", "who": who}, WHO),
    st.builds(lambda number: {"do": "unnamed", "number": number}, NUMBERS),
    st.builds(lambda who, name: {"do": "joined", "who": who, "name": name}, WHO, st.sampled_from(["", "Ana", "Bo\u202e"])),
    st.builds(lambda card: {"do": "card", "card": card}, CARDS),
    st.builds(lambda who, card, answer: {"do": "vote", "who": who, "card": card, "answer": answer}, WHO, CARDS, ANSWERS),
    st.builds(lambda card: {"do": "reveal", "card": card}, CARDS),
    st.builds(lambda on: {"do": "follow", "on": on}, st.booleans()),
    st.builds(
        lambda query, step: {"do": "held", "query": query, "step": step}, st.sampled_from(["K=5", "K=6"]), st.integers(0, 9)
    ),
)
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
DONE = st.sampled_from(["joined", "card", "vote", "reveal", "follow", "held", "left", "unnamed", "opened", "?"])
FIELDS = st.sampled_from(["who", "name", "card", "answer", "on", "query", "step", "number"])
ODD_EVENTS = st.builds(lambda do, rest: {**rest, "do": do}, DONE | ODD, st.dictionaries(FIELDS, ODD | st.just("one"), max_size=5))


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("MAML_LAB_RUNS", str(tmp_path))
    return tmp_path


def journal(code):
    return rooms.folder() / f"{code}.jsonl"


def played(room, events):
    """The room after those of the events that are possible, kept in its journal."""
    for event in events:
        try:
            room = rooms.add(room, event)
        except RoomError:
            continue
    return room


# What follows from events


@given(st.lists(EVENTS, max_size=40))
def test_an_answer_once_committed_never_changes_and_none_comes_after_the_reveal(events):
    room = rooms.begin(OPENED)
    for event in events:
        before = room
        try:
            room = rooms.apply(room, event)
        except RoomError:
            assert room is before
            continue
        for card, answers in before.answers.items():
            assert answers.items() <= room.answers[card].items()
            assert card not in before.revealed or room.answers[card] == answers
        assert all(who in room.students for answers in room.answers.values() for who in answers)
        assert before.revealed <= room.revealed
        changed = room is not before
        assert room.version == before.version + changed
        assert room.news == before.news + (changed and event["do"] not in ("joined", "left", "vote"))
        numbers = [student.number for student in room.students.values()]
        assert numbers == sorted(set(numbers)), "nobody is called as another"


@given(st.lists(EVENTS, max_size=30))
def test_an_event_repeated_changes_nothing(events):
    room = rooms.begin(OPENED)
    for event in events:
        try:
            room = rooms.apply(room, event)
        except RoomError:
            continue
        assert rooms.apply(room, event) is room


def test_who_has_answered_stays_and_a_name_that_was_taken_away_is_not_given_again():
    room = rooms.begin(OPENED)
    for who in ("a", "b"):
        room = rooms.apply(room, {"do": "joined", "who": who, "name": who})
    room = rooms.apply(room, {"do": "card", "card": "one"})
    room = rooms.apply(room, {"do": "vote", "who": "a", "card": "one", "answer": "0"})
    with pytest.raises(RoomError, match="stays"):
        rooms.apply(room, {"do": "left", "who": "a"})
    assert list(rooms.apply(room, {"do": "left", "who": "b"}).students) == ["a"]
    room = rooms.apply(room, {"do": "unnamed", "number": 1})
    assert rooms.apply(room, {"do": "joined", "who": "a", "name": "again"}).students["a"].label == "student 1"
    with pytest.raises(RoomError, match="no such student"):
        rooms.apply(room, {"do": "unnamed", "number": 3})


def test_what_is_left_of_an_ended_room_has_no_names_and_no_answers():
    room = rooms.begin(OPENED)
    for event in (
        {"do": "joined", "who": "a", "name": "Ana"},
        {"do": "card", "card": "which"},
        {"do": "vote", "who": "a", "card": "which", "answer": "a word of hers"},
        {"do": "reveal", "card": "which"},
        {"do": "held", "query": "K=5", "step": 2},
        {"do": "ended"},
    ):
        room = rooms.apply(room, event)
    assert room.ended
    assert "a" in room.students
    assert not [word for word in ("Ana", "which", "hers", "K=5") if word in repr(room)]


@given(ODD_EVENTS)
@settings(max_examples=300)
def test_an_odd_event_is_refused_or_harmless(event):
    room = rooms.fold([OPENED, {"do": "joined", "who": "a", "name": ""}, {"do": "card", "card": "one"}])
    try:
        after = rooms.apply(room, event)
    except RoomError as error:
        assert str(error)
        assert "\n" not in str(error)
    else:
        for text in (after.card, *(held.query for held in [after.held] if held), *(s.label for s in after.students.values())):
            assert text.encode(), "what is kept can be sent"


def test_a_student_is_somebody_else_in_every_room_and_the_secret_is_nowhere(root):
    (one, secret), (two, _) = rooms.open_room(), rooms.open_room()
    assert one.knows("cookie") == one.knows("cookie") != two.knows("cookie")
    assert visitors.owner("cookie") not in (one.knows("cookie"), two.knows("cookie"))
    assert one.is_teacher(secret)
    assert not two.is_teacher(secret)
    assert not one.is_teacher(one.secret)
    assert secret not in journal(one.code).read_text()
    assert len(secret) >= 32


def test_a_name_is_plain_short_and_given_once():
    room = rooms.begin(OPENED)
    room = rooms.apply(room, {"do": "joined", "who": "a", "name": ""})
    assert room.students["a"].label == "student 1"
    room = rooms.apply(room, {"do": "joined", "who": "a", "name": " <b>A\u202en\x00a\n " + "x" * 100})
    assert room.students["a"].name == ("<b>Ana " + "x" * 100)[: rooms.MAX_NAME]
    assert rooms.apply(room, {"do": "joined", "who": "a", "name": "other"}) is room


def test_a_room_holds_so_many():
    room = rooms.begin(OPENED)
    for i in range(rooms.MAX_STUDENTS):
        room = rooms.apply(room, {"do": "joined", "who": str(i), "name": ""})
    with pytest.raises(RoomError, match="it holds 120 students"):
        rooms.apply(room, {"do": "joined", "who": "one more", "name": ""})
    assert rooms.apply(room, {"do": "joined", "who": "0", "name": ""}) is room


def test_a_new_card_forgets_the_lab_of_the_one_before_and_is_free():
    room = rooms.begin(OPENED)
    for event in ({"do": "card", "card": "one"}, {"do": "follow", "on": True}, {"do": "held", "query": "K=5", "step": 2}):
        room = rooms.apply(room, event)
    assert room.held == ("K=5", 2)
    room = rooms.apply(room, {"do": "card", "card": "two"})
    assert (room.held, room.following) == (None, False)


# Codes


def test_a_code_spells_nothing_and_is_read_however_it_was_typed(root):
    codes = {rooms.open_room()[0].code for _ in range(rooms.MAX_ROOMS)}
    assert len(codes) == rooms.MAX_ROOMS
    for code in codes:
        assert len(code) == 6
        assert not set(code) & set("AEIOUYLFSZ0125")
        assert all(a != b for a, b in pairwise(code))
        assert rooms.code_in(f" {code[:2].lower()} {code[2:]}-") == code
    for none in ("", "BCDG", "BCDGHJK", "ÄCDGH", "../..", "B" * 10_000, "BCDG0"):
        assert rooms.code_in(none) == ""


# The journal


@given(st.lists(EVENTS, max_size=12), st.data())
@settings(max_examples=60)
def test_a_journal_cut_anywhere_is_the_room_at_an_earlier_moment(tmp_path_factory, events, data):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAML_LAB_RUNS", str(tmp_path_factory.mktemp("runs")))
        room, _ = rooms.open_room(1e9)  # a journal as long every time
        moments = [room]
        for event in events:
            moments.append(played(moments[-1], [event]))
        whole = journal(room.code).read_bytes()
        cut = data.draw(st.integers(0, len(whole)))
        journal(room.code).write_bytes(whole[:cut])
        try:
            found = rooms.find(room.code)
        except RoomError:
            assert cut < whole.index(b"\n"), "it was never open"
            return
        assert found in moments
        assert cut < len(whole) or found == moments[-1]
        after = played(found, [{"do": "joined", "who": "late", "name": ""}])
        assert rooms.find(room.code) == after, "what comes after a cut line is kept whole"


@given(st.lists(EVENTS, max_size=25))
@settings(max_examples=60)
def test_a_restart_changes_nothing(tmp_path_factory, events):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAML_LAB_RUNS", str(tmp_path_factory.mktemp("runs")))
        room, secret = rooms.open_room()
        room = played(room, events)
        assert rooms.find(room.code) == room
        assert rooms.find(room.code).is_teacher(secret)


@given(st.lists(st.binary(max_size=40) | ODD.map(lambda odd: json.dumps(odd).encode()), max_size=6))
@settings(max_examples=100)
def test_damaged_lines_are_passed_over(tmp_path_factory, lines):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAML_LAB_RUNS", str(tmp_path_factory.mktemp("runs")))
        room, _ = rooms.open_room()
        with journal(room.code).open("ab") as file:
            file.write(b"\n".join(lines) + b"\n")
        room = played(room, [{"do": "joined", "who": "a", "name": "Ana"}])
        assert rooms.find(room.code).students == room.students


def test_a_damaged_room_harms_no_other(root):
    (bad, _), (good, _) = rooms.open_room(), rooms.open_room()
    journal(bad.code).write_bytes(b"\x00" * 100)
    with pytest.raises(RoomError, match="cannot be read"):
        rooms.find(bad.code)
    journal(bad.code).write_bytes(journal(good.code).read_bytes())
    with pytest.raises(RoomError, match="that of another"):
        rooms.find(bad.code)
    assert rooms.find(good.code) == good
    assert [room.code for room in rooms.standing()] == [good.code]
    rooms.sweep()
    assert rooms.find(good.code) == good
    assert rooms.open_room()


@pytest.fixture
def clocks(monkeypatch):
    """The clock that nobody sets and the one on the wall, in the test's hands. Files are dated by the true one."""

    class Clocks:
        wall, steady = time.time(), 1000.0

        def go_on(self, seconds):
            self.wall, self.steady = self.wall + seconds, self.steady + seconds

        def restart(self):
            """Another server."""
            monkeypatch.setattr(rooms, "_known", {})

    clocks = Clocks()
    monkeypatch.setattr(rooms.time, "time", lambda: clocks.wall)
    monkeypatch.setattr(rooms.time, "monotonic", lambda: clocks.steady)
    clocks.restart()
    return clocks


def left():
    rooms.sweep()
    return {path.stem for path in rooms.folder().iterdir()}


def test_a_room_ends_a_day_after_the_last_thing_that_happened_in_it_and_its_journal_with_it(root, clocks):
    (used, _), (quiet, _) = rooms.open_room(), rooms.open_room()
    journal("BCDGH").write_text("damaged\n")
    journal("HGDCB").write_text(json.dumps(OPENED | {"code": "HGDCB", "at": float("nan")}) + "\n")
    rooms.sweep()
    clocks.go_on(rooms.LASTS - 10)
    assert len(left()) == 4
    rooms.add(used, {"do": "joined", "who": "a", "name": "Ana"})
    rooms.age(used.code)
    clocks.go_on(20)
    assert left() == {used.code}
    with pytest.raises(NoRoom):
        rooms.find(quiet.code)
    clocks.go_on(rooms.LASTS - 30)
    assert left() == {used.code}
    clocks.go_on(40)
    assert left() == set()


@pytest.mark.parametrize("days", [-400, -3, -0.9, 0.9, 3, 400])
@pytest.mark.parametrize("found_by", ["the server that opened it", "one that starts later"])
def test_a_clock_that_is_set_deletes_nothing_before_its_day_and_keeps_nothing_for_ever(root, clocks, days, found_by):
    room, _ = rooms.open_room()
    os.utime(journal(room.code), (clocks.wall,) * 2)
    assert left() == {room.code}
    clocks.wall += days * 86_400
    assert left() == {room.code}, "the clock was set, and a moment passed"
    if found_by != "the server that opened it":
        clocks.restart()
    clocks.go_on(rooms.LASTS - 60)
    assert left() == {room.code}
    clocks.go_on(rooms.LASTS)
    assert left() == set()


def test_a_server_that_starts_believes_the_date_that_is_latest_and_none_to_come(root, clocks):
    now = clocks.wall
    (late, _), (early, _), (never, _), (old, _) = (rooms.open_room(now + days * 86_400) for days in (-3, -0.5, 400, -3))
    for code, days in ((late.code, -0.5), (early.code, -3), (never.code, 500), (old.code, -3)):
        os.utime(journal(code), (now + days * 86_400,) * 2)
    clocks.restart()
    assert left() == {late.code, early.code, never.code}
    clocks.go_on(rooms.LASTS * 0.6)
    assert left() == {never.code}
    clocks.restart()
    clocks.go_on(rooms.LASTS * 0.5)
    assert left() == set(), "a date to come was replaced by one that passes"


def test_what_another_server_writes_is_news_too(root, clocks):
    room, _ = rooms.open_room()
    rooms.sweep()
    clocks.go_on(rooms.LASTS - 10)
    with journal(room.code).open("ab") as file:
        file.write(b'{"do": "joined", "who": "a", "name": ""}\n')
    clocks.go_on(20)
    assert left() == {room.code}


def test_a_journal_of_a_five_letter_code_goes_on(root):
    opened = OPENED | {"code": "BCDGH"}
    rooms.folder().mkdir(parents=True)
    journal("BCDGH").write_text(json.dumps(opened) + "\n" + json.dumps({"do": "joined", "who": "a", "name": "x" * 50}) + "\n")
    assert rooms.code_in("bcd gh") == "BCDGH"
    room = rooms.find("BCDGH")
    assert rooms.add(room, {"do": "card", "card": "one"}).card == rooms.find("BCDGH").card == "one"


def test_looking_over_the_rooms_reads_the_beginning_of_each_and_writes_nothing(root, monkeypatch):
    room, _ = rooms.open_room()
    assert rooms.standing() == [(room.code, room.opened, True)]
    with journal(room.code).open("ab") as file:
        file.write(b'{"do": "joined", "who": "a", "name": ""')  # a line that another server is in the middle of
    before = journal(room.code).read_bytes()
    monkeypatch.setattr(rooms, "fold", None)
    monkeypatch.setattr(rooms, "find", None)
    rooms.sweep()
    assert rooms.standing() == [(room.code, room.opened, False)]
    assert journal(room.code).read_bytes() == before


def test_two_servers_do_not_write_over_each_other(root, monkeypatch):
    room, _ = rooms.open_room()
    line_of = rooms._line

    def other_writes_meanwhile(event):
        with journal(room.code).open("ab") as file:
            file.write(line_of({"do": "joined", "who": "of the other", "name": "somebody with a long name"}))
        return line_of(event)

    monkeypatch.setattr(rooms, "_line", other_writes_meanwhile)
    rooms.add(room, {"do": "joined", "who": "a", "name": ""})
    assert set(rooms.find(room.code).students) == {"a", "of the other"}


def test_an_opening_that_fails_takes_no_place(root, monkeypatch):
    real = type(root).open

    def on_a_full_disk(path, mode="r", *rest):
        real(path, mode, *rest).close()
        return real(type(root)("/dev/full"), "wb")

    if not type(root)("/dev/full").exists():
        pytest.skip("there is no such disk here")
    monkeypatch.setattr(type(root), "open", on_a_full_disk)
    with pytest.raises(RoomError, match="No space left"):
        rooms.open_room()
    assert list(rooms.folder().iterdir()) == []


def test_an_ended_room_is_gone_and_nothing_more_happens_in_it(root):
    room, _ = rooms.open_room()
    ended = rooms.add(room, {"do": "ended"})
    assert ended.ended
    assert not journal(room.code).exists()
    with pytest.raises(NoRoom):
        rooms.add(ended, {"do": "card", "card": "one"})
    with pytest.raises(NoRoom):
        rooms.add(room, {"do": "card", "card": "one"})
    assert not journal(room.code).exists(), "a journal does not begin in the middle"


def test_there_are_so_many_rooms(root):
    for _ in range(rooms.MAX_ROOMS):
        room, _ = rooms.open_room()
    with pytest.raises(RoomError, match="the most that it can hold"):
        rooms.open_room()
    rooms.add(room, {"do": "ended"})
    assert rooms.open_room()


def test_a_journal_that_is_full_takes_no_more_but_the_lab_still_moves(root, monkeypatch):
    room, _ = rooms.open_room()
    size = journal(room.code).stat().st_size
    monkeypatch.setattr(rooms, "MAX_JOURNAL", 2 * size - 2)
    assert rooms.add(room, {"do": "held", "query": "K=5", "step": 1}).held == ("K=5", 1)
    assert journal(room.code).stat().st_size == size, "the lab takes half of it at most"
    assert rooms.add(room, {"do": "joined", "who": "a", "name": ""}).students
    size = journal(room.code).stat().st_size
    monkeypatch.setattr(rooms, "MAX_JOURNAL", size)
    with pytest.raises(RoomError, match="as much as it can"):
        rooms.add(room, {"do": "joined", "who": "b", "name": ""})
    assert rooms.add(room, {"do": "card", "card": "one"}).card, "who comes and goes leaves room for answers"
    monkeypatch.setattr(rooms, "MAX_JOURNAL", 10)
    size = journal(room.code).stat().st_size
    with pytest.raises(RoomError, match="as much as it can"):
        rooms.add(room, {"do": "joined", "who": "b", "name": ""})
    assert journal(room.code).stat().st_size == size


def test_where_nothing_can_be_kept_nothing_happened(root):
    room, _ = rooms.open_room()
    if os.geteuid() == 0:
        journal(room.code).unlink()
        journal(room.code).mkdir()
    else:
        journal(room.code).chmod(stat.S_IRUSR)
    with pytest.raises(RoomError, match="cannot save this"):
        rooms.add(room, {"do": "card", "card": "one"})
    (root / "file").write_text("")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAML_LAB_RUNS", str(root / "file"))
        with pytest.raises(RoomError, match="Rooms cannot be kept in"):
            rooms.open_room()


def test_rooms_are_no_runs(root):
    rooms.open_room()
    assert watching.list_for("")["runs"] == []
    assert watching.list_for("")["damaged"] == {}
    assert learners.trained_here() == []
