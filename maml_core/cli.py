"""The command line: `python -m maml_core train | evaluate | table | bench | stop`. Results on stdout, everything else on stderr.

Exit status: 0 done, 1 the run failed, 2 bad input, 130 interrupted (what was trained is kept).
What can be asked is in arguments.py, and how results are printed in printing.py.
Each command imports what it computes with when it begins to compute: help, refusals and `stop` do without torch.
"""

import argparse
import dataclasses
import io
import os
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from maml_core import arguments, printing, runs
from maml_core.config import CLASSIFICATION, JOINT, MAX_DRAWINGS, TrainConfig, without_effect
from maml_core.errors import CheckpointError, ConfigError, NoRecipe, NotHere, RunError, RunFailed, RunPaused, TrainingDiverged
from maml_core.runs import RunSettings, choose_device

if TYPE_CHECKING:
    from maml_core.baselines import TableRow
    from maml_core.checkpoint import Checkpoint
    from maml_core.classification import Classification
    from maml_core.evaluation import StepStats
    from maml_core.training import Record

DIFFERS = "its numbers will then differ in their last digits from those of a run that was never moved"
EXAMPLE = "--algorithm maml --alpha 0.01 --trained-steps 1"
"""What `evaluate` is told of a network that carries no recipe."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without ± is no reason to fail
    args = arguments.parse(sys.argv[1:] if argv is None else argv)
    try:
        return FUNCTIONS[args.command](args)
    except (ConfigError, CheckpointError, RunError) as error:
        print(f"error: {error}", file=sys.stderr)
        if remedy := getattr(error, "remedy", ""):
            print(f"\n{remedy}", file=sys.stderr)
        return 2
    except TrainingDiverged as error:
        print(f"error: {error}; the last good checkpoint is kept", file=sys.stderr)
        return 1
    except RunFailed as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def train_command(args: argparse.Namespace) -> int:
    """Train into a run folder, with a progress bar, until done or Ctrl-C."""
    given = {f.name: getattr(args, f.name) for f in dataclasses.fields(TrainConfig) if getattr(args, f.name) is not None}
    if args.resume:
        if args.run_dir is None:
            raise RunError("--resume needs the run's folder: add --run-dir DIR")
        if args.start:
            raise RunError("--start begins a new run and --resume continues one: leave one of them out")
        config, settings = runs.read_config(args.run_dir)
        stored, asked = config.to_dict(), dataclasses.replace(config, **given).to_dict()
        if changed := [f"{name}={stored[name]} (asked for {asked[name]})" for name in stored if stored[name] != asked[name]]:
            raise RunError(f"this run was started with {', '.join(changed)}; leave that out, or start a new run")
        how = {name: value for name in vars(settings) if (value := getattr(args, name)) not in (None, vars(settings)[name])}
        if how and runs.read_status(args.run_dir).state != "finished":
            reached = runs.execute_otherwise(args.run_dir, dataclasses.replace(settings, **how))
            other = ", ".join(f"{name}={value} instead of {vars(settings)[name]}" for name, value in how.items())
            print(f"from iteration {reached:,} on: {other}{f'; {DIFFERS}' if reached else ''}", file=sys.stderr)
    else:
        config = TrainConfig.of(**given)
        if args.alpha is not None and (why := without_effect(config.algorithm, config.num_updates, config.family).get("alpha")):
            raise ConfigError(f"alpha={args.alpha:g} has no effect here: {why}; leave it out")
        args.run_dir = args.run_dir or Path("runs") / f"{config.algorithm}-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
        settings = RunSettings(args.path or "auto", args.device or "auto", args.threads or 1)
        runs.create(args.run_dir, config, **vars(settings), start=args.start)
        print(f"preparing {args.run_dir}; a long run is compiled first, which takes about 20 s, once", file=sys.stderr)
    from tqdm import tqdm

    from maml_core.runs import worker
    from maml_core.runs.obeying import stop_like_ctrl_c

    began = time.perf_counter()
    stop_like_ctrl_c()
    start = runs.read_status(args.run_dir).iteration
    with tqdm(total=config.max_steps, initial=start, unit="it", file=sys.stderr, mininterval=0.5, disable=args.quiet) as bar:

        def starting(settings: RunSettings) -> None:
            how = f"on the {settings.path} path, {settings.device}"
            tqdm.write(f"training {config.algorithm} into {args.run_dir} {how}", file=sys.stderr)

        def show(record: "Record") -> None:
            bar.update(record.iteration - bar.n)
            bar.set_postfix_str(f"loss {record.loss_before:.2f} -> {record.loss_after:.3f}", refresh=False)

        def measuring() -> None:
            bar.close()
            print(f"measuring the result on {args.test_sample:,} fresh tasks", file=sys.stderr)

        try:
            done = worker.train_run(
                args.run_dir, test_sample=args.test_sample, on_start=starting, on_record=show, on_measure=measuring
            )
        except (KeyboardInterrupt, RunPaused):
            bar.close()
            print(
                f"interrupted at {runs.read_status(args.run_dir).iteration:,} of {config.max_steps:,}; "
                f"what was trained is kept in {args.run_dir}\n"
                f"continue with: {_resume(args.run_dir)}",
                file=sys.stderr,
            )
            return 130
        except NotHere as error:
            bar.close()
            anew = "--device auto --path auto" if settings.device == "cuda" else "--path auto"
            raise NotHere(f"{error}\ncontinue with what this machine has: {_resume(args.run_dir)} {anew}\n{DIFFERS}") from None
    final = runs.final_of(args.run_dir)
    if args.json:
        printing.as_json(
            {
                "checkpoint": str(final),
                "iterations": done.iterations,
                "alpha": done.config.alpha,
                "seconds": round(time.perf_counter() - began, 3),
                "settings": vars(runs.read_config(args.run_dir)[1]),
                "results": done.results,
            }
        )
    else:
        printing.trained(final, done)
    return 0


def _resume(folder: Path) -> str:
    return f"python -m maml_core train --run-dir {shlex.quote(str(folder))} --resume"


def evaluate_command(args: argparse.Namespace) -> int:
    """Error of one checkpoint by inner step, over fresh tasks."""
    path = args.restore_checkpoint or runs.latest_checkpoint(args.restore_dir)
    from maml_core.evaluation import evaluate

    checkpoint = _load_as_told(path, args)
    config = checkpoint.config
    for name in arguments.CHECKPOINTS_OWN:
        if (asked := getattr(args, name)) not in (None, getattr(config, name)):
            raise ConfigError(
                f"{name}={asked!r} is not possible: {path.name} was trained with {getattr(config, name)}; leave it out"
            )
    images = config.family in CLASSIFICATION
    args.K = args.K or (1 if images else 10)
    args.num_updates = args.num_updates if args.num_updates is not None else 5 if images else 10
    _check_evaluation(args, config)
    device = choose_device(args.device)
    alpha = config.alpha if args.alpha is None else args.alpha
    family = args.family or config.family
    if warning := checkpoint.warning():
        print(f"note: {warning}", file=sys.stderr)
    with printing.task_bar(args.test_sample) as bar:
        stats = evaluate(
            {name: value.to(device) for name, value in checkpoint.learned.items()},
            config,
            problem=_omniglot(args, checkpoint) if args.omniglot else None,
            K=args.K,
            way=args.way,
            num_updates=args.num_updates,
            test_tasks=args.test_sample,
            alpha=alpha,
            family=family,
            noise=args.noise,
            placement=args.placement,
            freeze=args.freeze,
            seed=args.seed,
            on_tasks=bar.update,
        )
    if args.draw is not None:
        _draw(args, path, checkpoint, family, alpha, stats)
    if args.json:
        about = {"checkpoint": str(path), "algorithm": config.algorithm, "alpha": alpha, "family": family}
        asked = {name: getattr(args, name) for name in ("noise", "placement", "freeze", "K", "seed")}
        printing.as_json(about | asked | {"tasks": args.test_sample, "steps": [step._asdict() for step in stats]})
    else:
        print(f"{path}: {config.algorithm}, {args.K}-shot, alpha {alpha:g}, {args.test_sample:,} tasks")
        printing.steps(stats)
    return 0


def _check_evaluation(args: argparse.Namespace, config: TrainConfig) -> None:
    """Raise ConfigError where something is asked for that these tasks do not have."""
    if config.family not in CLASSIFICATION:
        if asked := [name for name in ("omniglot", "way") if getattr(args, name) is not None]:
            raise ConfigError(f"--{asked[0]} is not possible here: the network draws curves; give one trained on characters")
        return
    if args.K > MAX_DRAWINGS:
        raise ConfigError(f"--K {args.K} is not possible with characters: it must be between 1 and {MAX_DRAWINGS}")
    curves = {"noise": 0.0, "placement": "anywhere", "draw": None}
    if asked := [name for name, usual in curves.items() if getattr(args, name) != usual]:
        raise ConfigError(f"--{asked[0]} is not possible with characters: it belongs to curves; leave it out")


def _omniglot(args: argparse.Namespace, checkpoint: "Checkpoint") -> "Classification":
    from maml_core import evaluation, omniglot, problems

    problem = problems.of(checkpoint.config, K=args.K, query=evaluation.DRAWINGS, way=args.way)
    return dataclasses.replace(cast("Classification", problem), examples=omniglot.read(args.omniglot))


def _load_as_told(path: Path, args: argparse.Namespace) -> "Checkpoint":
    """The checkpoint; of one without a recipe what the options tell of it, which must not contradict a recipe that is there."""
    from maml_core import checkpoint as ckpt

    try:
        checkpoint = ckpt.load(path)
    except NoRecipe as error:
        joint = args.algorithm in JOINT
        needed = {"--algorithm": args.algorithm, "--alpha": args.alpha} | (
            {} if joint else {"--trained-steps": args.trained_steps}
        )
        if missing := [option for option, value in needed.items() if value is None]:
            raise CheckpointError(f"{error}. Add {' and '.join(missing)}, such as {EXAMPLE}") from None
        return ckpt.load(path, ckpt.Told(args.algorithm, args.alpha, args.trained_steps or 1))
    for option, asked, own in (
        ("--algorithm", args.algorithm, checkpoint.config.algorithm),
        ("--trained-steps", args.trained_steps, checkpoint.config.inner_steps),
    ):
        if asked not in (None, own):
            raise ConfigError(f"{option} {asked} is not possible: {path.name} was trained with {own}; leave it out")
    return checkpoint


def table_command(args: argparse.Namespace) -> int:
    """MAML-tf's published table, measured on the shipped checkpoints."""
    files, others = runs.checkpoints_in(args.dir), runs.checkpoints_in(args.dir / "seeds")
    if not files:
        raise RunError(f"there is no checkpoint (*.safetensors) in {args.dir}")
    from maml_core import baselines
    from maml_core.checkpoint import load

    bar = printing.task_bar((len(files) + 1 + len(others)) * len(baselines.PUBLISHED) * args.test_sample)

    def row(name: str, checkpoint: "Checkpoint") -> "TableRow":
        bar.set_description_str(name)
        return baselines.as_published(checkpoint, test_tasks=args.test_sample, on_tasks=bar.update)

    with bar:
        rows = {path.stem: row(path.stem, load(path)) for path in files}
        rows["random"] = row("random", baselines.random())
        seeds: dict[str, list[TableRow]] = {}  # NAME -> the same recipe from other seeds
        for path in others:
            name = path.stem.rpartition("-")[0]
            seeds.setdefault(name, [rows[name]] if name in rows else []).append(row(path.stem, load(path)))
    if args.json:
        published = {str(k): {str(step): mean for step, mean in means.items()} for k, means in baselines.PUBLISHED.items()}
        measured = {name: _plain(row) for name, row in rows.items()}
        of_seeds = {name: list(map(_plain, several)) for name, several in seeds.items()}
        printing.as_json({"tasks": args.test_sample, "published": published, "measured": measured, "seeds": of_seeds})
    else:
        printing.table(rows, seeds, args.test_sample)
    return 0


def _plain(row: "TableRow") -> dict[str, list[dict[str, float]]]:
    """A row of the table as JSON has it."""
    return {str(k): [step._asdict() for step in steps] for k, steps in row.items()}


def bench_command(args: argparse.Namespace) -> int:
    """Iterations per second on the reference workload: the paper's, sampling included (TrainConfig's defaults)."""
    import torch

    from maml_core.training import BLOCK, meta_train

    torch.set_num_threads(args.threads)
    config = TrainConfig(max_steps=10_000_000)
    settings = RunSettings(args.path, args.device, args.threads).settle(config)
    records = meta_train(config, path=settings.path, device=settings.device)
    next(records)  # start-up: tracing or compiling
    began, iterations = time.perf_counter(), 0
    while (seconds := time.perf_counter() - began) < args.seconds:
        next(records)
        iterations += BLOCK
    result: dict[str, Any] = {"iterations_per_second": round(iterations / seconds, 1)} | vars(settings)
    if args.json:
        printing.as_json(result)
    else:
        print("{iterations_per_second:,.0f} iterations/s ({path}, {device}, {threads} thread(s))".format(**result))
    return 0


def stop_command(args: argparse.Namespace) -> int:
    """Ask a run to stop, whoever started it, wherever it trains. What it has learned is kept."""
    runs.ask(args.run_dir, "stop")
    if args.json:
        printing.as_json({"run": str(args.run_dir), "asked": "stop"})
    else:
        print(f"{args.run_dir} has been asked to stop; it will, within a second or two")
    return 0


def _draw(
    args: argparse.Namespace, path: Path, checkpoint: "Checkpoint", family: str, alpha: float, stats: list["StepStats"]
) -> None:
    import torch

    from maml_core import tasks
    from maml_core.algorithms import adapt
    from maml_core.figures import ExampleTask, evaluation_figure

    drawn, net = tasks.family(family), checkpoint.network
    generator = torch.Generator().manual_seed(args.seed)
    everywhere = torch.linspace(0, 1, 201)[None]  # the query points are a grid over x
    uniforms = torch.cat([torch.rand(1, drawn.randoms + args.K, generator=generator), everywhere], 1)
    told = checkpoint.config.algorithm == "oracle"
    x, y, grid, true = (part[0] for part in tasks.batch(drawn, uniforms, args.K, told, args.placement))
    y = y + args.noise * torch.randn(y.shape, generator=tasks.stream(args.seed, tasks.NOISE))
    theta, step_size = checkpoint.split(alpha, args.freeze)
    with torch.no_grad():
        trajectory = adapt(net.mse, theta, x, y, step_size, args.num_updates)
        curves = torch.stack([net.apply(phi, grid)[:, 0] for phi in trajectory])
    example = ExampleTask(*(tensor.numpy() for tensor in (grid[:, 0], true[:, 0], x[:, 0], y[:, 0], curves)))
    title = f"{path.name}: {args.K}-shot, alpha {alpha:g}, {args.test_sample:,} tasks"
    steps, out = [step._asdict() for step in stats], Path(args.draw)
    figure = evaluation_figure(title, checkpoint.config.algorithm, example, steps)
    try:
        if out.suffix == ".png":
            figure.write_image(out, width=1200, height=560, scale=2)
        else:
            figure.write_html(out, include_plotlyjs=True)
    except (ValueError, RuntimeError) as error:  # how plotly says that its renderer or the renderer's browser is missing
        why = next(iter(str(error).strip().splitlines()), "no renderer")
        raise RunError(
            f"{out} cannot be drawn ({why}); install kaleido and Chrome, or give a file name that ends in .html"
        ) from None
    except OSError as error:
        raise RunError(f"{out} cannot be written: {error.strerror}") from None
    print(f"drawn: {out}", file=sys.stderr)


FUNCTIONS = {
    "train": train_command,
    "evaluate": evaluate_command,
    "table": table_command,
    "bench": bench_command,
    "stop": stop_command,
}
"""Of the commands in arguments.COMMANDS."""
