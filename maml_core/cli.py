"""The command line: `python -m maml_core train | evaluate | table | bench | stop`. Results on stdout, everything else on stderr.

Exit status: 0 done, 1 the run failed, 2 bad input, 130 interrupted (what was trained is kept).
Each command imports what it computes with when it begins to compute: help, refusals and `stop` do without torch.
"""

import argparse
import dataclasses
import io
import json
import os
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maml_core import PRETRAINED, runs
from maml_core.config import (
    ALGORITHMS,
    DEVICES,
    FAMILIES,
    FREEZES,
    JOINT,
    MAX_UPDATES,
    MOST_TEST_SAMPLE,
    PATHS,
    PLACEMENTS,
    TEST_SAMPLE,
    TrainConfig,
    between,
    one_of,
    without_effect,
)
from maml_core.errors import CheckpointError, ConfigError, NoRecipe, NotHere, RunError, RunFailed, RunPaused, TrainingDiverged
from maml_core.runs import RunSettings, choose_device

if TYPE_CHECKING:
    from tqdm import tqdm

    from maml_core.checkpoint import Checkpoint
    from maml_core.training import Record

CHECKPOINTS_OWN = ("norm", "model_type", "loss_type")
"""MAML-tf asks for these at evaluation too; here the checkpoint knows them, and saying them again must agree."""
DIFFERS = "its numbers will then differ in their last digits from those of a run that was never moved"
EXAMPLE = "--algorithm maml --alpha 0.01 --trained-steps 1"
"""What `evaluate` is told of a network that carries no recipe."""
NAME_WIDTH = 24


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without ± is no reason to fail
    args = _parser().parse_args(_spelling(sys.argv[1:] if argv is None else argv))
    try:
        return args.command(args)
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


def train(args: argparse.Namespace) -> int:
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
        config = TrainConfig(**given)
        if args.alpha is not None and (why := without_effect(config.algorithm, config.num_updates).get("alpha")):
            raise ConfigError(f"alpha={args.alpha:g} has no effect here: {why}; leave it out")
        args.run_dir = args.run_dir or Path("runs") / f"{config.algorithm}-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
        settings = RunSettings(args.path or "auto", args.device or "auto", args.threads or 1)
        runs.create(args.run_dir, config, **vars(settings), start=args.start)
        print(f"preparing {args.run_dir}; a long run is compiled first, which takes about 20 s, once", file=sys.stderr)
    from tqdm import tqdm

    from maml_core.runs import worker

    began = time.perf_counter()
    worker.stop_like_ctrl_c()
    start = runs.read_status(args.run_dir).iteration
    with tqdm(total=config.max_steps, initial=start, unit="it", file=sys.stderr, mininterval=0.5, disable=args.quiet) as bar:

        def starting(settings: RunSettings) -> None:
            how = f"on the {settings.path} path, {settings.device}"
            tqdm.write(f"training {config.algorithm} into {args.run_dir} {how}", file=sys.stderr)

        def show(record: "Record") -> None:
            bar.update(record.iteration - bar.n)
            bar.set_postfix_str(f"error {record.loss_before:.2f} -> {record.loss_after:.3f}", refresh=False)

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
    final = args.run_dir / "checkpoints" / "final.safetensors"
    if args.json:
        _print_json(
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
        print(f"checkpoint: {final}")
        for k, steps in done.results.items():
            cells = "   ".join(
                f"{step}: {steps[str(step)]['mean']:.3f} ± {steps[str(step)]['ci95']:.3f}" for step in (0, 1, 5, 10)
            )
            print(f"{k}-shot error by inner step (alpha {done.config.alpha:g})   {cells}")
    return 0


def _resume(folder: Path) -> str:
    return f"python -m maml_core train --run-dir {shlex.quote(str(folder))} --resume"


def evaluate(args: argparse.Namespace) -> int:
    """Error of one checkpoint by inner step, over fresh tasks."""
    path = args.restore_checkpoint or runs.latest_checkpoint(args.restore_dir)
    from maml_core.evaluation import evaluate as measure

    checkpoint = _load_as_told(path, args)
    config = checkpoint.config
    for name in CHECKPOINTS_OWN:
        if (asked := getattr(args, name)) not in (None, getattr(config, name)):
            raise ConfigError(
                f"{name}={asked!r} is not possible: {path.name} was trained with {getattr(config, name)}; leave it out"
            )
    device = choose_device(args.device)
    alpha = config.alpha if args.alpha is None else args.alpha
    family = args.family or config.family
    if warning := checkpoint.warning():
        print(f"note: {warning}", file=sys.stderr)
    with _task_bar(args.test_sample) as bar:
        stats = measure(
            {name: value.to(device) for name, value in checkpoint.learned.items()},
            config,
            K=args.K,
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
    steps = [step._asdict() for step in stats]
    if args.draw is not None:
        _draw(args, path, checkpoint, family, alpha, steps)
    if args.json:
        about = {"checkpoint": str(path), "algorithm": config.algorithm, "alpha": alpha, "family": family}
        asked = {name: getattr(args, name) for name in ("noise", "placement", "freeze", "K", "seed")}
        _print_json(about | asked | {"tasks": args.test_sample, "steps": steps})
    else:
        print(f"{path}: {config.algorithm}, {args.K}-shot, alpha {alpha:g}, {args.test_sample:,} tasks")
        print("step      mean ± 95%         median   diverged")
        for s in steps:
            print(f"{s['step']:>4}  {s['mean']:>8.4f} ± {s['ci95']:<8.4f}  {s['median']:>8.4f}   {s['diverged']:>7.2%}")
    return 0


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


def _task_bar(tasks: int, unit: str = "task") -> "tqdm":
    """Progress on stderr where that is a terminal, gone when it is done."""
    from tqdm import tqdm

    return tqdm(total=tasks, unit=unit, unit_scale=True, file=sys.stderr, mininterval=0.2, disable=None, leave=False)


def table(args: argparse.Namespace) -> int:
    """MAML-tf's published table, measured on the shipped checkpoints."""
    files, others = runs.checkpoints_in(args.dir), runs.checkpoints_in(args.dir / "seeds")
    if not files:
        raise RunError(f"there is no checkpoint (*.safetensors) in {args.dir}")
    from maml_core import baselines
    from maml_core.baselines import PUBLISHED, PUBLISHED_STEPS
    from maml_core.checkpoint import load
    from maml_core.evaluation import evaluate as measure

    bar = _task_bar((len(files) + 1 + len(others)) * len(PUBLISHED) * args.test_sample)

    def row(name: str, checkpoint: "Checkpoint") -> dict[str, list[dict[str, float]]]:
        bar.set_description_str(name)
        learned, config, asked = checkpoint.learned, checkpoint.config, {"test_tasks": args.test_sample, "on_tasks": bar.update}
        return {
            str(k): [s._asdict() for s in measure(learned, config, K=k, num_updates=PUBLISHED_STEPS[-1], **asked)]
            for k in PUBLISHED
        }

    with bar:
        rows = {path.stem: row(path.stem, load(path)) for path in files}
        rows["random"] = row("random", baselines.random())
        seeds: dict[str, list[dict[str, list[dict[str, float]]]]] = {}  # NAME -> the same recipe from other seeds
        for path in others:
            name = path.stem.rpartition("-")[0]
            seeds.setdefault(name, [rows[name]] if name in rows else []).append(row(path.stem, load(path)))
    if args.json:
        published = {str(k): {str(step): mean for step, mean in means.items()} for k, means in PUBLISHED.items()}
        _print_json({"tasks": args.test_sample, "published": published, "measured": rows, "seeds": seeds})
        return 0
    print(f"Error after 1, 5 and 10 inner steps, over {args.test_sample:,} fresh tasks of each checkpoint's own family.")
    print("mean ± 95% interval (median; share diverged). A diverged task counts as 100.\n")
    for k, theirs in PUBLISHED.items():
        print(f"{k}-shot".ljust(NAME_WIDTH) + "".join(f"{n} step{'s' if n > 1 else ''}".ljust(34) for n in PUBLISHED_STEPS))
        print(
            "MAML-tf, published".ljust(NAME_WIDTH) + "".join(f"{mean:.4f}  (no interval)".ljust(34) for mean in theirs.values())
        )
        for name, measured in rows.items():
            cells = (measured[str(k)][n] for n in PUBLISHED_STEPS)
            print(
                name.ljust(NAME_WIDTH)
                + "".join(
                    f"{c['mean']:.4f} ± {c['ci95']:.4f} ({c['median']:.3f}; {c['diverged']:.1%})".ljust(34) for c in cells
                ).rstrip()
            )
        for name, several in seeds.items():
            means = [[measured[str(k)][n]["mean"] for measured in several] for n in PUBLISHED_STEPS]
            ranges = (f"{min(m):.4f} to {max(m):.4f}".ljust(34) for m in means)
            print(f"{name}, {len(several)} seeds".ljust(NAME_WIDTH) + "".join(ranges).rstrip())
        print()
    return 0


def bench(args: argparse.Namespace) -> int:
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
        _print_json(result)
    else:
        print("{iterations_per_second:,.0f} iterations/s ({path}, {device}, {threads} thread(s))".format(**result))
    return 0


def stop(args: argparse.Namespace) -> int:
    """Ask a run to stop, whoever started it, wherever it trains. What it has learned is kept."""
    runs.ask(args.run_dir, "stop")
    if args.json:
        _print_json({"run": str(args.run_dir), "asked": "stop"})
    else:
        print(f"{args.run_dir} has been asked to stop; it will, after its current block of iterations")
    return 0


def _draw(args: argparse.Namespace, path: Path, checkpoint: "Checkpoint", family: str, alpha: float, steps: list[dict]) -> None:
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
    figure, out = evaluation_figure(title, checkpoint.config.algorithm, example, steps), Path(args.draw)
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m maml_core", description="Meta-learning on few-shot sinusoid regression.")
    commands = parser.add_subparsers(required=True, metavar="train | evaluate | table | bench | stop")

    sub = _command(commands, "train", train)
    for f in dataclasses.fields(TrainConfig):
        choices = f.metadata["choices"]
        if isinstance(f.default, bool):
            sub.add_argument(_flag(f.name), action=argparse.BooleanOptionalAction, help=f.metadata["help"], default=None)
            continue
        shown = ",".join(map(str, f.default)) if isinstance(f.default, tuple) else f.default
        text = f"{f.metadata['help']} (default: {shown})"
        low, high = f.metadata["low"], f.metadata["high"]
        plain: dict[type, Callable[[int, int], Callable[[str], Any]]] = {tuple: _widths, int: _whole, float: _real}
        spelled = _words(choices) if choices else plain[type(f.default)](low, high)
        names = [_flag(f.name)] + (["--dataset"] if f.name == "family" else [])
        sub.add_argument(*names, dest=f.name, type=spelled, help=text, metavar="|".join(choices) or None)
    sub.add_argument("--run-dir", type=Path, help="the run's folder (default: a new one under runs/)")
    sub.add_argument("--resume", action="store_true", help="continue the run in --run-dir")
    sub.add_argument("--start", type=_checkpoint, help="a run's snapshot (step-NNNNNN.safetensors) that a new run continues from")
    as_before = "; with --resume: as before)"
    sub.add_argument("--device", choices=DEVICES, help=f"auto uses a CUDA GPU if there is one (default: auto{as_before}")
    sub.add_argument(
        "--path", choices=("auto", *PATHS), help=f"how the meta-step is executed (default: auto, whichever is quicker{as_before}"
    )
    sub.add_argument("--threads", type=_whole(1, 256), help=f"CPU threads (default: 1, the fastest at this size{as_before}")
    _add_test_sample(sub, "fresh tasks that the result is measured on")
    sub.add_argument("--quiet", action="store_true", help="no progress bar")
    sub.add_argument(
        "--is-train", nargs="?", type=_words(("true", "1")), help=argparse.SUPPRESS
    )  # MAML-tf's name for this command

    sub = _command(commands, "evaluate", evaluate)
    source = sub.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--restore-checkpoint", type=_checkpoint_or_shipped, help="a checkpoint file (.safetensors), or the name of a shipped one"
    )
    source.add_argument("--restore-dir", type=Path, help="a run's folder: its latest checkpoint is used")
    for f in dataclasses.fields(TrainConfig):
        if f.name in CHECKPOINTS_OWN:
            sub.add_argument(_flag(f.name), type=_words(f.metadata["choices"]), help=argparse.SUPPRESS)
    sub.add_argument("--K", type=_whole(1, 1000), default=10, help="shots per task (default: 10)")
    sub.add_argument("--num-updates", type=_whole(0, MAX_UPDATES), default=10, help="inner steps (default: 10)")
    _add_test_sample(sub, "fresh tasks")
    sub.add_argument("--alpha", type=_real(1e-6, 10), help="inner step size (default: the checkpoint's)")
    about = "of a plain state_dict, a .safetensors file without a recipe"
    sub.add_argument("--algorithm", type=_words(ALGORITHMS), help=f"{about}: how it was trained, {'|'.join(ALGORITHMS)}")
    sub.add_argument(
        "--trained-steps", type=_whole(1, MAX_UPDATES), help=f"{about}: the number of inner steps it was trained for"
    )
    sub.add_argument("--family", "--dataset", type=_words(FAMILIES), help="task family (default: the checkpoint's)")
    sub.add_argument("--noise", type=_real(0, 10), default=0.0, help="standard deviation of noise on the shots (default: 0)")
    sub.add_argument(
        "--placement",
        type=_words(PLACEMENTS),
        default="anywhere",
        help="where the shots lie (default: anywhere): " + "|".join(PLACEMENTS),
    )
    sub.add_argument(
        "--freeze", type=_words(FREEZES), default="none", help="which layers do not adapt (default: none): " + "|".join(FREEZES)
    )
    sub.add_argument("--seed", type=_whole(0, 2**31 - 1), default=0, help="seed of the tasks (default: 0)")
    sub.add_argument(
        "--draw",
        nargs="?",
        const="evaluation.html",
        metavar="FILE",
        help="write a figure: self-contained HTML, or PNG where kaleido is installed (default: evaluation.html)",
    )
    sub.add_argument("--device", choices=DEVICES, default="auto")

    sub = _command(commands, "table", table)
    sub.add_argument("--dir", type=Path, default=PRETRAINED, help="a folder of checkpoints (default: the shipped ones)")
    _add_test_sample(sub, "fresh tasks")

    sub = _command(commands, "bench", bench)
    sub.add_argument("--seconds", type=_real(0.1, 3600), default=5.0, help="how long to measure (default: 5)")
    sub.add_argument("--threads", type=_whole(1, 256), default=1, help="CPU threads (default: 1)")
    sub.add_argument("--device", choices=DEVICES, default="auto")
    sub.add_argument("--path", choices=("auto", *PATHS), default="auto")

    sub = _command(commands, "stop", stop)
    sub.add_argument("--run-dir", type=Path, required=True, help="the run's folder")
    return parser


def _command(commands: Any, name: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
    text = (run.__doc__ or "").splitlines()[0]
    sub = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
    sub.set_defaults(command=run)
    sub.add_argument("--json", action="store_true", help="machine-readable result on stdout")
    return sub


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _spelling(argv: Sequence[str]) -> list[str]:
    """MAML-tf's underscores as dashes: --num_updates=5 is --num-updates=5."""

    def plain(token: str) -> str:
        name, equals, value = token.partition("=")
        return name.replace("_", "-") + equals + value if token.startswith("--") else token

    return [plain(token) for token in argv]


def _checkpoint(text: str) -> Path:
    """A file that there is."""
    if not (path := Path(text)).is_file():
        raise argparse.ArgumentTypeError(f"there is no checkpoint {text}")
    return path


def _checkpoint_or_shipped(text: str) -> Path:
    """A file that there is, or a shipped one by its name, wherever this is installed: maml, or pretrained/maml.safetensors."""
    path = Path(text)
    shipped = PRETRAINED / f"{path.name.removesuffix('.safetensors')}.safetensors"
    if not path.is_file() and path.parent in (Path(), Path("pretrained")) and shipped.is_file():
        return shipped
    return _checkpoint(text)


def _words(choices: tuple[str, ...]) -> Callable[[str], str]:
    """One of these words, in any case: MAML-tf writes MSE, None and sin."""

    def word(text: str) -> str:
        chosen = {"sin": "sinusoid"}.get(text.lower(), text.lower())
        if chosen not in choices:
            raise argparse.ArgumentTypeError(f"{text!r:.60} is not possible: {one_of(choices)}")
        return chosen

    return word


def _widths(low: int, high: int) -> Callable[[str], tuple[int, ...]]:
    def widths(text: str) -> tuple[int, ...]:
        try:
            given = tuple(int(width) for width in text.split(","))
        except ValueError:
            given = ()
        if not given or not all(low <= width <= high for width in given):
            raise argparse.ArgumentTypeError(
                f"{text!r:.60} is not possible: give widths such as 40,40, each {between(low, high)}"
            )
        return given

    return widths


def _add_test_sample(sub: argparse.ArgumentParser, help: str) -> None:
    of = _whole(2, MOST_TEST_SAMPLE)
    sub.add_argument("--test-sample", type=of, default=TEST_SAMPLE, help=f"{help} (default: {TEST_SAMPLE})")


def _whole(low: int, high: int) -> Callable[[str], int]:
    return _number(int, low, high, "a whole number")


def _real(low: float, high: float) -> Callable[[str], float]:
    return _number(float, low, high, "a number")


def _number(kind: type, low: float, high: float, what: str) -> Callable[[str], Any]:
    def number(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text!r:.60} is not possible: it must be {what} {between(low, high)}")
        return value

    return number


def _print_json(value: dict[str, Any]) -> None:
    print(json.dumps(value, allow_nan=False))
