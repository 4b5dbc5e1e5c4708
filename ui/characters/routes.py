"""What the page "Characters" asks of the server: what learners make of drawings, and new characters. No streamlit here."""

import base64
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from maml_core.config import FREEZES
from maml_core.reading import quoted, whole_of
from ui.characters import drawings, engine, exports, learners, samples
from ui.characters.drawings import Drawing
from ui.shared.query import read_number
from ui.shared.ranges import RANGES
from ui.shared.routes import of_query, route
from ui.shared.tables import csv_download
from ui.shared.turns import measuring


def routes() -> list[Route]:
    """The routes, below /characters."""
    return [
        route("/characters/picture.json", of_query(picture)),
        route(
            "/characters/sample.json",
            of_query(lambda query: samples.sample(whole_of(query, "seed", 0, int(RANGES["seed"].high)))),
        ),
        route("/characters/probabilities.csv", of_query(_table)),
        route("/characters/code.py", of_query(_code)),
        route("/characters/fresh.json", of_query(fresh), desk=measuring),
    ]


def fresh(query: Mapping[str, str]) -> dict[str, Any]:
    """How often one learner is right over new characters, at each inner step."""
    return engine.fresh(learners.check(query.get("learner", "")), _freeze(query))._asdict()


class Asked(NamedTuple):
    """What is asked: a drawing of each character, two at least; one more, or none; of which learners."""

    support: tuple[Drawing, ...]
    query: Drawing
    names: list[str]
    freeze: str

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Self:
        """As a request says it. Raises ValueError, in a sentence."""
        support, (asked,) = _read("support", query, learners.WAY), _read("query", query, 1)
        if len(support) < 2 or not all(support):
            raise ValueError("support is not possible: give a drawing of each of two or more characters")
        names = [learners.check(name) for name in dict.fromkeys(query.get("learners", "").split(",")) if name]
        return cls(support, asked, names, _freeze(query))


def picture(query: Mapping[str, str]) -> dict[str, Any]:
    """answers: by learner, what it says of the query at each inner step; seen: each drawing as networks see it, by pixel."""
    support, asked, names, freeze = Asked.of(query)
    updates = whole_of(query, "num_updates", 1, learners.UPDATES, str(learners.UPDATES))
    alpha = read_number("alpha", query["alpha"]) if query.get("alpha") else None
    return {
        "answers": {name: engine.answer(name, support, asked, updates, alpha, freeze)._asdict() for name in names},
        "seen": [_bytes(drawing) if drawing else None for drawing in (*support, asked)],
    }


def _table(query: Mapping[str, str]) -> Response:
    support, asked, names, freeze = Asked.of(query)
    return csv_download(exports.probabilities_csv(names, support, asked, freeze), "maml-lab-characters.csv")


def _code(query: Mapping[str, str]) -> Response:
    support, asked, names, freeze = Asked.of(query)
    if not asked:
        raise ValueError("There is no question yet: draw one more, then the numbers are here")
    return PlainTextResponse(exports.as_python(names, support, asked, freeze))


def _read(name: str, query: Mapping[str, str], most: int) -> tuple[Drawing, ...]:
    try:
        return drawings.read_all(query.get(name, ""), most)
    except ValueError as error:
        raise ValueError(f"{name} is not possible: {error}") from None


def _freeze(query: Mapping[str, str]) -> str:
    freeze = query.get("freeze") or FREEZES[0]
    if freeze not in FREEZES:
        raise ValueError(f"freeze={quoted(freeze)} is not possible: choose one of {', '.join(FREEZES)}")
    return freeze


def _bytes(drawing: Drawing) -> str:
    return base64.b64encode((255 * drawings.image(drawing)).round().byte().numpy().tobytes()).decode("ascii")
