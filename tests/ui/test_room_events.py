"""A room follows from what happened in it and from nothing else, however odd that is."""

import itertools

import pytest
from happenings import EVENTS, NUMBERS, ODD, OPENED
from hypothesis import given, settings
from hypothesis import strategies as st

from ui.classroom.arrivals import MANY, WITHIN, arrivals
from ui.classroom.events import apply, begin, fold
from ui.classroom.room import ALPHABET, MAX_CODES, MAX_NAME, MAX_STUDENTS, RoomError, Student, code_in

DONE = st.sampled_from(["joined", "card", "vote", "reveal", "follow", "held", "left", "unnamed", "opened", "?"])
ACTS = st.sampled_from(["removed", "restored", "door", "code"])
FIELDS = st.sampled_from(
    ["who", "name", "card", "answer", "on", "query", "step", "number", "numbers", "open", "code", "network", "at"]
)
ODD_EVENTS = st.builds(
    lambda do, rest: {**rest, "do": do}, DONE | ACTS | ODD, st.dictionaries(FIELDS, ODD | st.just("one"), max_size=5)
)


@given(st.lists(EVENTS, max_size=40))
def test_an_answer_once_committed_never_changes_and_none_comes_after_the_reveal(events):
    room = begin(OPENED)
    for event in events:
        before = room
        try:
            room = apply(room, event)
        except RoomError:
            assert room is before
            continue
        removed, restored = event["do"] == "removed", event["do"] == "restored"
        for card, answers in before.answers.items():
            kept = {who: answer for who, answer in answers.items() if who not in room.removed} if removed else answers
            assert kept.items() <= room.answers[card].items()
            assert card not in before.revealed or restored or room.answers[card] == kept
        assert all(who in room.students for answers in room.answers.values() for who in answers)
        assert before.revealed <= room.revealed
        changed = room is not before
        assert room.version == before.version + changed
        assert room.news == before.news + (changed and event["do"] not in ("joined", "left", "vote", "door"))
        numbers = [student.number for student in room.students.values()]
        assert numbers == sorted(set(numbers)), "nobody is called as another"
        assert not set(numbers) & {each.student.number for each in room.removed.values()}
        assert not room.students.keys() & room.removed.keys()
        came, back = room.students.keys() - before.students.keys(), room.students.keys() & before.removed.keys()
        assert not came or restored or not before.closed, "nobody comes through a closed door"
        assert restored or all(before.removed[who].code != before.code for who in back), "who was removed needs a new code"
        assert len(set(room.codes)) == len(room.codes)


@given(st.lists(EVENTS, max_size=40), st.lists(NUMBERS, min_size=1, max_size=5), st.booleans())
def test_what_is_undone_at_once_leaves_nothing_behind(events, numbers, removes):
    room = fold([OPENED, *events])
    acts = [{"do": do, "numbers": numbers} for do in (("removed", "restored") if removes else ("restored", "removed"))]
    try:
        first = apply(room, acts[0])
    except RoomError:
        return
    changed = {student.number for student in first.students.values()} ^ {student.number for student in room.students.values()}
    if not changed:
        return
    after = apply(first, acts[1] | {"numbers": sorted(changed)})
    assert (after.students, after.answers) == (room.students, room.answers)
    assert after.removed.keys() == room.removed.keys()
    assert after.news == room.news + 2, "every student is shown it"


@given(st.lists(EVENTS, max_size=30))
def test_an_event_repeated_changes_nothing(events):
    room = begin(OPENED)
    for event in events:
        try:
            room = apply(room, event)
        except RoomError:
            continue
        assert apply(room, event) is room


def test_who_has_answered_stays_and_a_name_that_was_taken_away_is_not_given_again():
    room = begin(OPENED)
    for who in ("a", "b"):
        room = apply(room, {"do": "joined", "who": who, "name": who})
    room = apply(room, {"do": "card", "card": "one"})
    room = apply(room, {"do": "vote", "who": "a", "card": "one", "answer": "0"})
    with pytest.raises(RoomError, match="stays"):
        apply(room, {"do": "left", "who": "a"})
    assert list(apply(room, {"do": "left", "who": "b"}).students) == ["a"]
    room = apply(room, {"do": "unnamed", "number": 1})
    assert apply(room, {"do": "joined", "who": "a", "name": "again"}).students["a"].label == "student 1"
    with pytest.raises(RoomError, match="no such student"):
        apply(room, {"do": "unnamed", "number": 3})


def test_what_is_left_of_an_ended_room_has_no_names_and_no_answers():
    room = begin(OPENED)
    for event in (
        {"do": "joined", "who": "a", "name": "Ana"},
        {"do": "card", "card": "which"},
        {"do": "vote", "who": "a", "card": "which", "answer": "a word of hers"},
        {"do": "reveal", "card": "which"},
        {"do": "held", "query": "K=5", "step": 2},
        {"do": "ended"},
    ):
        room = apply(room, event)
    assert room.ended
    assert "a" in room.students
    assert not [word for word in ("Ana", "which", "hers", "K=5") if word in repr(room)]


@given(ODD_EVENTS)
@settings(max_examples=300)
def test_an_odd_event_is_refused_or_harmless(event):
    room = fold([OPENED, {"do": "joined", "who": "a", "name": ""}, {"do": "card", "card": "one"}])
    try:
        after = apply(room, event)
    except RoomError as error:
        assert str(error)
        assert "\n" not in str(error)
    else:
        for text in (after.card, *(held.query for held in [after.held] if held), *(s.label for s in after.students.values())):
            assert text.encode(), "what is kept can be sent"


def test_a_name_is_plain_short_and_given_once():
    room = begin(OPENED)
    room = apply(room, {"do": "joined", "who": "a", "name": ""})
    assert room.students["a"].label == "student 1"
    room = apply(room, {"do": "joined", "who": "a", "name": " <b>A\u202en\x00a\n " + "x" * 100})
    assert room.students["a"].name == ("<b>Ana " + "x" * 100)[:MAX_NAME]
    assert apply(room, {"do": "joined", "who": "a", "name": "other"}) is room


def test_a_room_holds_so_many():
    room = begin(OPENED)
    for i in range(MAX_STUDENTS):
        room = apply(room, {"do": "joined", "who": str(i), "name": ""})
    with pytest.raises(RoomError, match="it holds 120 students"):
        apply(room, {"do": "joined", "who": "one more", "name": ""})
    assert apply(room, {"do": "joined", "who": "0", "name": ""}) is room


def test_a_new_card_forgets_the_lab_of_the_one_before_and_is_free():
    room = begin(OPENED)
    for event in ({"do": "card", "card": "one"}, {"do": "follow", "on": True}, {"do": "held", "query": "K=5", "step": 2}):
        room = apply(room, event)
    assert room.held == ("K=5", 2)
    room = apply(room, {"do": "card", "card": "two"})
    assert (room.held, room.following) == (None, False)


@pytest.mark.parametrize("typed", ["", "BCDG", "BCDGHJK", "ÄCDGH", "../..", "B" * 10_000, "BCDG0"])
def test_what_can_be_no_code_is_none(typed):
    assert code_in(typed) == ""


def happened(*events):
    """The room after these, each of which can be."""
    room = begin(OPENED)
    for event in events:
        room = apply(room, event)
    return room


JOINED = {"do": "joined", "who": "a", "name": "Ana"}
REMOVED = {"do": "removed", "numbers": [1]}


def test_who_was_removed_comes_back_by_a_new_code_as_somebody_new_or_by_the_teacher_with_all_answers():
    card, vote = {"do": "card", "card": "one"}, {"do": "vote", "who": "a", "card": "one", "answer": "2"}
    room = happened(JOINED, card, vote, REMOVED)
    assert (dict(room.students), room.answers["one"]) == ({}, {})
    for name in ("", "Bo"):
        with pytest.raises(RoomError, match="has removed you"):
            apply(room, JOINED | {"name": name})
    with pytest.raises(RoomError, match="Join the room first"):
        apply(room, vote)
    back = apply(room, {"do": "restored", "numbers": [1]})
    assert (back.students["a"].label, back.answers["one"]) == ("Ana", {"a": "2"})
    anew = happened(JOINED, card, vote, REMOVED, {"do": "code", "code": "TVWXHG"}, JOINED | {"name": "Bo"})
    assert (anew.students["a"].label, anew.students["a"].number, anew.answers["one"]) == ("Bo", 2, {})
    with pytest.raises(RoomError, match="no such student"):
        apply(anew, {"do": "restored", "numbers": [1]})
    again = apply(anew, {"do": "removed", "numbers": [2]})
    with pytest.raises(RoomError, match="has removed you"):
        apply(again, JOINED)


def test_a_closed_door_keeps_out_who_was_not_inside_alone():
    room = happened(JOINED, {"do": "door", "open": False})
    with pytest.raises(RoomError, match="The door of this room is closed"):
        apply(room, JOINED | {"who": "b"})
    assert apply(room, JOINED) is room
    assert apply(apply(room, {"do": "door", "open": True}), JOINED | {"who": "b"}).students["b"]


def test_a_room_has_each_code_once_and_so_many():
    room = happened({"do": "code", "code": "TVWXHG"})
    assert (room.code, room.opened_as) == ("TVWXHG", OPENED["code"])
    for code in (OPENED["code"], "AEIOUY", "../../x", ""):
        with pytest.raises(RoomError, match="A new code"):
            apply(room, {"do": "code", "code": code})
    for first, last in itertools.islice(itertools.product(ALPHABET, repeat=2), MAX_CODES - 2):
        room = apply(room, {"do": "code", "code": f"{first}CDGH{last}"})
    with pytest.raises(RoomError, match="the most that it can have: close its door instead"):
        apply(room, {"do": "code", "code": "WVTRQP"})


def test_a_room_that_filled_up_again_takes_nobody_back_in():
    room = happened(*(JOINED | {"who": str(at)} for at in range(MAX_STUDENTS)), REMOVED, JOINED | {"who": "one more"})
    with pytest.raises(RoomError, match="remove others before"):
        apply(room, {"do": "restored", "numbers": [1]})


def test_who_came_together_from_one_network_stands_together():
    def came(number, network, at):
        return Student(number, "", False, network, at)

    crowd = [came(2 * at, "crowd", 100 + WITHIN / (MANY - 1) * (at - 1)) for at in range(1, MANY + 1)]
    others = [came(2 * at + 1, "others", at * WITHIN) for at in range(MANY)]
    unknown = [came(100 + at, "", 0) for at in range(MANY)]
    students = sorted([*crowd, *others, *unknown])
    assert arrivals(students) == [[others[0]], crowd, *([each] for each in [*others[1:], *unknown])]
    late = came(2 * MANY, "crowd", 100 + WITHIN + 1)
    assert arrivals([*crowd[:-1], late]) == [[each] for each in [*crowd[:-1], late]], "that would be too few"
