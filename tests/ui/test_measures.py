"""What lessons measure: against plain loops and `evaluate`, and every argument is checked."""

import inspect
import itertools
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from maml_core.algorithms import adapt
from maml_core.curvature import gradient_terms
from maml_core.evaluation import evaluate
from ui.geometry import planes, world
from ui.lab import engine
from ui.lab.state import LabState
from ui.lessons import arguments, measures, questions
from ui.shared import learners

GUIDE = Path(__file__).parents[2] / "lessons" / "README.md"
VIEW = Path(__file__).parents[2] / "ui" / "geometry"


@pytest.fixture(autouse=True)
def as_on_the_server():
    torch.set_num_threads(1)


def take(measure, **arguments):
    return questions.take(questions.read({"measure": measure} | arguments))


def evaluated(learner, K, steps, **more):
    found = learners.get(learner)
    return evaluate(found.learned, found.config, K=K, num_updates=steps, test_tasks=2000, **more)


@pytest.mark.parametrize(
    ("learner", "step", "more"),
    [
        ("maml", 1, {}),
        ("maml", 0, {"K": 5}),
        ("pretrained", 10, {"alpha": 0.01}),
        ("maml", 1, {"K": 5, "placement": "left"}),
        ("maml", 10, {"freeze": "body"}),
        ("maml", 1, {"noise": 1.0}),
        ("meta_sgd", 2, {}),
    ],
)
def test_errors_are_those_of_evaluate(learner, step, more):
    """Over other tasks, so within the two intervals."""
    sure = evaluated(learner, **({"K": 10, "steps": step} | more))[step]
    assert abs(take("error", learner=learner, step=step, **more) - sure.mean) < 3 * sure.ci95 + 1e-9
    assert take("median", learner=learner, step=step, **more) == pytest.approx(sure.median, rel=0.25)
    assert take("diverged", learner=learner, step=step, **more) == pytest.approx(sure.diverged, abs=0.04)


def test_steps_beyond_those_measured_at_once_are_measured_too():
    assert take("error", learner="maml", step=11, K=10) < take("error", learner="maml", step=1, K=10)


@pytest.mark.parametrize("half", ["all", "left", "right"])
def test_a_picture_is_one_task_adapted_by_hand(half):
    state = LabState(seed=15, K=10)
    net, (theta, alpha) = learners.get("maml").network, learners.get("maml").split()
    x, y = torch.tensor(state.points).split(1, dim=1)
    phi = adapt(net.mse, theta, x, y, alpha, 3)[-1]
    grid = engine.GRID
    squares = np.square(net.apply(phi, torch.from_numpy(grid)[:, None])[:, 0].numpy() - state.task.curve(grid))
    inside = {"all": grid == grid, "left": grid < 0, "right": grid > 0}[half]
    found = take("picture", lab="seed=15&K=10&step=3", learner="maml", half=half)
    assert found == pytest.approx(squares[inside].mean(), rel=1e-3)
    assert found == take("picture", lab="seed=15&K=10", learner="maml", half=half, step=3)


def test_the_wave_in_a_curve_is_found_and_the_mean_task_is_the_mean_of_many():
    rng = np.random.default_rng(0)
    amplitude, phase = rng.uniform(0.1, 5, 200_000), rng.uniform(0, np.pi, 200_000)
    assert take("mean_wave", of="sin") == pytest.approx(np.mean(amplitude * np.cos(phase)), abs=0.02)
    assert take("mean_wave", of="cos") == pytest.approx(np.mean(-amplitude * np.sin(phase)), abs=0.02)
    net, (theta, _) = learners.get("pretrained").network, learners.get("pretrained").split()
    x = torch.linspace(-5, 5, 201)[:, None]
    curve = net.apply(theta, x)[:, 0].numpy()

    def misfit(a, b):
        rest = curve - a * np.cos(x[:, 0].numpy()) - b * np.sin(x[:, 0].numpy())
        return np.square(rest - rest.mean()).mean()

    a, b = (take("wave", learner="pretrained", of=of) for of in ("cos", "sin"))
    assert all(misfit(a, b) < misfit(a + da, b + db) for da, db in ((0.05, 0), (-0.05, 0), (0, 0.05), (0, -0.05)))


def test_the_cliff_is_where_a_scan_finds_it():
    found = take("cliff", learner="maml", K=10)
    at = measures.CLIFF.index(found)
    before = take("error", learner="maml", step=0, K=10)
    assert all(take("error", learner="maml", step=1, K=10, alpha=alpha) <= before for alpha in measures.CLIFF[at - 4 : at])
    assert all(take("error", learner="maml", step=1, K=10, alpha=alpha) > before for alpha in measures.CLIFF[at : at + 4])


def test_what_fomaml_leaves_out_is_the_longer_part_of_some_tasks_and_the_shorter_of_others():
    found = learners.get("maml")
    theta, alpha = found.split()
    g, left = gradient_terms(found.network.mse, theta, planes._batch(found, planes.TERM_TASKS), alpha)
    lengths = [torch.cat([part[name].flatten(1) for name in theta], 1).norm(dim=1) for part in (left, g)]
    assert take("left_out", learner="maml") == pytest.approx((lengths[0] / lengths[1]).median().item(), rel=1e-4)


def by_hand(learner, waves, xs, step, judged, alpha=None):
    """The mean error of a learner over waves (A, phi) with shots at xs, judged at other x: one wave after the other."""
    found = learners.get(learner)
    net, (theta, sizes) = found.network, found.split(alpha)
    x, grid = torch.tensor(xs)[:, None], torch.as_tensor(judged, dtype=torch.float32)[:, None]
    errors = []
    for amplitude, phase in waves:
        end = adapt(net.mse, theta, x, amplitude * torch.sin(x - phase), sizes, step)[-1]
        errors.append(net.mse(end, grid, amplitude * torch.sin(grid - phase)).item())
    return float(np.mean(np.minimum(errors, 100)))


def some_waves(count):
    rng = np.random.default_rng(3)
    return list(zip(rng.uniform(0.1, 5, count).tolist(), rng.uniform(0, np.pi, count).tolist(), strict=True))


def test_shots_at_the_same_x_are_tried_on_other_waves():
    xs = (-0.3, 2.7, 4.1)
    loop = by_hand("maml", some_waves(300), xs, 1, np.linspace(-5, 5, 101), alpha=0.005)
    assert measures.placed("maml", xs, 1, 0.005, "none") == pytest.approx(loop, rel=0.15)
    assert measures.placed("maml", (), 1, 0.01, "none") == pytest.approx(take("error", learner="maml", step=0), rel=0.1)
    assert measures.placed("maml", xs, 1, 0.01, "body") > 5 * measures.placed("maml", xs, 1, 0.01, "none")


def test_errors_beyond_the_range_of_training():
    waves, rng = some_waves(300), np.random.default_rng(0)
    xs = rng.uniform(-5, 0, (300, 5)).astype(np.float32).tolist()
    for step in (0, 1):
        loop = np.mean([by_hand("maml", [wave], x, step, np.linspace(6, 8, 41)) for wave, x in zip(waves, xs, strict=True)])
        found = take("beyond", learner="maml", step=step, low=6, high=8, K=5, placement="left")
        assert found == pytest.approx(loop, rel=0.25)
    inside = take("beyond", learner="maml", step=1, low=-5, high=5)
    assert inside == pytest.approx(take("error", learner="maml", step=1), rel=0.15)


def test_what_the_features_of_a_body_are_good_for():
    """Ridge regression as its normal equations on PyTorch's own network, over other waves."""
    net = torch.nn.Sequential(*(layer for sizes in ((1, 40), (40, 40)) for layer in (torch.nn.Linear(*sizes), torch.nn.ReLU())))
    learned = learners.get("maml").learned
    net.load_state_dict({name: learned[name] for name in net.state_dict()})
    head = torch.cat([learned["4.weight"][0], learned["4.bias"]]).double()
    rng, grid = np.random.default_rng(1), torch.linspace(-5, 5, 101)[:, None]

    def features(x):
        with torch.no_grad():
            return torch.cat([net(x), torch.ones(len(x), 1)], 1).double()

    errors, wholes = [], []
    for amplitude, phase in some_waves(300):
        x = torch.tensor(rng.uniform(-5, 5, (10, 1)), dtype=torch.float32)
        F, G, y, wave = features(x), features(grid), amplitude * torch.sin(x - phase), amplitude * torch.sin(grid - phase)
        rest = F.T @ (y[:, 0].double() - F @ head)
        moved = head + torch.linalg.solve(F.T @ F + 0.1 * torch.eye(41, dtype=torch.float64), rest)
        errors.append((G @ moved - wave[:, 0]).square().mean().item())
        best = np.linalg.lstsq(G.numpy(), wave.double().numpy(), rcond=1e-12)[0]
        wholes.append(np.square(G.numpy() @ best - wave.double().numpy()).mean())
    assert take("ridge", learner="maml") == pytest.approx(np.mean(errors), rel=0.15)
    assert take("best_head", learner="maml") == pytest.approx(np.mean(wholes), rel=0.3)


def test_step_sizes_that_were_learned_have_signs():
    learned = learners.get("meta_sgd").learned
    sizes = np.concatenate([value.numpy().ravel() for name, value in learned.items() if name.startswith("alpha.")])
    assert take("negative_steps", learner="meta_sgd") == pytest.approx(np.mean(sizes < 0))
    assert take("negative_steps", learner="anil") == take("negative_steps", learner="maml") == 0
    assert take("iterations", learner="meta_sgd") == learners.get("meta_sgd").iterations


@pytest.mark.parametrize("query", ["", "difference=0.5&alpha=0.2", "tasks=1,1;2,-1;-3,0.5;0,0;1,2"])
def test_learners_end_where_their_mean_loss_is_lowest(query):
    """By looking around: joint training before a step, MAML after one."""
    settings = arguments.query_of(query)
    for learner, step in (("pretrained", 0), ("maml", 1)):
        end = world.end(learner, settings)
        lowest = world.mean_loss(end, step, settings)
        around = [torch.tensor(way, dtype=torch.float64) / 10 for way in itertools.product((-1, 0, 1), repeat=2) if any(way)]
        assert all(world.mean_loss(end + way, step, settings) > lowest for way in around)
        assert take("world_loss", world=query, learner=learner, step=step) == pytest.approx(lowest)
    ends = [world.end(learner, settings) for learner in ("maml", "pretrained")]
    assert take("world_apart", world=query, learner="maml", other="pretrained") == pytest.approx(
        (ends[0] - ends[1]).norm().item()
    )
    optimum = torch.tensor([float(part) for part in settings.get("tasks", world.TASKS).split(";")[1].split(",")])
    assert take("world_end_to_task", world=query, learner="maml", task=2) == pytest.approx((ends[0] - optimum).norm().item())


def test_the_world_is_the_geometry_pages():
    toy, address = ((VIEW / name).read_text(encoding="utf-8") for name in ("toy.js", "address.js"))
    shapes = re.search(r"const SHAPES = \[(.*?)\n\];", toy, re.DOTALL)[1]
    assert tuple(tuple(float(part) for part in shape.split(",")) for shape in re.findall(r"\[([^\]]*)\]", shapes)) == world.SHAPES
    places = re.findall(r"\[([^\[\]]*)\]", re.search(r"PLACES = \[(.*?)\n?\];", address, re.DOTALL)[1])
    assert ";".join(place.replace(" ", "") for place in places[:4]) == world.TASKS
    assert "tasks: PLACES.slice(0, 4)" in address
    assert [float(part) for part in world.THETA.split(",")] == [
        float(part) for part in re.search(r"theta: \[(.*)\]", address)[1].split(",")
    ]
    for name, value in {"alpha": world.ALPHA, "difference": world.DIFFERENCE}.items():
        assert float(re.search(rf"  {name}: ([\d.]+)", address)[1]) == value
    assert float(re.search(r"ALPHA = \[0, ([\d.]+)\]", address)[1]) == world.MOST_ALPHA
    assert tuple(re.findall(r"^  (\w+)", re.search(r"DEFAULTS = \{(.*?)\};", address, re.DOTALL)[1], re.M)) == world.PARAMETERS


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, "there is no measure None; there are error, median"),
        ({"measure": "eror"}, "there is no measure 'eror'"),
        ({"measure": "error", "step": 1}, "the measure error needs learner: one of maml"),
        ({"measure": "error", "learner": "mamml", "step": 1}, "there is no learner 'mamml'"),
        ({"measure": "error", "learner": "run:x", "step": 1}, "there is no learner 'run:x'"),
        ({"measure": "error", "learner": "maml", "step": 51}, "it must be a whole number from 0 to 50"),
        ({"measure": "error", "learner": "maml", "step": True}, "it must be a whole number from 0 to 50"),
        ({"measure": "error", "learner": "maml", "step": 1.5}, "it must be a whole number from 0 to 50"),
        ({"measure": "error", "learner": "maml", "step": 1, "alpha": float("nan")}, "it must be a number from 0.0001 to 1"),
        ({"measure": "error", "learner": "maml", "step": 1, "placement": "right"}, "it must be one of anywhere, left"),
        (
            {"measure": "error", "learner": "maml", "step": 1, "k": 5},
            "the measure error has no argument 'k'; it has learner, step, K",
        ),
        ({"measure": "picture", "lab": "K=99", "learner": "maml"}, "it must be a whole number from 1 to 20"),
        ({"measure": "picture", "lab": "k=5", "learner": "maml"}, "the lab has no setting 'k'"),
        ({"measure": "picture", "lab": "seed", "learner": "maml"}, "is not an address query"),
        ({"measure": "picture", "lab": 5, "learner": "maml"}, "it must be an address query"),
        ({"measure": "world_loss", "world": "shots=1", "learner": "maml", "step": 1}, "the world has no setting 'shots'"),
        ({"measure": "world_loss", "world": "tasks=1,1", "learner": "maml", "step": 1}, "the world has 3 to 6 tasks"),
        ({"measure": "world_loss", "world": "alpha=x", "learner": "maml", "step": 1}, "the world has 3 to 6 tasks"),
        ({"measure": "world_loss", "world": "", "learner": "reptile", "step": 1}, "it must be one of maml, fomaml, pretrained"),
    ],
)
def test_what_cannot_be_asked_is_said(asked, says):
    with pytest.raises(ValueError, match=r".") as refused:
        questions.read(asked)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"measure": "published", "K": 7}, "MAML-tf published no error with 7 shots after step 1"),
        ({"measure": "world_end_to_task", "world": "", "learner": "maml", "task": 5}, "so there is no task 5"),
        (
            {"measure": "beyond", "learner": "maml", "step": 1, "low": 8, "high": 6},
            "low must be below high, and 8 is not below 6",
        ),
        ({"measure": "beyond", "learner": "oracle", "step": 1, "low": 6, "high": 8}, "is told each task"),
        ({"measure": "ridge", "learner": "oracle"}, "has no features of x alone"),
        ({"measure": "best_head", "learner": "shipped:maml_batch_norm"}, "has no features of x alone"),
        ({"measure": "cliff", "learner": "oracle"}, None),
    ],
)
def test_what_cannot_be_measured_is_said(asked, says):
    question = questions.read(asked)
    if says is None:
        assert questions.take(question) > 0
        return
    with pytest.raises(ValueError, match=r".") as refused:
        questions.take(question)
    assert says in str(refused.value)


def test_the_same_is_measured_once(monkeypatch):
    asked = {"measure": "error", "learner": "reptile", "step": 2, "K": 7}
    first = questions.take(questions.read(asked))
    monkeypatch.setattr(engine, "fresh", None)
    assert questions.take(questions.read(asked)) == first


def test_the_guide_lists_every_measure_with_its_arguments():
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \|$", GUIDE.read_text(encoding="utf-8"), re.M)

    def arguments(name):
        for key, parameter in questions.parameters(name).items():
            given = parameter.default not in (inspect.Parameter.empty, None)
            yield (
                f'{key} = "{parameter.default}"'
                if isinstance(parameter.default, str) and given
                else (f"{key} = {parameter.default}" if given else key)
            )

    assert rows == [(name, ", ".join(arguments(name)), inspect.getdoc(measure)) for name, measure in measures.MEASURES.items()]


def test_the_guide_says_what_every_argument_may_be():
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]*) \|$", GUIDE.read_text(encoding="utf-8"), re.M))
    for name in measures.MEASURES:
        for key in questions.parameters(name):
            assert key in rows
