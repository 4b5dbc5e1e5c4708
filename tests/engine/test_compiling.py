"""Compiling where it is hard: other text encodings, no home, paths with spaces, a compiler that fails, a GPU that has none."""

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from maml_core import cache, compiling, curvature, landscape, programs, runs, sweeps, training
from maml_core.compiling import CannotCompile
from maml_core.config import TrainConfig
from maml_core.errors import ConfigError, RunError
from maml_core.network import MLP
from maml_core.training import WORTH_COMPILING, build, choose_path, init, likely_path

pwd = pytest.importorskip("pwd", reason="users as Linux and macOS know them")

ROOT = Path(__file__).parents[2]
SMALL = TrainConfig(max_steps=20, K=3, batch_size=2, hidden=(4, 4))
LONG = replace(SMALL, max_steps=WORTH_COMPILING)
FLAGS = ["--max-steps", "20", "--K", "3", "--batch-size", "2", "--hidden", "4,4"]
MAC = """OpenMP support not found. Please try one of the following solutions:
(1) Set the `CXX` environment variable to a compiler other than Apple clang++/g++ that has builtin OpenMP support;
(3) install libomp via brew: `brew install libomp`;"""


@pytest.fixture(autouse=True)
def nothing_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("MAML_LAB_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def compiler(monkeypatch):
    """Stands in for a compiler: what it was given, and what it fails with."""
    calls = []

    def compile_into(package, program, example):
        calls.append(package)
        if fails := getattr(compile_into, "fails", None):
            raise fails
        package.write_bytes(b"a program")

    monkeypatch.setattr(compiling, "check", lambda: None)
    monkeypatch.setattr(compiling, "compile_into", compile_into)
    monkeypatch.setattr(compiling, "load", lambda package: package.read_bytes() and (lambda *inputs: list(inputs)))
    compile_into.calls = calls
    return compile_into


def python(*words, cwd=ROOT, **variables):
    gone = [name for name, value in variables.items() if value is None]
    environment = {name: value for name, value in (os.environ | variables).items() if name not in gone}
    command = [sys.executable, *map(str, words)]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, timeout=600)


def test_the_command_line_and_a_worker_under_the_c_locale(tmp_path):
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "OMP_NUM_THREADS": "1"}
    trained = python("-m", "maml_core", "train", "--run-dir", tmp_path / "läuft α", "--test-sample", 50, *FLAGS, **plain)
    assert trained.returncode == 0, trained.stderr
    assert b"10-shot error" in trained.stdout
    folder = tmp_path / "à côté"
    runs.create(folder, SMALL)
    runs.enqueue(folder)
    assert python("-m", "maml_core.runs.worker", folder, **plain).returncode == 0
    assert runs.look(folder).state == "finished"


@pytest.mark.skipif(not shutil.which("g++") or sys.platform == "win32", reason="needs g++")
def test_it_compiles_for_somebody_without_a_home_with_torch_in_a_path_with_a_space(tmp_path):
    home, site = tmp_path / "not a folder", tmp_path / "Jane's lab" / "site"
    home.write_text("", encoding="utf-8")
    site.mkdir(parents=True)
    (site / "torch").symlink_to(Path(torch.__file__).parent)
    words = ["-m", "maml_core", "train", "--run-dir", tmp_path / "a run", "--path", "compiled", "--test-sample", 50, *FLAGS]
    somebody = {"HOME": str(home), "LOGNAME": "jane doe", "PYTHONPATH": str(site)}
    trained = python(*words, MAML_LAB_CACHE=None, XDG_CACHE_HOME=None, TORCHINDUCTOR_CACHE_DIR=None, **somebody)
    assert trained.returncode == 0, trained.stderr
    said = trained.stderr.decode()
    assert "compiled path" in said
    assert said.count("cannot be kept") == 1
    assert f"{home}/.cache/maml_lab: Not a directory" in said
    assert "MAML_LAB_CACHE" in said


def test_somebody_without_any_home_has_no_cache_and_goes_on(monkeypatch, compiler, caplog):
    for name in ("MAML_LAB_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: fail(KeyError(uid)))
    assert cache.folder() is None
    assert not training.is_compiled(SMALL)
    build(SMALL, "compiled")
    assert "no home folder" in caplog.text
    assert not Path("~").exists()


@pytest.mark.parametrize(
    "error",
    [OSError(28, "No space left on device"), PermissionError(13, "Permission denied"), OSError(30, "Read-only file system")],
)
def test_a_cache_that_cannot_be_written_is_named_and_gone_without(error, monkeypatch, compiler, caplog, tmp_path):
    def refuse(path, content):
        raise error

    monkeypatch.setattr(cache, "write_atomically", refuse)
    build(SMALL, "compiled")
    assert f"{tmp_path / 'cache'}: {error.strerror}" in caplog.text


def test_what_was_used_last_is_kept_and_what_is_in_use_may_go(compiler, tmp_path):
    for number in range(cache.KEEP):
        cache.keep(str(number), b"old")
        os.utime(cache.find(str(number)), (number, number))
    (tmp_path / "cache" / ".torn.pt2.1-2").write_bytes(b"half")
    os.utime(tmp_path / "cache" / ".torn.pt2.1-2", (0, 0))
    cache.used(cache.find("0"))
    build(SMALL, "compiled")
    left = {path.name for path in (tmp_path / "cache").iterdir()}
    assert len(left) == cache.KEEP
    assert {"0.pt2", "2.pt2"} <= left
    assert not {"1.pt2", ".torn.pt2.1-2"} & left
    assert not compiler.calls[0].exists(), "nothing is left in the folder for temporary files"
    build(SMALL, "compiled")
    assert len(compiler.calls) == 1


def test_what_vanishes_while_it_is_looked_for_is_compiled_again(monkeypatch, compiler):
    build(SMALL, "compiled")
    find = cache.find
    monkeypatch.setattr(cache, "find", lambda key: [path := find(key), path and path.unlink()][0])
    monkeypatch.setattr(compiling, "load", lambda package: compiler if package.exists() else gone(package))
    build(SMALL, "compiled")
    assert len(compiler.calls) == 2


def gone(package):
    raise CannotCompile(f"{package} is not there")


def test_a_failure_is_said_remembered_and_forgotten_when_something_changes(monkeypatch, compiler, caplog):
    compiler.fails = CannotCompile("no omp.h: brew install libomp", everywhere=True)
    assert likely_path(LONG) == "compiled"
    assert choose_path(LONG) == "traced"
    assert "brew install libomp" in caplog.text
    other = replace(LONG, K=4)
    for config in (LONG, other):
        assert likely_path(config) == choose_path(config) == "traced"
    assert len(compiler.calls) == 1, "no other program is tried either"
    assert "--path compiled tries again" in caplog.text
    with pytest.raises(ConfigError, match="brew install libomp"):
        build(LONG, "compiled")
    assert len(compiler.calls) == 2, "who asks for it gets another try"
    monkeypatch.setenv("OMP_PREFIX", "/opt/omp")
    compiler.fails = None
    assert choose_path(other) == "compiled"
    monkeypatch.delenv("OMP_PREFIX")
    build(LONG, "compiled")
    assert likely_path(replace(LONG, K=5)) == "compiled", "what succeeded is no longer remembered as failing"


def test_a_failure_of_one_program_or_of_a_full_disk_says_nothing_of_others(compiler):
    compiler.fails = CannotCompile("no lowering for this")
    assert choose_path(LONG) == "traced"
    assert likely_path(LONG) == "traced"
    assert likely_path(replace(LONG, K=4)) == "compiled"
    compiler.fails = CannotCompile("No space left on device", everywhere=True, passing=True)
    assert choose_path(replace(LONG, K=4)) == "traced"
    assert likely_path(replace(LONG, K=4)) == "compiled"
    for path in cache.folder().glob("*.failed"):
        os.utime(path, (0, 0))
    assert likely_path(LONG) == "compiled", "after some days it is tried again"


def test_the_remedy_of_a_failing_compiler_is_passed_on(monkeypatch):
    from torch._inductor.exc import CppCompileError

    command = ["clang++", "-Werror:", "x.cpp"]

    def said(error):
        monkeypatch.setattr(torch._inductor, "aoti_compile_and_package", lambda *args, **options: fail(error))
        with pytest.raises(CannotCompile) as caught:
            compiling.compile_into(Path("unused"), torch.nn.Identity(), [torch.ones(1)])
        return caught.value

    mac = said(CppCompileError(command, "x.cpp:1: fatal error: 'omp.h' file not found\n\n" + MAC))
    assert mac.everywhere
    assert str(mac) == " ".join(MAC.split())
    missing = said(CppCompileError(command, "In file included from x.cpp\nx.cpp:1: fatal error: Python.h: No such file\n1 error"))
    assert str(missing) == "x.cpp:1: fatal error: Python.h: No such file"
    assert said(CppCompileError(command, "as: error: x.o: No space left on device")).passing
    encoding = said(UnicodeDecodeError("cp949", b"\xe2", 0, 1, "illegal multibyte sequence"))
    assert encoding.everywhere
    assert "PYTHONUTF8=1" in str(encoding)
    assert str(said(KeyError())) == "KeyError"


def fail(error):
    raise error


@pytest.mark.clock
def test_what_is_missing_is_found_in_milliseconds(monkeypatch, tmp_path):
    def why():
        began = time.perf_counter()
        found = programs.hindrance("any", torch.device("cpu"))
        assert time.perf_counter() - began < 1
        return found

    if shutil.which("g++"):
        assert why() == ""
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert "'no-such-compiler'" in why()
    assert "CXX" in why()
    monkeypatch.setenv("CXX", sys.executable)  # answers to --version
    monkeypatch.setattr(compiling.tempfile, "gettempdir", lambda: "/home/o'brien/tmp")
    assert "TMPDIR" in why()
    assert choose_path(LONG) == "traced"


def test_folders_of_several_words_go_by_another_name_while_compiling(monkeypatch, tmp_path):
    from torch.utils import cpp_extension

    folder = tmp_path / "Jane's lab"
    folder.mkdir()
    monkeypatch.setattr(cpp_extension, "TORCH_LIB_PATH", str(folder))
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(folder))
    with compiling._one_word_paths():
        assert compiling._is_one_word(cpp_extension.TORCH_LIB_PATH)
        assert Path(cpp_extension.TORCH_LIB_PATH).samefile(folder)
        assert compiling._is_one_word(os.environ["TORCHINDUCTOR_CACHE_DIR"])
    assert cpp_extension.TORCH_LIB_PATH == os.environ["TORCHINDUCTOR_CACHE_DIR"] == str(folder)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_program_is_compiled_once_from_the_choice_to_the_run(device, monkeypatch):
    built = []
    monkeypatch.setattr(training, "_built", lambda config, path, device, problem: built.append(path) or built)
    monkeypatch.setattr(programs, "hindrance", lambda *args: "")
    assert choose_path(LONG, device) == "compiled"
    assert build(LONG, "compiled", device) is built
    assert built == ["compiled"]
    build(LONG, "compiled", device)
    assert built == 2 * ["compiled"], "two that train at once share no program"


def test_a_compiler_that_fails_on_cuda_leaves_the_traced_path(monkeypatch, caplog):
    monkeypatch.setattr(training, "_built", lambda config, path, device, problem: fail(CannotCompile("no triton")))
    assert choose_path(LONG, "cuda") == "traced"
    assert "no triton" in caplog.text
    monkeypatch.setattr(torch, "compile", lambda program: fail(RuntimeError("Cannot find a working triton installation\nmore")))
    with pytest.raises(CannotCompile, match=r"triton installation$"):
        programs._compiled(lambda x: [x + 1], [torch.ones(2)], "one", torch.device("cuda"))
    assert "triton" in programs.hindrance("one", torch.device("cuda"))
    assert "triton" not in programs.hindrance("one", torch.device("cpu"))


@pytest.mark.parametrize("path", ["eager", "traced"])
@pytest.mark.parametrize("device", ["cpu", torch.device("cpu"), "meta"])
def test_only_cuda_is_captured_as_cuda(path, device, monkeypatch):
    monkeypatch.setattr(programs, "_captured", lambda *args: pytest.fail("a CUDA graph"))
    build(SMALL, path, device)
    assert choose_path(SMALL, device) == "traced"
    assert choose_path(LONG, "meta") == "traced"


def test_batches_follow_the_parameters_to_their_device():
    """On "meta" tensors have a device and no values: what mixes it with another fails as it would on a GPU."""
    net = MLP.of(SMALL)
    theta = {name: value.to("meta") for name, value in init(SMALL).learned.items()}
    several = {name: value.expand(3, *value.shape) for name, value in theta.items()}
    batch = sweeps.draw().part(0, 4)
    plane = landscape.Plane(theta, torch.ones(2, sum(value.numel() for value in theta.values()), device="meta"), (1.0, 0.0))
    results = [
        sweeps.query_losses(net.mse, theta, [sweeps.Row(5, 0.01)], batch, 1),
        *landscape.paths(net.mse, theta, batch, 0.01, 2).values(),
        landscape.mean_losses(net.mse, several, batch, 0.01, 1),
        *plane.at(torch.ones(5, 2)).values(),
        *curvature.gradient_terms(net.mse, theta, batch, 0.01)[1].values(),
    ]
    assert {result.device.type for result in results} == {"meta"}


def test_a_failure_outside_the_runs_folder_is_not_blamed_on_it(tmp_path, monkeypatch):
    from maml_core.runs import worker

    folder = tmp_path / "run"
    runs.create(folder, SMALL)
    elsewhere = str(tmp_path / "elsewhere")
    monkeypatch.setattr(runs, "settle", lambda folder: fail(PermissionError(13, "Permission denied", elsewhere)))
    with pytest.raises(RunError, match="elsewhere cannot be written: Permission denied"):
        worker.train_run(folder)
    assert json.loads((folder / "status.json").read_bytes())["state"] == "failed"
