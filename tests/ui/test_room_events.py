"""A room follows from what happened in it and from nothing else, however odd that is."""

import pytest
from happenings import EVENTS, ODD, OPENED
from hypothesis import given, settings
from hypothesis import strategies as st

from ui.classroom.room import MAX_NAME, MAX_STUDENTS, RoomError, apply, begin, code_in, fold

DONE = st.sampled_from(["joined", "card", "vote", "reveal", "follow", "held", "left", "unnamed", "opened", "?"])
FIELDS = st.sampled_from(["who", "name", "card", "answer", "on", "query", "step", "number"])
ODD_EVENTS = st.builds(lambda do, rest: {**rest, "do": do}, DONE | ODD, st.dictionaries(FIELDS, ODD | st.just("one"), max_size=5))


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
