"""What is taken along from a room: its answers and tallies as CSV, its address as a QR code. No streamlit here."""

import io
import math
from collections.abc import Callable
from contextlib import suppress

import segno

from ui.classroom.live import Live
from ui.classroom.room import Room
from ui.lessons.answers import Choice
from ui.lessons.format import Lesson
from ui.lessons.shelf import shelf
from ui.shared.remembered import remembered
from ui.shared.tables import csv_text


def answers_csv(room: Room) -> str:
    """Who answered what, of the cards that were revealed; empty for who did not."""
    rows = []
    for card, lesson in _revealed(room).items():
        title, words, answers = lesson.title if lesson else "", _words(lesson), room.answers.get(card, {})
        for who, student in room.students.items():
            answer = answers.get(who, "")
            rows.append((student.number, student.name, card, title, answer, words(answer)))
    return csv_text(("student", "name", "card", "title", "answer", "option"), rows)


def tally_csv(live: Live) -> str:
    """How often each answer was given, of the cards that were revealed."""
    rows: list[tuple] = []
    for card, lesson in _revealed(live.room).items():
        given = list(live.room.answers.get(card, {}).values())
        options = (live.tally(card) or {}).get("counts")
        different = [str(at) for at in range(len(options))] if options else sorted(set(given), key=_by_number)
        title, words = lesson.title if lesson else "", _words(lesson)
        rows += [(card, title, answer, words(answer), given.count(answer)) for answer in different]
    return csv_text(("card", "title", "answer", "option", "students"), rows)


def _revealed(room: Room) -> dict[str, Lesson | None]:
    """The cards that were revealed, in the order of lessons; those that there are no more last."""
    known = {card: lesson for card, lesson in shelf().lessons.items() if card in room.revealed}
    return known | dict.fromkeys(sorted(room.revealed - known.keys()))


def _by_number(answer: str) -> tuple[float, str]:
    try:
        return float(answer), answer
    except ValueError:
        return math.inf, answer


def _words(lesson: Lesson | None) -> Callable[[str], str]:
    """What the option says, for the answer to a choice, as it stands in the lesson's file; nothing for any other."""
    asked = lesson.answer if lesson else None

    def words(answer: str) -> str:
        if not isinstance(asked, Choice):
            return ""
        with suppress(ValueError):
            return asked.options[asked.read(answer)].text
        return ""

    return words


@remembered
def qr_code(address: str) -> bytes:
    """An address as an SVG, dark on light in both themes: phones read no other."""
    out = io.BytesIO()
    segno.make_qr(address).save(out, kind="svg", border=3, light="#fff", dark="#000", omitsize=True, xmldecl=False)
    return out.getvalue()
