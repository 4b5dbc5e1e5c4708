"""The lessons there are, and the routes by which a page asks their questions and settles them. No streamlit here.

What is right is told to nobody who has not answered. `python -m ui.lessons [FOLDER]` checks every file and measures its claims.
"""

import asyncio
import logging
import math
import os
import re
import threading
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import torch
from starlette.requests import Request
from starlette.routing import Route

from maml_core.config import DIVERGED_ABOVE
from maml_core.files import signature
from ui.geometry import world
from ui.lab import engine
from ui.lab.state import LabState
from ui.lessons import measures, prose
from ui.lessons.answers import SKETCH, Choice, Sketch, Slider
from ui.lessons.expressions import Expression
from ui.lessons.format import Lesson, LessonError, card_of, read
from ui.shared import learners, visitors
from ui.shared.ranges import FAMILY, Y_LIMIT
from ui.shared.routes import of_query, route
from ui.train import watching

_log = logging.getLogger("maml_lab")
GUIDE = "README.md"
"""The one file of the folder that is no lesson."""
UNNUMBERED = 10**9
"""The place of a file without a number: after all that have one."""


class Shelf(NamedTuple):
    """A folder of lessons as it is now: by card, in file order, and what is wrong with the others."""

    lessons: dict[str, Lesson]
    broken: list[LessonError]


def folder() -> Path:
    """Where lessons are: `MAML_LAB_LESSONS`, or lessons/ beside app.py."""
    return Path(os.environ.get("MAML_LAB_LESSONS") or learners.ROOT / "lessons")


def shelf(where: Path | None = None) -> Shelf:
    """All lessons of a folder. A file is read again when it has changed; one that is broken does not stop the others."""
    where = where or folder()
    lessons: dict[str, Lesson] = {}
    broken: list[LessonError] = []
    try:
        paths = sorted((path for path in where.glob("*.md") if path.name != GUIDE), key=lambda path: _place(path.name))
        if not where.is_dir():
            raise FileNotFoundError(2, "there is no such folder")
    except OSError as error:
        return Shelf({}, [LessonError(f"lessons cannot be read here: {error.strerror}", where.name, 0)])
    for path in paths:
        try:
            found = _lesson(path, *signature(path))
            if found.card in lessons:
                raise LessonError(f"{lessons[found.card].file} already has the card {found.card}: rename this file", path.name, 1)
            lessons[found.card] = found
        except LessonError as error:
            broken.append(error)
    return Shelf(lessons, broken)


def _place(file: str) -> tuple[int, str]:
    """By the number in front of the name, as a number; those without one last."""
    number = re.match(r"[0-9]{1,9}", file)
    return int(number[0]) if number else UNNUMBERED, file


def _lesson(path: Path, when: int, size: int) -> Lesson:
    found = _read(path, when, size)
    if isinstance(found, LessonError):
        raise LessonError(found.message, found.file, found.line)
    return found


@lru_cache(maxsize=512)
def _read(path: Path, when: int, size: int) -> Lesson | LessonError:
    try:
        with path.open("rb") as file:
            return read(path.name, file.read(2 * 10**6))
    except LessonError as error:
        return error
    except OSError as error:
        return LessonError(f"the file cannot be read: {error.strerror}", path.name, 1)
    except Exception as error:  # whatever it is, the other lessons go on
        _log.exception("a lesson cannot be read: %s", path.name)
        return LessonError(f"the file cannot be read as a lesson ({type(error).__name__})", path.name, 1)


def _card(file: str) -> str | None:
    """The card that a file would be; None for a name that can be no card's."""
    try:
        return card_of(file)
    except LessonError:
        return None


def find(card: str, among: Shelf | None = None) -> Lesson:
    """The lesson of that card. Raises LessonError in one sentence if there is none, or if its file is broken."""
    lessons, broken = among or shelf()
    if card in lessons:
        return lessons[card]
    for error in broken:
        if _card(error.file) == card:
            raise error
    raise LessonError(f"There is no card {card!r:.60} on this server")


# What is served


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
        return await asyncio.get_running_loop().run_in_executor(_workers, answer, query)

    return [
        route("/lessons/cards.json", lambda request: cards(), workers=_workers),
        route("/lessons/card.json", of_query(card), workers=_workers),
        route("/lessons/answer.json", settled),
        route("/lessons/check.json", lambda request: check(request.query_params, visitors.token_of(request)), workers=_workers),
    ]


_workers = ThreadPoolExecutor(16, thread_name_prefix="lessons")
_ahead = ThreadPoolExecutor(2, thread_name_prefix="lessons-ahead")
_under_way: dict[Lesson, Future[None]] = {}
_under_way_lock = threading.Lock()


def cards() -> dict[str, Any]:
    """All cards, and the files that are none."""
    lessons, broken = shelf()
    return {
        "cards": [
            {
                "card": lesson.card,
                "number": number if (number := _place(lesson.file)[0]) < UNNUMBERED else None,
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
    now = shelf()
    lesson, lessons = find(query.get("card", ""), now), list(now.lessons)
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
            settle(lesson)
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


class Settled(NamedTuple):
    """What was measured for a card: its numbers, what is right, and what its texts claim that does not hold today."""

    values: dict[str, float]
    truth: Any
    failed: list[str]


def settle(lesson: Lesson) -> Settled:
    """Measure everything that a card says. Raises ValueError in one sentence if something cannot be measured."""
    values = lesson.values(lesson.numbers)
    truth = lesson.answer.truth(values, lesson.lab)
    failed = [claim.text for claim in lesson.claims if not claim.value(values)]
    if truth is None and lesson.view != "train":
        failed.append("exactly one of the options is true")
    return Settled(values, truth, failed)


def answer(query: Mapping[str, str]) -> dict[str, Any]:
    """An answer settled. right and truth are null where only a run of one's own will tell."""
    lesson = find(query.get("card", ""))
    given = lesson.read_answer(query.get("answer", ""))
    _, truth, failed = settle(lesson)
    right: bool | None = False
    said = ""
    if truth is None and lesson.view == "train":
        right, said = None, lesson.right
    elif truth is not None:
        right = lesson.answer.is_right(given, truth)
        said = lesson.right if right else lesson.answer.said(given, truth)
    apart = None
    if isinstance(lesson.answer, Sketch):
        apart = {name: prose.number(value) for name, value in lesson.answer.apart(given, truth).items()}
    return {
        "right": right,
        "said": lesson.html(said),
        "observe": lesson.html(lesson.sections["observe"]),
        "explain": lesson.html(lesson.sections["explain"]),
        "truth": truth,
        "apart": apart,
        "failed": failed,
    }


def check(query: Mapping[str, str], token: str = "") -> dict[str, Any]:
    """Whether a card's challenge is reached by what is on show, or by one of the visitor's own runs."""
    lesson = find(query.get("card", ""))
    if not lesson.challenge:
        raise ValueError(f"The card {lesson.card} has no challenge")
    goal = lesson.challenge.goal
    known = lesson.values(goal.names & lesson.numbers.keys())
    found = [known | it for it in shown(lesson, query, token)]
    found = [values for values in found if goal.names <= values.keys()]
    done = any(goal.value(values) for values in found)
    return {
        "done": done,
        "said": lesson.html(lesson.challenge.said) if done else "",
        "parts": [part(condition, found[0]) for condition in goal.parts or [goal]] if found and not done else [],
    }


def part(condition: Expression, values: Mapping[str, Any]) -> dict[str, Any]:
    """One condition of a goal: as it is written, whether it holds, and the measured values that it is about."""
    measured = {name: values[name] for name in sorted(condition.names) if isinstance(values[name], float)}
    now = {name: prose.number(value) if value <= DIVERGED_ABOVE else "diverged" for name, value in measured.items()}
    return {"text": condition.text, "holds": bool(condition.value(values)), "now": now}


def shown(lesson: Lesson, query: Mapping[str, str], token: str) -> list[dict[str, Any]]:
    """The values that a goal may ask for: of the picture on show, or of each of the visitor's runs."""
    if lesson.view == "train":
        try:
            predicted = lesson.read_answer(query.get("answer", ""))
        except ValueError:
            return []
        return [{"answer": predicted} | run for run in runs_of(token)]
    if lesson.view == "world":
        return [of_world({name: query[name] for name in world.PARAMETERS if name in query})]
    names = {f.name for f in fields(LabState)}
    state, problems = LabState.from_query({name: query[name] for name in names if name in query})
    if problems:
        raise ValueError(problems[0])
    return [of_lab(state, lesson.challenge.goal.names if lesson.challenge else ())]


def of_lab(state: LabState, asked: Collection[str] = ()) -> dict[str, Any]:
    """What is on show in a lab, at its step; the means over 1,000 waves only where they are asked for."""
    xs = [x for x, _ in state.points]
    values: dict[str, Any] = {
        "K": state.K,
        "shots": len(xs),
        "alpha": state.alpha,
        "num_updates": state.num_updates,
        "step": state.step,
        "noise": state.noise,
        "amplitude": state.task.amplitude,
        "phase": state.task.phase,
        "x_min": min(xs, default=math.nan),
        "x_max": max(xs, default=math.nan),
        "freeze": state.freeze,
        "placement": state.placement,
    }
    for name, run in zip(state.learners, engine.on_show(state), strict=True):
        role, loss = learners.role(name), float(run.query[state.step])
        values |= {
            f"{role}.query": loss,
            f"{role}.support": float(run.support[state.step]),
            f"{role}.diverged": not loss <= DIVERGED_ABOVE,
        }
        if f"{role}.mean" in asked:
            values[f"{role}.mean"] = mean_of(name, state)
    return values


def mean_of(name: str, state: LabState) -> float:
    """The mean error over 1,000 waves at the step and settings on show, with shots at the same x if they were placed by hand."""
    if state.shots is not None:
        return measures.placed(name, tuple(x for x, _ in state.points), state.step, state.alpha, state.freeze)
    return measures.error(name, state.step, state.K, state.alpha, state.noise, state.placement, state.freeze)


def of_world(query: Mapping[str, str]) -> dict[str, Any]:
    """What is on show in the two-parameter world. Raises ValueError for what it does not have."""
    alpha, difference, places, at = world.numbers(query)
    theta = torch.tensor(at, dtype=torch.float64)
    return {
        "alpha": alpha,
        "difference": difference,
        "tasks": len(places),
        "before": world.mean_loss(theta, 0, query),
        "after": world.mean_loss(theta, 1, query),
        "apart": (world.end("maml", query) - world.end("pretrained", query)).norm().item(),
        "dragged": max(math.dist(place, home) for place, home in zip(places, world.numbers({})[2], strict=False)),
    }


def runs_of(token: str) -> list[dict[str, float]]:
    """The runs of one's own on the tasks of the lab that have come to their end: before it an error is not yet the run's."""
    all_runs = watching.list_for(token)["runs"] if token else []
    mine = [
        run for run in all_runs if run["mine"] and run["state"] == "finished" and run["error"] and run["family"] == "sinusoid"
    ]
    return [{"run.error": run["error"]["mean"], "run.K": run["K"], "run.steps": run["steps"]} for run in mine]


# The command
