"""A lesson as a file: TOML between +++ lines, then Markdown in three or four sections. Reading one is pure. No streamlit here.

lessons/README.md says how to write one.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from ui.lab.settings import SETTINGS
from ui.lab.state import LabState
from ui.lessons import arguments, expressions, prose, questions
from ui.lessons.answers import Answer, Choice, Kind, Option, Sketch, Slider
from ui.lessons.expressions import Expression
from ui.lessons.questions import Question
from ui.lessons.toml import REQUIRED, Front, LessonError, Table
from ui.shared import learners

MOST_BYTES = 100_000
VIEWS = ("lab", "world", "train")
"""What settles a question: a lab picture, the two-parameter world of the Geometry page, or a run of one's own."""
USUAL_CONTROLS = ["K", "alpha", "num_updates"]
"""What stands beside the lab on a card that names nothing else."""
SECTIONS = ("predict", "observe", "explain", "challenge")
STATE = dict.fromkeys(("K", "shots", "alpha", "num_updates", "step", "noise", "amplitude", "phase", "x_min", "x_max"), float)
GOALS: dict[str, dict[str, type]] = {
    "lab": STATE | {"freeze": str, "placement": str},
    "world": dict.fromkeys(("alpha", "difference", "tasks", "before", "after", "apart", "dragged"), float),
    "train": {"run.error": float, "run.K": float, "run.steps": float, "answer": float},
}
"""View -> the names that the goal of a challenge may use; in a lab also those of OF_LEARNER, for each learner on show."""
OF_LEARNER: dict[str, type] = {"query": float, "support": float, "mean": float, "diverged": bool}


@dataclass(frozen=True)
class Challenge:
    """What to change next. goal: over what is on show. solution: an address query that reaches it, for tests alone."""

    goal: Expression
    said: str
    solution: str


@dataclass(frozen=True, eq=False)
class Lesson:
    """One card. Texts are Markdown, checked."""

    card: str
    file: str
    title: str
    minutes: float
    view: str
    predict: str  # address queries of what is on show with the question, and of what settles it
    observe: str
    controls: tuple[str, ...]  # beside a lab, of SETTINGS
    claims: tuple[Expression, ...]
    numbers: dict[str, Question | Expression]
    answer: Kind
    right: str  # said to a right answer
    headings: tuple[str, ...]
    sections: dict[str, str]
    challenge: Challenge | None

    @property
    def kind(self) -> str:
        """The kind of its answer: choice, slider or sketch."""
        return self.answer.kind

    @property
    def lab(self) -> LabState | None:
        """The lab of `observe`, where there is one."""
        return arguments.lab(self.observe) if self.view == "lab" else None

    def read_answer(self, text: str) -> Answer:
        """An answer from an address. Raises ValueError in one sentence for what is none."""
        return self.answer.read(text)

    def write_answer(self, answer: Answer) -> str:
        """The canonical text of an answer."""
        return self.answer.write(answer)

    def tally(self, given: Sequence[Answer]) -> dict[str, Any]:
        """What a class answered, ready for JSON."""
        return self.answer.tally(given)

    def values(self, names: Iterable[str]) -> dict[str, float]:
        """The numbers of these names, measured now or before. Raises ValueError in one sentence if one cannot be measured."""
        wanted = set(names)
        for name, number in reversed(self.numbers.items()):  # one stands on those above it
            if name in wanted and isinstance(number, Expression):
                wanted |= number.names
        found: dict[str, float] = {}
        for name, number in self.numbers.items():
            if name in wanted:
                found[name] = number.value(found) if isinstance(number, Expression) else questions.take(number)
        return found

    def html(self, text: str, *, inline: bool = False) -> str:
        """One of its texts, with its numbers."""
        return prose.to_html(text, self.values(prose.names(text)), inline=inline)


def card_of(file: str) -> str:
    """The card's name, from that of its file: without a number in front. Raises LessonError if it can be no address."""
    name = re.sub(r"^[0-9]+[-_ ]*", "", PurePath(file).stem)
    if not re.fullmatch(r"[\w-]{1,60}", name):
        raise LessonError("a lesson's file is named with letters, digits and hyphens, such as 03-beyond.md", file, 1)
    return name


def read(file: str, content: bytes) -> Lesson:
    """The lesson in a file of this name.

    Raises:
        LessonError: with what is wrong and in which line.
    """
    if len(content) > MOST_BYTES:
        raise LessonError(f"the file has {len(content):,} bytes; a lesson has at most {MOST_BYTES:,}", file, 1)
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise LessonError("the file is not UTF-8 text", file, content.count(b"\n", 0, error.start) + 1) from None
    return _Reader(file, text).lesson()


class _Reader:
    """One file while it is read."""

    def __init__(self, file: str, text: str):
        self.file = file
        self.card = card_of(file)
        self.front = Front(file, text)
        self.numbers: dict[str, Question | Expression] = {}

    def prose(self, table: Table, key: str, *default: str) -> str:
        """A text with formulas and numbers."""
        text = table.take(key, str, *default)
        self.check_prose(text, self.front.line(*table.path, key, "text"))
        return text

    def check_prose(self, text: str, line: int) -> None:
        try:
            prose.check(text, self.numbers)
        except prose.ProseError as error:
            raise LessonError(str(error), self.file, line + error.line - 1) from None

    def lesson(self) -> Lesson:
        """All of it."""
        top = Table(self.front, self.front.values)
        title, minutes, view = top.take("title", str), top.take("minutes", float), top.take("view", str, "lab")
        if not title.strip():
            top.wrong("title must not be empty", "title")
        if not 0 < minutes <= 60:
            top.wrong("minutes must be above 0 and at most 60", "minutes")
        if view not in VIEWS:
            top.wrong(f"view must be one of {', '.join(VIEWS)}", "view")
        predict, observe = self.pictures(top, view)
        controls = top.take("controls", list, USUAL_CONTROLS)
        if unknown := [name for name in controls if name not in SETTINGS]:
            top.wrong(f"there is no control {unknown[0]!r:.40}; there are {', '.join(SETTINGS)}", "controls")
        self.read_numbers(top.take("numbers", dict, {}))
        known: dict[str, type] = dict.fromkeys(self.numbers, float)
        claims = tuple(top.expression("claims", claim, known, bool) for claim in top.take("claims", list, []))
        right = self.prose(top, "right", "")
        answer = self.read_answer(top, view, known)
        challenge = self.read_challenge(top, view, observe, known)
        top.close()
        headings, sections = self.read_sections(with_challenge=challenge is not None)
        return Lesson(
            self.card,
            self.file,
            title.strip(),
            minutes,
            view,
            predict,
            observe,
            tuple(controls),
            claims,
            self.numbers,
            answer,
            right,
            headings,
            sections,
            challenge,
        )

    def pictures(self, top: Table, view: str) -> tuple[str, str]:
        if view == "train":  # only the question has a picture, of the lab
            keys: dict[str, str] = {"predict": ""}
        else:
            keys = dict.fromkeys(("predict", "observe"), REQUIRED)
        found = []
        for key, default in keys.items():
            query = top.take(key, str, default)
            try:
                _check_picture("lab" if view == "train" else view, query)
            except ValueError as error:
                top.wrong(f"{key}: {error}", key)
            found.append(query)
        return found[0], found[1] if len(found) > 1 else ""

    def read_numbers(self, values: dict[str, Any]) -> None:
        table = Table(self.front, values, "numbers")
        for name, asked in values.items():
            if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
                table.wrong(f"a number is named with letters, digits and underscores, not {name!r:.40}", name)
            try:
                if isinstance(asked, str):
                    number: Question | Expression = expressions.read(asked, dict.fromkeys(self.numbers, float), float)
                elif isinstance(asked, dict):
                    number = questions.read(asked)
                else:
                    raise ValueError(f'{name} must be a measure, such as {{ measure = "error", learner = "maml", step = 1 }}')
            except ValueError as error:
                raise LessonError(str(error), self.file, self.front.line("numbers", name)) from None
            self.numbers[name] = number

    def read_answer(self, top: Table, view: str, known: dict[str, type]) -> Kind:
        top.known += ["choice", "slider", "sketch"]
        kinds = [kind for kind in ("choice", "slider", "sketch") if kind in top.values]
        if len(kinds) != 1:
            given = " and ".join(kinds) or "none"
            top.wrong(f"a lesson has exactly one kind of answer, [[choice]], [slider] or [sketch]; here is {given}", *kinds[-1:])
        kind = kinds[0]
        if kind == "choice":
            return self.read_choice(top, known)
        table = Table(self.front, top.take(kind, dict), kind)
        found = self.read_slider(table, view, known) if kind == "slider" else self.read_sketch(table, view)
        table.close()
        return found

    def read_choice(self, top: Table, known: dict[str, type]) -> Choice:
        options = []
        given = top.values["choice"]
        if not isinstance(given, list) or not all(isinstance(option, dict) for option in given):
            top.wrong("options are written as [[choice]], one for each", "choice")
        if len(given) < 2:
            top.wrong("a choice needs two options or more", "choice")
        for at, values in enumerate(given):
            table = Table(self.front, values, "choice", str(at))
            when = table.expression("when", table.take("when", str), known, bool)
            options.append(Option(self.prose(table, "text"), when, self.prose(table, "said")))
            table.close()
        return Choice(tuple(options))

    def read_slider(self, table: Table, view: str, known: dict[str, type]) -> Slider:
        low, high, log = table.take("low", float), table.take("high", float), table.take("log", bool, False)
        if low >= high:
            table.wrong(f"low must be below high, and {low:g} is not below {high:g}", "low")
        if log and low <= 0:
            table.wrong("on a log axis low must be above 0", "low")
        run = view == "train"  # whose outcome nobody knows yet
        truth = None if run else table.expression("truth", table.take("truth", str), known, float)
        within = table.take("within", float, 1.0) if run else table.take("within", float)
        if within <= 0 or (log and within <= 1 and not run):
            table.wrong(f"within must be above {1 if log else 0}{', a factor' if log else ''}", "within")
        said = ("",) if run else ()
        return Slider(
            table.take("label", str),
            low,
            high,
            truth,
            within,
            self.prose(table, "said_low", *said),
            self.prose(table, "said_high", *said),
            log,
            table.take("unit", str, ""),
        )

    def read_sketch(self, table: Table, view: str) -> Sketch:
        if view != "lab":
            table.wrong('a sketch needs view = "lab"')
        step, within, half = table.take("step", int), table.take("within", float), table.take("half", str, "all")
        learner = table.take("learner", str)
        try:
            # The arguments of the measure of a picture, with its ranges.
            questions.read({"measure": "picture", "lab": "", "learner": learner, "step": step, "half": half})
        except ValueError as error:
            table.wrong(str(error).replace(" for the measure picture", ""))
        if within <= 0:
            table.wrong("within must be above 0", "within")
        label = table.take("label", str, learners.title(learner))
        return Sketch(learner, label, step, within, self.prose(table, "said"), half)

    def read_challenge(self, top: Table, view: str, observe: str, known: dict[str, type]) -> Challenge | None:
        values = top.take("challenge", dict, None)
        if values is None:
            return None
        table = Table(self.front, values, "challenge")
        names = GOALS[view] | known
        if view == "lab":
            for learner in arguments.lab(observe).learners:
                names |= {f"{learners.role(learner)}.{name}": kind for name, kind in OF_LEARNER.items()}
        goal = table.expression("goal", table.take("goal", str), names, bool)
        solution = table.take("solution", str, "")
        try:
            if view != "train":
                _check_picture(view, solution)
        except ValueError as error:
            table.wrong(f"solution: {error}", "solution")
        found = Challenge(goal, self.prose(table, "said"), solution)
        table.close()
        return found

    def read_sections(self, *, with_challenge: bool) -> tuple[tuple[str, ...], dict[str, str]]:
        wanted = SECTIONS if with_challenge else SECTIONS[:3]
        (_, _, before), *found = prose.headed(self.front.body)
        if before.strip():
            line = before[: len(before) - len(before.lstrip())].count("\n") + 1
            raise LessonError("text must stand below a heading, such as # Predict", self.file, line)
        if len(found) != len(wanted):
            line = found[len(wanted)][0] if len(found) > len(wanted) else self.front.body.count("\n") + 1
            why = "with [challenge]" if with_challenge else "without [challenge]"
            last = f", the last of them {found[-1][1]!r:.40}" if found else ""
            raise LessonError(
                f"there are {len(found)} headings that begin with one #{last}; "
                f"{why} a lesson has {len(wanted)}: {', '.join(wanted)}",
                self.file,
                line,
            )
        for line, words, text in found:
            if not words.strip() or not text.strip():
                raise LessonError(f"the section {words[:40]!r} is empty", self.file, line)
            self.check_prose(text, 1)
        return tuple(words for _, words, _ in found), {name: text for name, (_, _, text) in zip(wanted, found, strict=True)}


def _check_picture(view: str, query: str) -> None:
    """Raises ValueError for an address query that this view has no use for."""
    if view == "lab":
        arguments.lab(query)
    else:
        arguments.world_query(query)
