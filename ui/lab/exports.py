"""What the lab exports: routes that make it from an address: numbers, code, a picture that lives on its own.

`/lab/losses.csv?K=10&alpha=0.02` and so on; the parameters are those of the lab's own address. No streamlit here.
"""

import base64
import inspect
import json
import math
import re
import tomllib
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from maml_core import algorithms
from maml_core.config import MAX_SHOTS
from maml_core.palette import NEUTRAL
from maml_core.reading import whole_of
from ui.chart import plotly_file
from ui.lab import component, engine
from ui.lab.settings import SETTINGS
from ui.lab.state import LabState
from ui.shared import browsers, learners, modules, tables, zips
from ui.shared.ranges import FAMILY
from ui.shared.routes import download, of_query, route
from ui.shared.tables import csv_text
from ui.shared.turns import Desk, answering, measuring

PACKAGES = ("torch", "numpy", "safetensors", "filelock", "platformdirs")
"""What maml_core imports, for a script that is taken along."""
CODE_ZIP, CODE_LABEL = "maml-lab-code.zip", "Python, with everything it needs"
CODE_FILE = "maml_lab_numbers.py"
"""The script in it. Not called after a module of Python: it would be imported in that one's place."""
SHOWN_CODE: dict[str, Callable] = {"inner_step": algorithms.inner_step, "adapt": algorithms.adapt}
"""Functions of the engine whose text stands beside the picture."""


def routes() -> list[Route]:
    """The routes, below /lab."""

    def of_state(name: str, make: Callable[[LabState], Any]) -> Route:
        return route(f"/lab/{name}", of_query(lambda query: make(LabState.only_from(query))), desk=_desk)

    return [
        route("/lab/picture.json", of_query(_picture), desk=_desk),
        route("/lab/controls.json", lambda request: {name: s._asdict() for name, s in SETTINGS.items()}),
        of_state("losses.csv", lambda state: tables.csv_download(losses_csv(state), "maml-lab-losses.csv")),
        of_state("curves.csv", lambda state: tables.csv_download(curves_csv(state), "maml-lab-curves.csv")),
        of_state("picture.html", _picture_file),
        of_state("code.py", lambda state: PlainTextResponse(as_python(state))),
        of_state("code.zip", _code_bundle),
        route("/lab/fresh.json", of_query(_fresh), desk=measuring),
        route("/lab/source", of_query(lambda query: PlainTextResponse(_source(query.get("of", ""))))),
    ]


def losses_csv(state: LabState) -> str:
    """One row a learner and inner step: support and query loss; empty where it is not a number."""
    return csv_text(
        ("learner", "step", "support_loss", "query_loss"),
        (
            (label, step, _number(run.support[step]), _number(run.query[step]))
            for label, run in _runs(state)
            for step in range(state.num_updates + 1)
        ),
    )


def curves_csv(state: LabState) -> str:
    """One row a point of a curve: the shots, the true function, and every learner at every inner step."""
    true = state.task.curve(engine.GRID)
    rows: list[tuple] = [("shot", "", x, y) for x, y in state.points]
    if "truth" not in state.hide:
        rows += [("true", "", f"{x:.3f}", _number(y)) for x, y in zip(engine.GRID, true, strict=True)]
    for label, run in _runs(state):
        for step, curve in enumerate(run.curves):
            rows += [(label, step, f"{x:.3f}", _number(y)) for x, y in zip(engine.GRID, curve, strict=True)]
    return csv_text(("curve", "step", "x", "y"), rows)


def as_python(state: LabState) -> str:
    """A script that computes the losses on show with maml_core alone. Raises ValueError while names are hidden."""
    if "names" in state.hide:
        raise ValueError("the code would name the learners: it is here once the names are shown")
    roles = [learners.role(name) for name in state.learners]
    told = any(learners.get(name).config.inputs > 1 for name in state.learners)
    files = [_file(name) for name in state.learners if name != "random"]
    inputs, everywhere = ("told(x)", "told(grid)") if told else ("x", "grid")
    (low, high), points = FAMILY.x, len(engine.GRID)
    frozen = f", freeze={state.freeze!r}" if state.freeze != "none" else ""
    shots = f"[{', '.join(f'({x:g}, {y:g})' for x, y in state.points)}]"
    untrained = "random" in roles
    steps = state.num_updates if state.points else 0
    modules = ["algorithms", *(["baselines"] if untrained else []), "checkpoint"]
    order = [role for role in roles if role != "random"] + (["random"] if untrained else [])
    loaded = ", ".join([*(f"checkpoint.load({file!r})" for file in files), *(["baselines.random()"] if untrained else [])])
    required = f"{', '.join(PACKAGES[:-1])} and {PACKAGES[-1]}"
    lines = [
        f'"""The numbers of a picture in MAML Lab. It needs {required} (pip installs them),',
        f"maml_core and the checkpoints. In the lab, Share > {CODE_LABEL} holds these, with this script beside them;",
        'or run it in the folder of MAML Lab."""',
        "try:",
        f"    import torch\n    from maml_core import {', '.join(modules)}\n",
        f"    learners = zip({order!r}, [{loaded}])",
        "except (ImportError, ValueError) as error:",
        '    raise SystemExit(f"{error}.\\n{__doc__}")\n',
        f"x, y = torch.tensor({shots}).reshape(-1, 2).split(1, dim=1)",
        f"grid = torch.linspace({low:g}, {high:g}, {points})[:, None]",
        f"true = {state.task.amplitude:g} * torch.sin(grid - {state.task.phase:g})",
    ]
    if told:
        lines += [
            "def told(x):  # the oracle is told the amplitude and phase",
            f"    task = torch.tensor([[{state.task.amplitude:g}, {state.task.phase:g}]])",
            "    return torch.cat([x, task.expand(len(x), 2)], 1) if saved.network.sizes[0] == 3 else x",
        ]
    lines += [
        "for name, saved in learners:",
        f"    theta, alpha = saved.split(alpha={state.alpha:g}{frozen})",
        f"    path = algorithms.adapt(saved.network.mse, theta, {inputs}, y, alpha, num_updates={steps})",
        "    for step, weights in enumerate(path):",
        f"        on_shots, error = saved.network.mse(weights, {inputs}, y), saved.network.mse(weights, {everywhere}, true)",
        '        print(f"{name} step {step}: error on the shots {on_shots:.4f}, error {error:.4f}")',
    ]
    return "\n".join(lines) + "\n"


def picture_html(state: LabState) -> str:
    """One file that shows this picture anywhere, without a server: it steps, plays and scrubs; its shots stay."""
    needed = modules.needed(component.MAIN)
    texts = {name: modules.FILES[name].read_text("utf-8") for name in needed if name.endswith(".js")}
    # Relative names mean nothing inside one file: an import map gives each module a name of its own.
    named = {name: _data_url(modules.absolute(name, text)) for name, text in texts.items()}
    data = component.payload(state).replace("<", "\\u003c")
    address = urlencode(state.to_query())
    return PAGE.format(
        theme=_theme(),
        css="\n".join(modules.FILES[name].read_text("utf-8") for name in ("shared/views.css", "lab/lab.css")),
        imports=json.dumps({"imports": named}),
        data=json.dumps(data),
        plotly=plotly_file.carried(),
        unable=f"{browsers.NO_SCRIPT}\n{browsers.old_browser(browsers.SAVED_PAGE_NEEDS)}",
        address=json.dumps(address),
    )


def _picture_file(state: LabState) -> Response:
    """That file. Nearly all of it is compressed already: to do so again would keep everybody waiting for a fifth of a second."""
    file = download(picture_html(state), "maml-lab.html", "text/html")
    file.headers["Content-Encoding"] = "identity"
    return file


PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>MAML Lab</title>
<style>
{theme}
body {{ margin: 0 auto; max-width: 1440px; padding: 24px; background: var(--st-background-color); }}
{css}
</style>
<script type="importmap">{imports}</script>
</head>
<body>
<main></main>
{unable}
{plotly}
<script type="module">
import {{ render }} from "lab/main.js";
render({{ parentElement: document.querySelector("main"), data: {data}, saved: {address} }});
</script>
</body>
</html>
"""


def _theme() -> str:
    """Streamlit's names for colours, with this project's values from its theme, for a page without Streamlit."""
    theme = tomllib.loads((learners.ROOT / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]

    def block(colours: Mapping[str, str]) -> str:
        names = {name: re.sub(r"([A-Z])", lambda m: "-" + m[1].lower(), name) for name in colours}
        return ":root { " + " ".join(f"--st-{names[name]}: {value};" for name, value in colours.items()) + " }"

    font = ":root { --st-font: system-ui, sans-serif; color-scheme: light dark; }"
    return f"{font}\n{block(theme['light'])}\n@media (prefers-color-scheme: dark) {{ {block(theme['dark'])} }}"


def _data_url(text: str) -> str:
    return "data:text/javascript;base64," + base64.b64encode(text.encode()).decode("ascii")


def _runs(state: LabState) -> list[tuple[str, engine.Trajectory]]:
    """Each learner's label and numbers; letters while names are hidden."""
    runs = engine.on_show(state)
    if "names" in state.hide:
        return list(zip(NEUTRAL, runs, strict=False))
    return [(learners.look(name).label, run) for name, run in zip(state.learners, runs, strict=True)]


def _desk(request: Request) -> Desk:
    return measuring if engine.is_heavy(LabState.from_query(request.query_params)[0]) else answering


def _picture(query: Mapping[str, str]) -> Response:
    """What the picture draws. This is the short way to new curves: no rerun of the page has to come first."""
    headers = {"Content-Encoding": "identity"}  # packing it would take longer than sending it
    return Response(component.payload(LabState.only_from(query)), media_type="application/json", headers=headers)


def _fresh(query: Mapping[str, str]) -> dict[str, Any]:
    """The losses of one learner over fresh tasks under these settings."""
    count = whole_of(query, "K", 1, MAX_SHOTS)
    state = LabState.only_from({name: value for name, value in query.items() if name != "K"})
    if len(state.learners) != 1:
        raise ValueError("name one learner")
    found = engine.fresh(state.learners[0], count, state.alpha, state.num_updates, state.noise, state.placement, state.freeze)
    return {"tasks": engine.FRESH_TASKS, "levels": engine.QUANTILES.tolist()} | found._asdict()


def _code_bundle(state: LabState) -> Response:
    """The script with all it needs but PACKAGES: the engine and the checkpoints, where it looks for them."""
    files: dict[str, bytes] = {CODE_FILE: as_python(state).encode()}
    files |= {_file(name): learners.find(name).read_bytes() for name in state.learners if name != "random"}
    engine_files = sorted((learners.ROOT / "maml_core").rglob("*.py"))
    files |= {path.relative_to(learners.ROOT).as_posix(): path.read_bytes() for path in engine_files}
    packed = zips.packed({f"{CODE_ZIP.removesuffix('.zip')}/{name}": content for name, content in files.items()})
    return download(packed, CODE_ZIP, "application/zip")


def _file(learner: str) -> str:
    """Where a script finds a learner's checkpoint: with this project, or as it is called when it is downloaded."""
    file = f"{learners.stem(learner)}.safetensors"
    return file if learner.startswith(("upload:", "run:")) else f"pretrained/{file}"


def _source(name: str) -> str:
    """The text of a function of the engine, or of all of algorithms.py."""
    if name == "":
        return inspect.getsource(algorithms)
    if name not in SHOWN_CODE:
        raise ValueError(f"there is no function to show but {', '.join(SHOWN_CODE)}")
    return inspect.getsource(SHOWN_CODE[name])


def _number(value: float) -> str:
    return f"{value:.7g}" if math.isfinite(value) else ""
