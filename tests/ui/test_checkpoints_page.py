"""The Checkpoints page without a browser: cards, comparing, bringing a checkpoint, and what is damaged or gone."""

import csv
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
import pytest
import torch
from safetensors.torch import save as to_bytes
from shown import address, data
from streamlit.runtime.uploaded_file_manager import DeletedFile
from streamlit.testing.v1 import AppTest

from maml_core import checkpoint
from maml_core.checkpoint import Checkpoint
from maml_core.config import JOINT, TrainConfig
from maml_core.evaluation import query_metric, summarise
from maml_core.training import init
from ui.checkpoints import bundle, cards, comparison, recipe, uploads
from ui.checkpoints.comparison import Comparison
from ui.lab import engine
from ui.lab.state import LabState
from ui.shared import learners, rounding

PAGE = str(Path(__file__).parents[2] / "pages" / "checkpoints.py")
SHIPPED = learners.shipped()
STATS = {"mean": 0.5, "ci95": 0.1, "median": 0.4, "diverged": 0.5, "tasks": 10}


@pytest.fixture(autouse=True)
def own(tmp_path, monkeypatch):
    """A folder for runs and uploads of this test alone."""
    monkeypatch.setenv("MAML_LAB_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


def page(**query):
    app = AppTest.from_file(PAGE, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def shown(app):
    """Key -> HTML of everything that the page's components show, and the learners chosen."""
    given = [part for part in data(app) if "items" in part]
    return {key: html for part in given for key, html in part["items"]}, given[-1]["chosen"]


def drawn(app):
    """What the chart of the comparison was given; None where there is none."""
    return next((part for part in data(app) if "finding" in part), None)


def text(html):
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def made(**settings):
    config = TrainConfig(**settings)
    return Checkpoint(init(config).learned, config, iterations=0)


# Cards


def test_every_shipped_checkpoint_has_a_card_before_ones_own():
    name = learners.add(checkpoint.dumps(made(hidden=(3,))))
    app = page()
    assert not app.exception
    assert [key for key in shown(app)[0] if key not in ("shipped", "own")] == [*SHIPPED, name]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_card_quotes_its_checkpoint(name):
    html, saved = cards.card(name), learners.get(name)
    said = text(html)
    for K in ("5", "10"):
        for step in ("0", "1", "5", "10"):
            stats = saved.results[K][step]
            assert rounding.interval(stats["mean"], stats["ci95"]) in said
            assert not stats["diverged"] or f"{100 * stats['diverged']:.2g}% diverged" in said
    assert ("diverged" in said) == any(
        s["diverged"] for K in saved.results.values() for i, s in K.items() if i in ("0", "1", "5", "10")
    )
    assert f"{saved.config.max_steps:,} iterations" in said
    assert f"{saved.config.K} shots" in said
    assert f"{learners.find(name).stat().st_size / 1024:.0f} KB" in said


def test_a_thumbnail_says_what_it_shows():
    html = cards.thumbnail("maml", 0)
    (run,) = engine.trajectories(("maml",), cards.THUMBNAIL.points, *cards.THUMBNAIL.task[:2], 0.01, 1)
    assert f"error {run.query[0]:.2f} before, {run.query[1]:.2f} after 1 step" in text(html)
    ids = re.search(r'aria-labelledby="(\S+) (\S+)"', html).groups()
    assert [re.search(rf'<(\w+) id="{id}">', html)[1] for id in ids] == ["title", "desc"]
    assert html.count('class="shot"') == len(cards.THUMBNAIL.points)
    assert html.count('class="line"') == 3


@pytest.mark.parametrize("name", SHIPPED)
def test_the_lab_opens_on_what_the_thumbnail_shows(name):
    state, problems = LabState.from_query(dict(parse_qsl(cards.lab_address(name).removeprefix("lab?"))))
    assert problems == []
    assert name in state.learners
    assert len(state.learners) == 2
    if learners.get(name).config.algorithm not in JOINT:
        run = engine.on_show(state)[state.learners.index(name)]
        assert f"{rounding.number(run.query[state.step])} after {state.step} step" in cards.thumbnail(
            name, learners.version(name)
        )


def test_titles_are_text(monkeypatch):
    evil = '<img src=x onerror="alert(1)">&'
    name = learners.add(checkpoint.dumps(made(hidden=(3,))))
    monkeypatch.setattr(learners, "title", lambda name: evil)

    class Tags(HTMLParser):
        found: tuple = ()

        def handle_starttag(self, tag, attributes):
            self.found = (*self.found, tag, *(key for key, _ in attributes))

    evil += "{0}"
    assert evil in comparison.finding(comparison.measure(Comparison((name, "maml"))))
    for html in (cards.card(name), cards.card("upload:000000000000")):
        tags = Tags()
        tags.feed(html)
        assert not {"img", "onerror", "script"} & set(tags.found)


def test_a_damaged_file_is_said_and_the_others_live_on(own):
    good, damaged = (learners.add(checkpoint.dumps(made(hidden=(3,), seed=seed))) for seed in range(2))
    learners.find(damaged).write_bytes(b"damaged beyond repair")
    (own / "empty" / "checkpoints").mkdir(parents=True)
    app = page(compare=f"maml,{damaged}")
    items, chosen = shown(app)
    assert not app.exception
    assert "cannot be shown" in items[damaged]
    assert "is not a safetensors file, or is damaged" in items[damaged]
    assert "run:empty" not in items
    assert "thumbnail" in items[good]
    assert chosen == ["maml"]
    assert "cannot be compared" in app.toast[0].value


@pytest.mark.parametrize(
    ("results", "says"),
    [
        ({}, "Not measured"),
        ({"5": {}, "10": {}}, "Not measured"),
        ({"5": {}, "10": {"1": STATS}}, "1 step – 0.500 ± 0.100 50% diverged"),
        ({str(K): {"1": STATS} for K in range(1, 90)}, "1 shot 2 shots 3 shots 4 shots 1 step"),
        ({"10": {"7": STATS}}, "Not measured"),
    ],
)
def test_whatever_results_a_file_brings_its_card_is_shown(results, says):
    name = learners.add(checkpoint.dumps(replace(made(hidden=(3,)), results=results)))
    assert says in text(cards.card(name))
    assert recipe.load_lines(learners.get(name), f"{learners.stem(name)}.safetensors") in bundle.readme(
        learners.get(name), "mine", f"{learners.stem(name)}.safetensors", []
    )


def test_a_checkpoint_that_diverges_at_its_own_step_size_has_a_card():
    html = cards.card(learners.add(checkpoint.dumps(made(hidden=(9, 9), alpha=10.0, num_updates=50))))
    assert "∞ after 50 steps" in text(html)
    assert "nan" not in html
    assert all(d == "" or re.fullmatch(r"M[-\d.]+,[-\d.]+[-\d.,LHZ]*", d) for d in re.findall(r' d="([^"]*)"', html))


def test_a_run_that_is_not_over_has_a_card_without_results(own):
    folder = own / "mine" / "checkpoints"
    folder.mkdir(parents=True)
    checkpoint.save(folder / "step-001000.safetensors", Checkpoint(made().learned, TrainConfig(), 1000))
    said = text(shown(page())[0]["run:mine"])
    assert "iteration 1,000 of 70,000" in said
    assert "Not measured" in said


def test_many_own_ones_wait_until_asked_for():
    names = [learners.add(checkpoint.dumps(made(hidden=(2,), seed=seed))) for seed in range(14)]
    app = page()
    assert sum(key in names for key in shown(app)[0]) == 12
    app.button(key="ckpt_more").click().run()
    assert sum(key in names for key in shown(app)[0]) == 14


# Comparing


def test_an_address_shows_its_comparison():
    app = page(compare="pretrained,maml", K="5", num_updates="3", alpha="0.005")
    items, chosen = shown(app)
    assert chosen == ["pretrained", "maml"]
    assert app.number_input(key="ckpt_K").value == 5
    assert app.number_input(key="ckpt_alpha").value == 0.005
    assert items["finding"].count("MAML has the lowest mean error") == 1
    given = drawn(app)
    assert [given["looks"][learner["role"]]["label"] for learner in given["learners"]] == ["pretrained", "MAML"]
    assert all(len(learner[numbers]) == 4 for learner in given["learners"] for numbers in ("mean", "ci95", "gone"))
    assert "MAML has the lowest" in given["finding"]
    assert list(app.dataframe[0].value["step"]) == [0, 0, 1, 1, 3, 3]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"compare": "maml,nobody"}, "there is no learner"),
        ({"compare": "maml,run:../x"}, "there is no learner"),
        ({"K": "0"}, "it must be a whole number from 1 to 20"),
        ({"alpha": "high"}, "it must be a number from 0.0001 to 1"),
        ({"compare": ",".join(["maml", *(f"run:r{i}" for i in range(8))])}, "at most 8 learners"),
        ({"compare": "maml,upload:0123456789ab"}, "upload it again"),
    ],
)
def test_what_cannot_be_used_is_said_and_the_page_works(query, says):
    app = page(**query)
    assert says in app.toast[0].value.replace("\\", "")
    assert not app.exception
    assert "maml" in shown(app)[0]


def test_choosing_two_compares_them_and_the_address_says_so():
    app = page()
    assert drawn(app) is None
    app.multiselect(key="ckpt_compare").set_value(["maml", "shipped:maml_best"]).run()
    assert address(app)["compare"] == "maml,shipped:maml_best"
    before = app.dataframe[0].value
    app.number_input(key="ckpt_K").set_value(3).run()
    assert address(app)["K"] == "3"
    assert not app.dataframe[0].value.equals(before)
    app.multiselect(key="ckpt_compare").set_value(["maml"]).run()
    assert "finding" not in shown(app)[0]
    assert address(app)["compare"] == "maml"


def test_all_meet_the_same_tasks_and_differences_are_paired():
    maml, meta = comparison.measure(Comparison(("maml", "meta_sgd"), K=4, num_updates=2, alpha=None))
    losses = []
    for name in ("maml", "meta_sgd"):
        saved = learners.get(name)
        theta, alpha = saved.split()
        problem = saved.tasks(4, engine.FRESH_QUERY)
        losses.append(query_metric(problem, theta, alpha=alpha, num_updates=2, test_tasks=1000))
    assert maml.steps == summarise(losses[0])
    counted = [np.nan_to_num(part.double().numpy(), nan=100, posinf=100).clip(max=100) for part in losses]
    apart = counted[1] - counted[0]
    for step, found in enumerate(meta.apart):
        assert found.mean == pytest.approx(apart[step].mean())
        assert found.ci95 == pytest.approx(1.96 * apart[step].std(ddof=1) / 1000**0.5)
    assert all(difference.mean == difference.ci95 == 0 for difference in maml.apart)


def test_the_same_is_measured_once_for_everybody(monkeypatch):
    measured = []
    monkeypatch.setattr(
        engine,
        "query_metric",
        lambda problem, *args, **kwargs: measured.append(problem.K) or query_metric(problem, *args, **kwargs),
    )
    for asked in (Comparison(("maml", "anil"), K=19), Comparison(("anil", "maml"), K=19)):
        comparison.measure(asked)
    engine.fresh("maml", 19, 0.01, 10, 0.0, "anywhere", "none")
    assert measured == [19, 19, 19], "two learners at their own step size, and one at a given one"


def test_the_finding_names_the_lowest_and_does_not_claim_what_is_not_shown():
    clear = comparison.finding(comparison.measure(Comparison(("pretrained", "maml"))))
    assert re.fullmatch(
        r"After 10 steps, MAML has the lowest mean error, 0\.\d{3}: 1\.\d{3} ± 0\.\d{3} lower than pretrained\.", clear
    )
    first = comparison.finding(comparison.measure(Comparison(("maml", "pretrained", "meta_sgd"))))
    assert "pretrained is next and 1." in first
    assert re.search(r"Diverged: Meta-SGD on \d+% of the tasks\.$", first)
    same = comparison.finding(comparison.measure(Comparison(("maml", "anil"))))
    assert "too close to tell apart" in same


def test_several_own_ones_are_told_apart():
    looks = comparison.looks(("maml", *(f"shipped:{name}" for name in learners.TITLES), "run:a", "run:b"))
    assert len({(look.light, look.dash) for look in looks}) == len(looks)
    assert len({look.label for look in looks}) == len(looks)


def test_the_table_is_of_numbers_and_reads_as_everywhere():
    compared = comparison.measure(Comparison(("maml", "meta_sgd")))
    table = comparison.table(compared)
    assert list(zip(table.data["step"], table.data["learner"], strict=True)) == [
        (step, label) for step in (0, 1, 5, 10) for label in ("MAML", "Meta-SGD")
    ]
    said = text(table.to_html().partition("<tbody>")[2])
    stats, apart = compared[1].steps[10], compared[1].apart[10]
    assert f"+{rounding.interval(apart.mean, apart.ci95)}".replace(" ±", "") + f" {recipe.percent(stats.diverged)}" in said
    assert f"10 MAML 0.01 {rounding.number(compared[0].steps[10].mean, rounding.EXACT)}" in said
    told = table.data.iloc[-1]
    assert told["mean error"] == pytest.approx(stats.mean, rel=1e-2)
    assert told["difference"] == pytest.approx(apart.mean, rel=1e-2)
    assert told["± 95%"] == pytest.approx(apart.ci95, rel=1e-2)
    assert told["diverged"] == pytest.approx(100 * stats.diverged, rel=1e-1)
    assert list(table.data.loc[table.data["learner"] == "MAML", "difference"]) == [0] * 4


def test_the_csv_holds_every_step():
    compared = comparison.measure(Comparison(("maml", "fomaml"), num_updates=3))
    rows = list(csv.DictReader(io.StringIO(comparison.table_csv(compared))))
    assert [(row["learner"], row["step"]) for row in rows] == [(name, str(s)) for name in ("MAML", "FOMAML") for s in range(4)]
    assert float(rows[5]["difference"]) == pytest.approx(compared[1].apart[1].mean, rel=1e-6)
    assert float(rows[5]["mean"]) - float(rows[1]["mean"]) == pytest.approx(float(rows[5]["difference"]), abs=1e-5)


@pytest.mark.parametrize(
    "asked", [Comparison(), Comparison(("maml", "upload:0123456789ab", "shipped:maml_tf"), K=3, num_updates=7, alpha=0.0123)]
)
def test_any_comparison_survives_the_address(asked):
    assert Comparison.from_query(asked.to_query()) == (asked, [])


# Bringing a checkpoint


def brought(content, name="mine.safetensors"):
    app = page()
    app.file_uploader(key="ckpt_upload").upload(name, content, "application/octet-stream")
    return app.run()


def test_an_uploaded_checkpoint_is_a_card_at_once_and_chosen():
    app = brought(checkpoint.dumps(made(hidden=(5,), seed=9)))
    items, chosen = shown(app)
    assert not app.error
    assert chosen == learners.uploads()
    assert "layers of 5, seed 9, untrained" in text(items[chosen[0]])
    assert learners.title(chosen[0]) == "mine"


def tensors(**changed):
    return {**made().learned, **changed}


def file(learned, **metadata):
    about = {"format_version": "1", "config": json.dumps(TrainConfig().to_dict()), "iterations": "0"} | metadata
    return to_bytes(learned, {key: value for key, value in about.items() if value})


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "mine.safetensors is empty"),
        (b"PK\x03\x04 a pickle in a zip", "is a zip archive"),
        (file(tensors())[:-9], "is cut off"),
        (file(tensors(), format_version="7"), "has format version 7; this version reads 1 and 2"),
        (file(tensors(), config='{"K": -1}'), "has damaged metadata"),
        (file({"0.bias": torch.zeros(40)}), "lacks the tensor"),
        (file(tensors(extra=torch.zeros(2))), "holds a tensor extra"),
        (file(tensors(**{"0.bias": torch.zeros(3)})), "has shape (3,); its recipe calls for (40,)"),
        (file(tensors(**{"0.bias": torch.full((40,), torch.nan)})), "not finite"),
        (file(tensors(**{"0.bias": torch.zeros(40, dtype=torch.float64)})), "it must be float32"),
        (checkpoint.dumps(made(hidden=(512, 512))), "the lab shows networks with up to 100,000"),
    ],
)
def test_each_kind_of_fault_is_one_sentence(content, says):
    app = brought(content)
    assert not app.exception
    (error,) = app.error
    said = error.value.replace("\\", "")
    assert says in said
    assert "\n" not in said
    assert learners.uploads() == []
    assert shown(app)[1] == []


def test_a_file_without_a_recipe_is_taken_with_the_settings_that_are_stated():
    app = brought(file(tensors(), config=""), "theirs.safetensors")
    assert not app.error
    assert shown(app)[1] == []
    app.number_input(key="ckpt_upload_alpha").set_value(100.0)
    app.button(key="ckpt_upload_use").click().run()
    assert "must be between 1e-06 and 10" in app.error[0].value.replace("\\", "")
    app.number_input(key="ckpt_upload_alpha").set_value(0.02)
    app.number_input(key="ckpt_upload_num_updates").set_value(3)
    app.selectbox(key="ckpt_upload_algorithm").set_value("anil")
    app.button(key="ckpt_upload_use").click().run()
    assert not app.error
    items, (name,) = shown(app)
    assert learners.title(name) == "theirs"
    assert "ANIL, 3 inner steps, α 0.02, hidden layers of 40, 40, trained elsewhere" in text(items[name])
    assert f'aria-label="Delete {learners.title(name)}"' in items[name]
    assert "Delete" not in items["maml"]


def test_a_file_that_the_server_holds_no_more_is_asked_for_again(monkeypatch):
    """Files of others came in between, and the oldest went."""
    app = brought(file(tensors(), config=""), "theirs.safetensors")
    monkeypatch.setattr(uploads, "UploadedFile", DeletedFile)
    app.button(key="ckpt_upload_use").click().run()
    assert app.error[0].value.replace("\\", "") == "the server does not hold this file any more: choose it again"
