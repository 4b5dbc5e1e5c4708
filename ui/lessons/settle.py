"""What is right: the measured numbers of a card, an answer held against them, a challenge against what is on show.

No streamlit here.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any, NamedTuple

import torch

from maml_core.config import DIVERGED_ABOVE
from ui.geometry import world
from ui.lab import engine
from ui.lab.state import LabState
from ui.lessons import measures, prose
from ui.lessons.answers import Answer, Sketch
from ui.lessons.expressions import Expression
from ui.lessons.format import Lesson
from ui.lessons.shelf import find
from ui.shared import learners
from ui.train import watching


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


def answer(lesson: Lesson, given: Answer, settled: Settled) -> dict[str, Any]:
    """An answer settled. right and truth are null where only a run of one's own will tell."""
    _, truth, failed = settled
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
