"""Checkpoints from elsewhere: a plain state_dict is taken with what one tells of it, any other file is called what it is."""

import json
import os
import pty
import re
import shlex
import subprocess
import sys
import termios
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import nn

from maml_core.checkpoint import CheckpointError, NoRecipe, Told, is_as_saved, load, save
from maml_core.cli import main

ROOT = Path(__file__).parents[2]
MAML = ROOT / "pretrained" / "maml.safetensors"
TOLD = Told("maml", 0.01, 1)
OPTIONS = ["--algorithm", "maml", "--alpha", "0.01", "--trained-steps", "1"]


def net(*widths: int) -> nn.Sequential:
    pairs = list(zip((1, *widths), (*widths, 1), strict=True))
    parts = [part for a, b in pairs for part in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*parts[:-1])


def named(names: list[str], plain: dict) -> dict:
    """The tensors of a Sequential with these layer names instead."""
    layers = sorted({name.partition(".")[0] for name in plain}, key=int)
    return {
        f"{new}.{kind}": plain[f"{old}.{kind}"] for old, new in zip(layers, names, strict=True) for kind in ("weight", "bias")
    }


@pytest.mark.parametrize(
    "names",
    [
        ["0", "2", "4"],
        ["module.0", "module.2", "module.4"],
        ["_orig_mod.module.0", "_orig_mod.module.2", "_orig_mod.module.4"],
        ["net._orig_mod.8", "net._orig_mod.9", "net._orig_mod.10"],
        ["fc1", "fc2", "fc3"],
        ["model.input", "model.hidden", "model.output"],
    ],
)
def test_a_plain_state_dict_computes_what_its_network_does(tmp_path, names):
    torch.manual_seed(1)
    plain = net(9, 9)
    save_file(named(names, plain.state_dict()), tmp_path / "a.safetensors")
    with pytest.raises(NoRecipe, match=r"a.safetensors holds a network \(1-9-9-1\), but no record of its training"):
        load(tmp_path / "a.safetensors")
    found = load(tmp_path / "a.safetensors", Told("anil", 0.02, 5))
    assert (found.config.algorithm, found.config.alpha, found.config.num_updates) == ("anil", 0.02, 5)
    assert found.is_trained
    x = torch.linspace(-5, 5, 11)[:, None]
    torch.testing.assert_close(found.network.apply(found.split()[0], x), plain(x))
    save(tmp_path / "b.safetensors", found)
    again = load(tmp_path / "b.safetensors")
    assert (again.from_elsewhere, again.config) == (True, found.config)
    assert not is_as_saved(tmp_path / "a.safetensors", found)
    assert is_as_saved(tmp_path / "b.safetensors", again)


def test_learned_step_sizes_without_a_recipe_are_those_of_meta_sgd(tmp_path):
    save_file(load_file(ROOT / "pretrained" / "meta_sgd.safetensors"), tmp_path / "a.safetensors")
    with pytest.raises(NoRecipe) as refused:
        load(tmp_path / "a.safetensors")
    assert refused.value.choices == ("meta_sgd",)
    found, ours = load(tmp_path / "a.safetensors", Told("meta_sgd", 0.01)), load(ROOT / "pretrained" / "meta_sgd.safetensors")
    assert all(torch.equal(found.learned[name], value) for name, value in ours.learned.items())
    with pytest.raises(CheckpointError, match="choose one of meta_sgd, since it holds learned step sizes"):
        load(tmp_path / "a.safetensors", TOLD)


def test_a_file_with_its_recipe_may_have_wrapped_names_too(tmp_path):
    from safetensors import safe_open

    with safe_open(MAML, "pt") as file:
        save_file({f"module.{n}": v for n, v in load_file(MAML).items()}, tmp_path / "a.safetensors", file.metadata())
    found = load(tmp_path / "a.safetensors")
    assert (found.results, list(found.learned)) == (load(MAML).results, list(load(MAML).learned))
    assert not is_as_saved(tmp_path / "a.safetensors", found)


PLAIN = net(5, 5).state_dict()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"0.weight": torch.zeros(5, 3)}, "must take one input, x, and give one output, y"),
        ({"4.weight": torch.zeros(2, 5), "4.bias": torch.zeros(2)}, "has layers of 1 to 5, 5 to 5, 5 to 2 units"),
        ({"2.weight": torch.zeros(5, 4)}, "do not follow one another"),
        ({"2.bias": torch.zeros(4)}, "has 4 biases in '2' for 5 outputs"),
        ({"2.bias": None}, "holds '2.weight' without '2.bias'"),
        ({"1.running_mean": torch.zeros(5)}, "holds '1.running_mean' of shape 5, which belongs to no Linear layer"),
        ({"c.weight": torch.zeros(1, 1, 3, 3)}, "of shape 1×1×3×3, which belongs to no Linear layer"),
        ({"2.weight": torch.zeros(5, 5, dtype=torch.int64)}, "weights must be floating-point numbers"),
        ({"0.weight": torch.full((5, 1), torch.nan)}, "not finite"),
        ({"0.weight": torch.full((5, 1), 1e300, dtype=torch.float64)}, "not finite"),
        ({"x" * 5000: torch.zeros(1)}, "belongs to no Linear layer"),
        ({"a\nb\u202e": torch.zeros(1)}, "belongs to no Linear layer"),
    ],
)
def test_what_is_no_such_network_is_refused_in_a_short_line(tmp_path, change, says):
    save_file({name: value for name, value in (PLAIN | change).items() if value is not None}, tmp_path / "a.safetensors")
    with pytest.raises(CheckpointError, match=says) as refused:
        load(tmp_path / "a.safetensors", TOLD)
    assert len(str(refused.value)) < 300
    assert str(refused.value).isprintable()


def test_layers_whose_order_nothing_tells_are_refused(tmp_path):
    save_file(named(["entry", "left", "right", "exit"], net(5, 5, 5).state_dict()), tmp_path / "a.safetensors")
    with pytest.raises(CheckpointError, match="whose order its names do not tell"):
        load(tmp_path / "a.safetensors", TOLD)
    save_file({"0.weight": torch.ones(1, 1), "0.bias": torch.ones(1)}, tmp_path / "a.safetensors")
    with pytest.raises(CheckpointError, match="needs at least one hidden layer"):
        load(tmp_path / "a.safetensors", TOLD)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "a.safetensors is empty. Copy or download it again"),
        (b"abc", "has 3 bytes, fewer than any safetensors file: it is cut off"),
        (MAML.read_bytes()[:200], "is cut off: 200 of its "),
        (MAML.read_bytes()[:-4], "is cut off: 11,248 of its 11,252 bytes are there"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 11252\n", "is a Git LFS pointer.* `git lfs pull`"),
        (b"\xef\xbb\xbf\n<!DOCTYPE html><html>", "is a web page .HTML.*download link"),
        (b"<html lang=en>" + bytes(90), "is a web page .HTML.*download link"),
        (b'{"error": "not found"}', "is a JSON text"),
        (b"PK\x03\x04" + bytes(60) + b"maml/maml.safetensors", "is a zip archive, not a safetensors file. Unpack it"),
        (b"\x1f\x8b\x08" + bytes(60), "is a gzip archive"),
        (b"Dear sir or madam", "is not a safetensors file"),
        ((2**21).to_bytes(8, "little") + b"{" * 2**21, "has a header of 2,048 KiB; a checkpoint's may have at most 256"),
        ((2**17).to_bytes(8, "little") + b"{" + b"[" * (2**17 - 1), "is not a safetensors file"),
    ],
)
def test_another_kind_of_file_is_called_what_it_is(tmp_path, content, says):
    (tmp_path / "a.safetensors").write_bytes(content)
    with pytest.raises(CheckpointError, match=says) as refused:
        load(tmp_path / "a.safetensors")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("name", "zipped"), [("model.pt", True), ("renamed.safetensors", True), ("bare", False)])
def test_a_pickle_is_never_opened_and_the_two_lines_convert_it(tmp_path, monkeypatch, zipped, name, capsys):
    plain = net(7)
    torch.save(plain.state_dict(), tmp_path / name, _use_new_zipfile_serialization=zipped)
    assert main(["evaluate", "--restore-checkpoint", str(tmp_path / name)]) == 2
    said = capsys.readouterr().err
    assert f"error: {name} is a PyTorch file (.pt, a pickle), whatever its name says" in said
    lines = said.partition("\n\n")[2].strip()
    assert len(lines.splitlines()) == 2
    monkeypatch.chdir(tmp_path)
    exec(lines, {})
    (converted,) = set(tmp_path.glob("*.safetensors")) - {tmp_path / name}
    assert load(converted, TOLD).config.hidden == (7,)


def test_huge_finite_weights_are_taken_with_a_word(tmp_path):
    save_file({name: torch.full_like(value, 3e38) for name, value in PLAIN.items()}, tmp_path / "a.safetensors")
    told = load(tmp_path / "a.safetensors", TOLD).warning()
    assert told.startswith("It diverges: on a sine wave of amplitude 1 its error is over 100 before any inner step")
    for shipped in MAML.parent.glob("*.safetensors"):
        assert load(shipped).warning() == "", shipped.name


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(
    st.sampled_from(["0", "2", "4", "fc1", "module.6", "a.b", "alpha.0", ""]).flatmap(
        lambda layer: st.sampled_from([f"{layer}.weight", f"{layer}.bias", layer or "weight"])
    ),
    st.tuples(st.sampled_from([torch.float32, torch.float16, torch.int8]), st.lists(st.integers(0, 3), max_size=3)),
))  # fmt: skip
def test_any_tensors_are_a_network_or_refused_in_a_line(tmp_path, parts):
    save_file({name: torch.ones(shape, dtype=dtype) for name, (dtype, shape) in parts.items()}, tmp_path / "a.safetensors")
    try:
        found = load(tmp_path / "a.safetensors", TOLD)
    except CheckpointError as error:
        assert "\n" not in str(error)
    else:
        assert found.network.apply(found.split()[0], torch.ones(3, 1)).shape == (3, 1)


def test_evaluate_asks_for_what_a_file_does_not_say(tmp_path, capsys):
    save_file({f"module.{name}": value for name, value in load_file(MAML).items()}, tmp_path / "a.safetensors")
    command = ["evaluate", "--restore-checkpoint", str(tmp_path / "a.safetensors"), "--test-sample", "50"]
    assert main([*command, "--alpha", "0.01"]) == 2
    assert "Add --algorithm and --trained-steps, such as --algorithm maml" in capsys.readouterr().err
    assert main([*command, *OPTIONS, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert main(["evaluate", "--restore-checkpoint", str(MAML), "--test-sample", "50", "--json"]) == 0
    told = capsys.readouterr()
    assert (json.loads(told.out)["steps"], told.err) == (found["steps"], ""), "and no progress where stderr is no terminal"
    assert main(["evaluate", "--restore-checkpoint", str(MAML), "--algorithm", "anil"]) == 2
    assert "was trained with maml; leave it out" in capsys.readouterr().err
    save_file({name: torch.full_like(value, 1e30) for name, value in PLAIN.items()}, tmp_path / "huge.safetensors")
    assert main(["evaluate", "--restore-checkpoint", str(tmp_path / "huge.safetensors"), "--test-sample", "20", *OPTIONS]) == 0
    told = capsys.readouterr()
    assert "note: It diverges" in told.err
    assert "100.00%" in told.out


@pytest.mark.parametrize("command", [f"evaluate --restore-checkpoint {shlex.quote(str(MAML))}", "table"])
def test_progress_is_on_a_terminals_stderr_alone_and_stdout_stays_clean(command, tmp_path):
    (tmp_path / "maml.safetensors").write_bytes(MAML.read_bytes())
    where = ["--dir", str(tmp_path)] if command == "table" else []
    line = [sys.executable, "-m", "maml_core", *shlex.split(command), *where, "--test-sample", "3000", "--json"]
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    run = subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    out, seen = run.stdout.read(), b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # the terminal's end
            break
        if not part:
            break
        seen += part
    os.close(ours)
    assert run.wait() == 0
    assert re.search(rb"\b0%\|", seen)
    assert re.search(rb"[1-9]\d*%\|", seen)  # how often it is drawn, and so whether its end is, depends on the machine
    assert json.loads(out)["tasks"] == 3000
