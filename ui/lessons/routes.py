"""The routes by which a page asks the lessons' questions and settles them. No streamlit here.

What is right is told to nobody who has not answered.
"""

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from ui.lessons import settle, shelf
from ui.lessons.answers import SKETCH, Choice, Sketch, Slider
from ui.lessons.format import Lesson
from ui.shared import visitors
from ui.shared.ranges import FAMILY, Y_LIMIT
from ui.shared.routes import of_query, route

WITHHELD = "Your room has not revealed this card yet. The answer comes when the teacher reveals it."


def routes(withholds: Callable[[str, str], bool]) -> list[Route]:
    """The routes, below /lessons.

    withholds: whether the visitor of a token must not be told the answer of a card yet. It is asked on the event loop.
    """

    async def settled(request: Request) -> dict[str, Any]:
        query = request.query_params
        asked = query.get("card", "")
        if withholds(visitors.token_of(request), asked):
            raise ValueError(WITHHELD)
        await _measured(asked)
        return await asyncio.get_running_loop().run_in_executor(_workers, settle.answer, query)

    def checked(request: Request) -> dict[str, Any]:
        return settle.check(request.query_params, visitors.token_of(request))

    return [
        route("/lessons/cards.json", lambda request: cards(), workers=_workers),
        route("/lessons/card.json", of_query(card), workers=_workers),
        route("/lessons/answer.json", settled),
        route("/lessons/check.json", checked, workers=_workers),
    ]


_workers = ThreadPoolExecutor(16, thread_name_prefix="lessons")
_ahead = ThreadPoolExecutor(2, thread_name_prefix="lessons-ahead")
_under_way: dict[Lesson, Future[None]] = {}
_under_way_lock = threading.Lock()


def cards() -> dict[str, Any]:
    """All cards, and the files that are none."""
    lessons, broken = shelf.shelf()
    return {
        "cards": [
            {
                "card": lesson.card,
                "number": number if (number := shelf.place(lesson.file)[0]) < shelf.UNNUMBERED else None,
                "title": lesson.title,
                "minutes": lesson.minutes,
                "view": lesson.view,
                "answer": lesson.kind,
                "challenge": lesson.challenge is not None,
            }
            for lesson in lessons.values()
        ],
        "broken": [{"file": error.file, "line": error.line, "message": error.message} for error in broken],
    }


def card(query: Mapping[str, str]) -> dict[str, Any]:
    """One card's question. Begins to measure what an answer will need."""
    now = shelf.shelf()
    lesson, lessons = shelf.find(query.get("card", ""), now), list(now.lessons)
    measure_ahead(lesson)
    at = lessons.index(lesson.card)
    return {
        "card": lesson.card,
        "title": lesson.title,
        "minutes": lesson.minutes,
        "view": lesson.view,
        "predict": lesson.predict,
        "observe": lesson.observe,
        "controls": lesson.controls,
        "headings": lesson.headings,
        "question": lesson.html(lesson.sections["predict"]),
        "answer": widget(lesson),
        "challenge": {"text": lesson.html(lesson.sections["challenge"])} if lesson.challenge else None,
        "next": lessons[at + 1] if at + 1 < len(lessons) else None,
        "previous": lessons[at - 1] if at else None,
    }


def widget(lesson: Lesson) -> dict[str, Any]:
    """What a person answers with. Nothing in it tells what is right."""
    match lesson.answer:
        case Choice(options):
            return {"kind": "choice", "options": [lesson.html(option.text, inline=True) for option in options]}
        case Slider(label=label, low=low, high=high, log=log, unit=unit):
            return {"kind": "slider", "label": label, "low": low, "high": high, "log": log, "unit": unit}
        case Sketch() as sketch:
            return {
                "kind": "sketch",
                "learner": sketch.learner,
                "label": sketch.label,
                "step": sketch.step,
                "half": sketch.half,
                "x": list(FAMILY.x),
                "y": [-Y_LIMIT, Y_LIMIT],
                "points": SKETCH,
            }


def measure_ahead(lesson: Lesson) -> None:
    """Measure in the background what an answer will need; once for all who read the question."""

    def measure() -> None:
        try:
            settle.settle(lesson)
        except ValueError:  # is said to whoever answers
            pass
        finally:
            with _under_way_lock:
                _under_way.pop(lesson, None)

    with _under_way_lock:
        if lesson not in _under_way:
            _under_way[lesson] = _ahead.submit(measure)


async def _measured(card: str) -> None:
    """Wait while this card is measured, on no thread: a class that answers at once must not keep others waiting."""
    with _under_way_lock:
        known = [future for lesson, future in _under_way.items() if lesson.card == card]
    for future in known:
        await asyncio.shield(asyncio.wrap_future(future))  # one who leaves must not cancel it for the others
