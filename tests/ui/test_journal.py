"""A room is what its journal says, whatever happens to the journal and to the server."""

import json
import os
import stat
import time
from itertools import pairwise

import pytest
from happenings import EVENTS, ODD, OPENED
from hypothesis import given, settings
from hypothesis import strategies as st

from ui.classroom import journal
from ui.classroom.room import NoRoom, RoomError, code_in
from ui.shared import learners, visitors
from ui.train import watching


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("MAML_LAB_RUNS", str(tmp_path))
    return tmp_path


def file_of(code):
    return journal.folder() / f"{code}.jsonl"


def played(room, events):
    """The room after those of the events that are possible, kept in its journal."""
    for event in events:
        try:
            room = journal.add(room, event)
        except RoomError:
            continue
    return room


def test_a_student_is_somebody_else_in_every_room_and_the_secret_is_nowhere(root):
    (one, secret), (two, _) = journal.open_room(), journal.open_room()
    assert one.knows("cookie") == one.knows("cookie") != two.knows("cookie")
    assert visitors.owner("cookie") not in (one.knows("cookie"), two.knows("cookie"))
    assert one.is_teacher(secret)
    assert not two.is_teacher(secret)
    assert not one.is_teacher(one.secret)
    assert secret not in file_of(one.code).read_text()
    assert len(secret) >= 32


def test_a_code_spells_nothing_and_is_read_however_it_was_typed(root):
    codes = {journal.open_room()[0].code for _ in range(journal.MAX_ROOMS)}
    assert len(codes) == journal.MAX_ROOMS
    for code in codes:
        assert len(code) == 6
        assert not set(code) & set("AEIOUYLFSZ0125")
        assert all(a != b for a, b in pairwise(code))
        assert code_in(f" {code[:2].lower()} {code[2:]}-") == code


@given(st.lists(EVENTS, max_size=12), st.data())
@settings(max_examples=60)
def test_a_journal_cut_anywhere_is_the_room_at_an_earlier_moment(tmp_path_factory, events, data):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAML_LAB_RUNS", str(tmp_path_factory.mktemp("runs")))
        room, _ = journal.open_room(1e9)  # a journal as long every time
        moments = [room]
        for event in events:
            moments.append(played(moments[-1], [event]))
        whole = file_of(room.code).read_bytes()
        cut = data.draw(st.integers(0, len(whole)))
        file_of(room.code).write_bytes(whole[:cut])
        try:
            found = journal.find(room.code)
        except RoomError:
            assert cut < whole.index(b"\n"), "it was never open"
            return
        assert found in moments
        assert cut < len(whole) or found == moments[-1]
        after = played(found, [{"do": "joined", "who": "late", "name": ""}])
        assert journal.find(room.code) == after, "what comes after a cut line is kept whole"


@given(st.lists(EVENTS, max_size=25))
@settings(max_examples=60)
def test_a_restart_changes_nothing(tmp_path_factory, events):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAML_LAB_RUNS", str(tmp_path_factory.mktemp("runs")))
        room, secret = journal.open_room()
        room = played(room, events)
        assert journal.find(room.opened_as) == room
        assert journal.find(room.opened_as).is_teacher(secret)


@given(st.lists(st.binary(max_size=40) | ODD.map(lambda odd: json.dumps(odd).encode()), max_size=6))
@settings(max_examples=100)
def test_damaged_lines_are_passed_over(tmp_path_factory, lines):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAML_LAB_RUNS", str(tmp_path_factory.mktemp("runs")))
        room, _ = journal.open_room()
        with file_of(room.code).open("ab") as file:
            file.write(b"\n".join(lines) + b"\n")
        room = played(room, [{"do": "joined", "who": "a", "name": "Ana"}])
        assert journal.find(room.code).students == room.students


def test_a_damaged_room_harms_no_other(root):
    (bad, _), (good, _) = journal.open_room(), journal.open_room()
    file_of(bad.code).write_bytes(b"\x00" * 100)
    with pytest.raises(RoomError, match="cannot be read"):
        journal.find(bad.code)
    file_of(bad.code).write_bytes(file_of(good.code).read_bytes())
    with pytest.raises(RoomError, match="that of another"):
        journal.find(bad.code)
    assert journal.find(good.code) == good
    assert [room.code for room in journal.standing()] == [good.code]
    journal.sweep()
    assert journal.find(good.code) == good
    assert journal.open_room()


@pytest.fixture
def clocks(monkeypatch):
    """The clock that nobody sets and the one on the wall, in the test's hands. Files are dated by the true one."""

    class Clocks:
        wall, steady = time.time(), 1000.0

        def go_on(self, seconds):
            self.wall, self.steady = self.wall + seconds, self.steady + seconds

        def restart(self):
            """Another server."""
            monkeypatch.setattr(journal, "_known", {})

    clocks = Clocks()
    monkeypatch.setattr(journal.time, "time", lambda: clocks.wall)
    monkeypatch.setattr(journal.time, "monotonic", lambda: clocks.steady)
    clocks.restart()
    return clocks


def left():
    journal.sweep()
    return {path.stem for path in journal.folder().iterdir()}


def test_a_room_ends_a_day_after_the_last_thing_that_happened_in_it_and_its_journal_with_it(root, clocks):
    (used, _), (quiet, _) = journal.open_room(), journal.open_room()
    file_of("BCDGH").write_text("damaged\n")
    file_of("HGDCB").write_text(json.dumps(OPENED | {"code": "HGDCB", "at": float("nan")}) + "\n")
    journal.sweep()
    clocks.go_on(journal.LASTS - 10)
    assert len(left()) == 4
    journal.add(used, {"do": "joined", "who": "a", "name": "Ana"})
    journal.age(used.code)
    clocks.go_on(20)
    assert left() == {used.code}
    with pytest.raises(NoRoom):
        journal.find(quiet.code)
    clocks.go_on(journal.LASTS - 30)
    assert left() == {used.code}
    clocks.go_on(40)
    assert left() == set()


@pytest.mark.parametrize("days", [-400, -3, -0.9, 0.9, 3, 400])
@pytest.mark.parametrize("found_by", ["the server that opened it", "one that starts later"])
def test_a_clock_that_is_set_deletes_nothing_before_its_day_and_keeps_nothing_for_ever(root, clocks, days, found_by):
    room, _ = journal.open_room()
    os.utime(file_of(room.code), (clocks.wall,) * 2)
    assert left() == {room.code}
    clocks.wall += days * 86_400
    assert left() == {room.code}, "the clock was set, and a moment passed"
    if found_by != "the server that opened it":
        clocks.restart()
    clocks.go_on(journal.LASTS - 60)
    assert left() == {room.code}
    clocks.go_on(journal.LASTS)
    assert left() == set()


def test_a_server_that_starts_believes_the_date_that_is_latest_and_none_to_come(root, clocks):
    now = clocks.wall
    (late, _), (early, _), (never, _), (old, _) = (journal.open_room(now + days * 86_400) for days in (-3, -0.5, 400, -3))
    for code, days in ((late.code, -0.5), (early.code, -3), (never.code, 500), (old.code, -3)):
        os.utime(file_of(code), (now + days * 86_400,) * 2)
    clocks.restart()
    assert left() == {late.code, early.code, never.code}
    clocks.go_on(journal.LASTS * 0.6)
    assert left() == {never.code}
    clocks.restart()
    clocks.go_on(journal.LASTS * 0.5)
    assert left() == set(), "a date to come was replaced by one that passes"


def test_what_another_server_writes_is_news_too(root, clocks):
    room, _ = journal.open_room()
    journal.sweep()
    clocks.go_on(journal.LASTS - 10)
    with file_of(room.code).open("ab") as file:
        file.write(b'{"do": "joined", "who": "a", "name": ""}\n')
    clocks.go_on(20)
    assert left() == {room.code}


def test_a_journal_of_a_five_letter_code_goes_on(root):
    opened = OPENED | {"code": "BCDGH"}
    journal.folder().mkdir(parents=True)
    file_of("BCDGH").write_text(json.dumps(opened) + "\n" + json.dumps({"do": "joined", "who": "a", "name": "x" * 50}) + "\n")
    assert code_in("bcd gh") == "BCDGH"
    room = journal.find("BCDGH")
    assert journal.add(room, {"do": "card", "card": "one"}).card == journal.find("BCDGH").card == "one"


def test_looking_over_the_rooms_reads_the_beginning_of_each_and_writes_nothing(root, monkeypatch):
    room, _ = journal.open_room()
    assert journal.standing() == [(room.code, room.opened, True)]
    with file_of(room.code).open("ab") as file:
        file.write(b'{"do": "joined", "who": "a", "name": ""')  # a line that another server is in the middle of
    before = file_of(room.code).read_bytes()
    monkeypatch.setattr(journal, "fold", None)
    monkeypatch.setattr(journal, "find", None)
    journal.sweep()
    assert journal.standing() == [(room.code, room.opened, False)]
    assert file_of(room.code).read_bytes() == before


def test_two_servers_do_not_write_over_each_other(root, monkeypatch):
    room, _ = journal.open_room()
    line_of = journal._line

    def other_writes_meanwhile(event):
        with file_of(room.code).open("ab") as file:
            file.write(line_of({"do": "joined", "who": "of the other", "name": "somebody with a long name"}))
        return line_of(event)

    monkeypatch.setattr(journal, "_line", other_writes_meanwhile)
    journal.add(room, {"do": "joined", "who": "a", "name": ""})
    assert set(journal.find(room.code).students) == {"a", "of the other"}


def test_an_opening_that_fails_takes_no_place(root, monkeypatch):
    real = type(root).open

    def on_a_full_disk(path, mode="r", *rest):
        real(path, mode, *rest).close()
        return real(type(root)("/dev/full"), "wb")

    if not type(root)("/dev/full").exists():
        pytest.skip("there is no such disk here")
    monkeypatch.setattr(type(root), "open", on_a_full_disk)
    with pytest.raises(RoomError, match="No space left"):
        journal.open_room()
    assert list(journal.folder().iterdir()) == []


def test_an_ended_room_is_gone_and_nothing_more_happens_in_it(root):
    room, _ = journal.open_room()
    ended = journal.add(room, {"do": "ended"})
    assert ended.ended
    assert not file_of(room.code).exists()
    with pytest.raises(NoRoom):
        journal.add(ended, {"do": "card", "card": "one"})
    with pytest.raises(NoRoom):
        journal.add(room, {"do": "card", "card": "one"})
    assert not file_of(room.code).exists(), "a journal does not begin in the middle"


def test_there_are_so_many_rooms(root):
    for _ in range(journal.MAX_ROOMS):
        room, _ = journal.open_room()
    with pytest.raises(RoomError, match="the most that it can hold"):
        journal.open_room()
    journal.add(room, {"do": "ended"})
    assert journal.open_room()


def test_a_journal_that_is_full_takes_no_more_but_the_lab_still_moves(root, monkeypatch):
    room, _ = journal.open_room()
    size = file_of(room.code).stat().st_size
    monkeypatch.setattr(journal, "MAX_JOURNAL", 2 * size - 2)
    assert journal.add(room, {"do": "held", "query": "K=5", "step": 1}).held == ("K=5", 1)
    assert file_of(room.code).stat().st_size == size, "the lab takes half of it at most"
    assert journal.add(room, {"do": "joined", "who": "a", "name": ""}).students
    size = file_of(room.code).stat().st_size
    monkeypatch.setattr(journal, "MAX_JOURNAL", size)
    with pytest.raises(RoomError, match="as much as it can"):
        journal.add(room, {"do": "joined", "who": "b", "name": ""})
    assert journal.add(room, {"do": "card", "card": "one"}).card, "who comes and goes leaves room for answers"
    monkeypatch.setattr(journal, "MAX_JOURNAL", 10)
    size = file_of(room.code).stat().st_size
    with pytest.raises(RoomError, match="as much as it can"):
        journal.add(room, {"do": "joined", "who": "b", "name": ""})
    assert file_of(room.code).stat().st_size == size


def test_where_nothing_can_be_kept_nothing_happened(root):
    room, _ = journal.open_room()
    if os.geteuid() == 0:
        file_of(room.code).unlink()
        file_of(room.code).mkdir()
    else:
        file_of(room.code).chmod(stat.S_IRUSR)
    with pytest.raises(RoomError, match="cannot save this"):
        journal.add(room, {"do": "card", "card": "one"})
    (root / "file").write_text("")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAML_LAB_RUNS", str(root / "file"))
        with pytest.raises(RoomError, match="Rooms cannot be kept in"):
            journal.open_room()


def test_rooms_are_no_runs(root):
    journal.open_room()
    assert watching.list_for("")["runs"] == []
    assert watching.list_for("")["damaged"] == {}
    assert learners.trained_here() == []
