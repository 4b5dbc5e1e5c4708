"""The routes by which a page asks the lessons' questions and settles them. No streamlit here.

What is right is told to nobody who has not answered.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from ui.lessons import settle, shelf
from ui.lessons.answers import SKETCH, Choice, Sketch, Slider
from ui.lessons.format import Lesson
from ui.lessons.settle import Settled
from ui.shared import turns, visitors
from ui.shared.incoming import Refused
from ui.shared.ranges import FAMILY, Y_LIMIT
from ui.shared.routes import route
from ui.shared.turns import ALL_WAITING, Visitor, answering, measuring

WITHHELD = "Your room has not revealed this card yet. The answer comes when the teacher reveals it."


def routes(withholds: Callable[[str, str], bool]) -> list[Route]:
    """The routes, below /lessons.

    withholds: whether the visitor of a token must not be told the answer of a card yet. It is asked on the event loop.
    """

    known: dict[Lesson, Future[Settled]] = {}

    def measured(lesson: Lesson) -> Future[Settled]:
        """What is right on a card: measured once, for all who read the question, from when the first of them does."""
        truth = known.get(lesson)
        if truth is None or (truth.done() and (truth.cancelled() or truth.exception())):
            truth = known[lesson] = measuring.ask(LESSONS, lambda: settle.settle(lesson))
            while len(known) > MOST_KNOWN:
                del known[next(iter(known))]
        return truth

    async def asked(request: Request) -> dict[str, Any]:
        found = await turns.answered(request, lambda: card(request.query_params), answering)
        with suppress(Refused):  # is measured when somebody answers
            measured(shelf.find(found["card"]))
        return found

    async def settled(request: Request) -> dict[str, Any]:
        name, text = (request.query_params.get(part, "") for part in ("card", "answer"))
        if withholds(visitors.token_of(request), name):
            raise ValueError(WITHHELD)
        lesson = shelf.find(name)
        given = lesson.read_answer(text)  # what is none is refused before anything is measured
        truth = await asyncio.shield(asyncio.wrap_future(measured(lesson)))  # one who leaves must not end it for the others
        return await turns.answered(request, lambda: settle.answer(lesson, given, truth), answering)

    def checked(request: Request) -> dict[str, Any]:
        return settle.check(request.query_params, visitors.token_of(request))

    return [
        route("/lessons/cards.json", lambda request: cards()),
        route("/lessons/card.json", asked),
        route("/lessons/answer.json", settled),
        route("/lessons/check.json", checked, desk=measuring),
    ]


LESSONS = Visitor("lessons", True, waiting=ALL_WAITING)
"""Whose turn it is when a card is measured."""
MOST_KNOWN = 200
"""Cards whose truth is kept; one whose file has changed is another."""


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
    """One card's question."""
    now = shelf.shelf()
    lesson, lessons = shelf.find(query.get("card", ""), now), list(now.lessons)
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
