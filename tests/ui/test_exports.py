"""What can be taken away: the numbers in it are those on show, and asking wrongly is answered with a sentence."""

import ast
import base64
import csv
import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from maml_core import algorithms, checkpoint
from maml_core.evaluation import evaluate
from maml_core.training import init
from ui.lab import engine, exports
from ui.lab.state import LabState
from ui.shared import learners, modules
from ui.shared.learners import LEARNERS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def client():
    return TestClient(Starlette(routes=exports.routes()))


def get(client, name, state=None, **query):
    return client.get(f"/lab/{name}", params=(state.to_query() if state else {}) | query)


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_the_losses_are_those_on_show(client):
    state = LabState(seed=3, alpha=0.02, num_updates=4)
    answer = get(client, "losses.csv", state)
    assert "attachment" in answer.headers["content-disposition"]
    found = rows(answer.text)
    assert [row["learner"] for row in found] == ["MAML"] * 5 + ["pretrained"] * 5
    assert [float(row["query_loss"]) for row in found[:5]] == pytest.approx(engine.on_show(state)[0].query.tolist(), rel=1e-6)
    assert [float(row["support_loss"]) for row in found[5:]] == pytest.approx(engine.on_show(state)[1].support.tolist(), rel=1e-6)


def test_the_curves_are_those_on_show(client):
    state = LabState(num_updates=2).place([(1, 2), (-3, 0.5)])
    found = rows(get(client, "curves.csv", state).text)
    assert [(float(r["x"]), float(r["y"])) for r in found if r["curve"] == "shot"] == [(1, 2), (-3, 0.5)]
    last = [float(r["y"]) for r in found if (r["curve"], r["step"]) == ("MAML", "2")]
    np.testing.assert_allclose(last, engine.on_show(state)[0].curves[2], rtol=1e-6)
    hidden = get(client, "curves.csv", state.change("hide", ("truth",))).text
    assert "true" not in {row["curve"] for row in rows(hidden)}


@pytest.mark.parametrize(
    "state",
    [
        LabState(),
        LabState(seed=8, K=3, alpha=0.004, num_updates=3, noise=0.3, placement="cluster"),
        LabState(learners=LEARNERS, num_updates=2, alpha=0.003),
        LabState(learners=("meta_sgd", "random", "anil"), num_updates=3, freeze="body"),
        LabState().place([]),
    ],
    ids=["default", "other settings", "every learner", "frozen", "no shots"],
)
def test_the_python_code_computes_these_numbers(client, state):
    code = get(client, "code.py", state).text
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = re.findall(r"(\w+) step (\d+): error on the shots (\S+), error (\S+)", told)
    steps = state.num_updates + 1 if state.points else 1
    assert len(found) == len(state.learners) * steps
    for name, step, support, query in found:
        run = engine.on_show(state)[state.learners.index(name)]
        assert float(query) == pytest.approx(float(run.query[int(step)]), rel=2e-3, abs=2e-4)
        if state.points:
            assert float(support) == pytest.approx(float(run.support[int(step)]), rel=2e-3, abs=2e-4)


def test_the_code_for_two_learners_is_short(client):
    assert len(get(client, "code.py", LabState()).text.strip().splitlines()) <= 22


def test_the_code_says_in_an_empty_folder_what_it_needs_and_runs_with_what_comes_in_the_zip(client, tmp_path):
    state = LabState(learners=("maml", "oracle"), num_updates=1)
    script = tmp_path / "copied.py"
    script.write_text(get(client, "code.py", state).text, "utf-8")
    bare = {"cwd": tmp_path, "capture_output": True, "text": True, "env": {"PATH": ""}}
    alone = subprocess.run([sys.executable, script], **bare)
    assert alone.returncode == 1
    assert "No module named 'maml_core'" in alone.stderr
    assert f"Share > {exports.CODE_LABEL}" in alone.stderr
    assert "Traceback" not in alone.stderr
    assert exports.CODE_LABEL in modules.FILES["lab/share.js"].read_text("utf-8")
    zipfile.ZipFile(io.BytesIO(get(client, "code.zip", state).content)).extractall(tmp_path)
    folder = tmp_path / exports.CODE_ZIP.removesuffix(".zip")
    told = subprocess.run([sys.executable, exports.CODE_FILE], **bare | {"cwd": folder})
    assert told.stderr == ""
    (maml, *_) = engine.on_show(state)
    assert f"maml step 1: error on the shots {maml.support[1]:.4f}, error {maml.query[1]:.4f}" in told.stdout


def test_what_the_code_says_it_needs_is_what_the_engine_imports():
    """Of all that the script's own imports load."""
    files = [Path(m.__file__) for name, m in list(sys.modules.items()) if name.startswith("maml_core.")]
    named = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name
        for file in files
        if file.stem not in ("cli", "worker", "figures", "__main__")
        for node in ast.parse(file.read_text("utf-8")).body
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    others = {name.partition(".")[0] for name in named} - sys.stdlib_module_names - {"maml_core"}
    assert others == set(exports.PACKAGES)


def test_fresh_tasks_equal_the_evaluation(client):
    query = {"learners": "maml", "K": "5", "alpha": "0.008", "num_updates": "3", "noise": "0.2", "placement": "left"}
    found = get(client, "fresh.json", **query).json()
    maml = learners.get("maml")
    stats = evaluate(
        maml.learned, maml.config, K=5, num_updates=3, test_tasks=1000, alpha=0.008, noise=0.2, placement="left"
    )  # 100 query points, not 50: close, not equal
    assert found["tasks"] == 1000
    for step, s in enumerate(stats):
        assert found["median"][step] == pytest.approx(s.median, rel=0.1)
        assert found["mean"][step] == pytest.approx(s.mean, rel=0.1)
        row = found["quantiles"][step]
        assert row == sorted(row)
        assert row[20] == pytest.approx(found["median"][step], rel=0.02)
        assert len(row) == len(found["levels"])


def test_fresh_tasks_of_a_learner_that_diverges_are_numbers(client):
    found = get(client, "fresh.json", learners="maml", K="5", alpha="1", num_updates="20").json()
    assert found["diverged"][20] > 0.9
    assert found["quantiles"][20][-1] == 100
    assert max(found["mean"]) <= 100


@pytest.mark.parametrize(
    ("name", "query", "says"),
    [
        ("fresh.json", {"learners": "maml", "K": "0"}, "a whole number from 1 to 50"),
        ("fresh.json", {"learners": "maml", "K": "51"}, "a whole number from 1 to 50"),
        ("fresh.json", {"learners": "maml,anil", "K": "5"}, "name one learner"),
        ("fresh.json", {"learners": "maml", "K": "5", "alpha": "9"}, "a number from 0.0001 to 1"),
        ("losses.csv", {"alpha": "seven"}, "a number from 0.0001 to 1"),
        ("losses.csv", {"learners": "upload:0123456789ab"}, "upload it again"),
        ("source", {"of": "__import__"}, "no function to show but inner_step, adapt"),
        ("code.py", {"hide": "names"}, "once the names are shown"),
    ],
)
def test_asking_wrongly_is_answered_with_a_sentence(client, name, query, says):
    answer = get(client, name, **query)
    assert answer.status_code == 400
    assert says in answer.text
    assert "\n" not in answer.text


def test_the_code_runs_beside_an_own_checkpoint_that_was_downloaded(client, tmp_path, monkeypatch):
    monkeypatch.setenv("MAML_LAB_RUNS", str(tmp_path))
    config = learners.get("maml").config
    content = checkpoint.dumps(checkpoint.Checkpoint(init(config).learned, config, 0))
    name = learners.add(content)
    (tmp_path / f"{learners.stem(name)}.safetensors").write_bytes(content)
    code = get(client, "code.py", LabState(learners=(name,), num_updates=1)).text
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True
    ).stdout
    assert told.startswith("own step 0")


def test_the_source_is_the_function_that_runs(client):
    assert get(client, "source", of="inner_step").text.startswith("def inner_step(")
    assert "def adapt(" in get(client, "source").text
    assert get(client, "source").text == Path(algorithms.__file__).read_text()


def test_the_saved_page_needs_nothing_from_outside(client):
    page = get(client, "picture.html", LabState(learners=LEARNERS)).text
    assert not re.search(r"""(src|href)=["']?http|@import|url\(""", page)
    imports = json.loads(re.search(r'<script type="importmap">(.*)</script>', page)[1])["imports"]
    assert set(imports) == {name for name in modules.needed("lab/main.js") if name.endswith(".js")}
    texts = [base64.b64decode(url.partition(",")[2]).decode() for url in imports.values()]
    assert {name for text in texts for name in re.findall(r'from "([^"]+)"', text)} < set(imports)
    assert urlencode({"learners": ",".join(LEARNERS)}) in page


def test_hidden_names_are_hidden_in_what_is_taken_away(client):
    state = LabState().shuffle().change("hide", ("names",))
    for name in ("losses.csv", "curves.csv", "picture.html"):
        text = get(client, name, state).text
        rest = re.sub(r'<script type="importmap">.*</script>', "", text)
        assert "pretrained" not in rest, name
    assert {row["learner"] for row in rows(get(client, "losses.csv", state).text)} == {"A", "B"}
