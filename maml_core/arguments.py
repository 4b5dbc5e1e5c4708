"""The arguments of the command line: every option of every command, MAML-tf's spellings included. No torch here."""

import argparse
import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from maml_core import PRETRAINED
from maml_core.config import (
    ALGORITHMS,
    DEVICES,
    FAMILIES,
    FREEZES,
    MAX_UPDATES,
    MOST_TEST_SAMPLE,
    PATHS,
    PLACEMENTS,
    TEST_SAMPLE,
    TrainConfig,
    between,
    one_of,
)

CHECKPOINTS_OWN = ("norm", "model_type", "loss_type")
"""MAML-tf asks for these at evaluation too; here the checkpoint knows them, and saying them again must agree."""
COMMANDS = {
    "train": "Train into a run folder, with a progress bar, until done or Ctrl-C.",
    "evaluate": "Error of one checkpoint by inner step, over fresh tasks.",
    "table": "MAML-tf's published table, measured on the shipped checkpoints.",
    "bench": "Iterations per second on the reference workload: the paper's, sampling included (TrainConfig's defaults).",
    "stop": "Ask a run to stop, whoever started it, wherever it trains. What it has learned is kept.",
}
"""Name -> what it does, as --help says it."""


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """What a command line asks for; `command` is one of COMMANDS. One that cannot be read ends the process with status 2."""
    return parser().parse_args(_dashed(argv))


def parser() -> argparse.ArgumentParser:
    """Of every command, with dashes in the names of options."""
    whole = argparse.ArgumentParser(
        prog="python -m maml_core", description="Meta-learning on few-shot regression and classification."
    )
    commands = whole.add_subparsers(required=True, metavar=" | ".join(COMMANDS))
    _add_train(_command(commands, "train"))
    _add_evaluate(_command(commands, "evaluate"))
    _add_table(_command(commands, "table"))
    _add_bench(_command(commands, "bench"))
    _add_stop(_command(commands, "stop"))
    return whole


def _add_train(sub: argparse.ArgumentParser) -> None:
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


def _add_evaluate(sub: argparse.ArgumentParser) -> None:
    source = sub.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--restore-checkpoint", type=_checkpoint_or_shipped, help="a checkpoint file (.safetensors), or the name of a shipped one"
    )
    source.add_argument("--restore-dir", type=Path, help="a run's folder: its latest checkpoint is used")
    for f in dataclasses.fields(TrainConfig):
        if f.name in CHECKPOINTS_OWN:
            sub.add_argument(_flag(f.name), type=_words(f.metadata["choices"]), help=argparse.SUPPRESS)
    sub.add_argument("--K", type=_whole(1, 1000), help="shots per task (default: 10; of characters 1 of each)")
    sub.add_argument("--num-updates", type=_whole(0, MAX_UPDATES), help="inner steps (default: 10; of characters 5)")
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
        "--way", type=_whole(2, 20), help="classes per task, of a learner that compares (default: as it was trained)"
    )
    sub.add_argument("--omniglot", type=Path, help="measure on these real characters: Omniglot's images, a zip or a folder")
    sub.add_argument(
        "--draw",
        nargs="?",
        const="evaluation.html",
        metavar="FILE",
        help="write a figure: self-contained HTML, or PNG where kaleido is installed (default: evaluation.html)",
    )
    sub.add_argument("--device", choices=DEVICES, default="auto")


def _add_table(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--dir", type=Path, default=PRETRAINED, help="a folder of checkpoints (default: the shipped ones)")
    _add_test_sample(sub, "fresh tasks")


def _add_bench(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--seconds", type=_real(0.1, 3600), default=5.0, help="how long to measure (default: 5)")
    sub.add_argument("--threads", type=_whole(1, 256), default=1, help="CPU threads (default: 1)")
    sub.add_argument("--device", choices=DEVICES, default="auto")
    sub.add_argument("--path", choices=("auto", *PATHS), default="auto")


def _add_stop(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--run-dir", type=Path, required=True, help="the run's folder")


def _command(commands: Any, name: str) -> argparse.ArgumentParser:
    sub = commands.add_parser(name, help=COMMANDS[name], description=COMMANDS[name], allow_abbrev=False)
    sub.set_defaults(command=name)
    sub.add_argument("--json", action="store_true", help="machine-readable result on stdout")
    return sub


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _dashed(argv: Sequence[str]) -> list[str]:
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
