"""The command line as a person and a program use it: results, spellings, errors, interruption and resumption."""

import functools
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from maml_core import runs
from maml_core.checkpoint import load
from maml_core.cli import main
from maml_core.config import TrainConfig
from maml_core.runs import worker

ROOT = Path(__file__).parents[2]
QUICK = ["--K", "4", "--batch-size", "4", "--hidden", "8,8", "--path", "traced", "--test-sample", "20", "--quiet"]


def trained(folder, *more):
    assert main(["train", "--run-dir", str(folder), *QUICK, "--max-steps", "120", *more]) == 0
    return folder


def weights(folder, name="final"):
    return load(folder / "checkpoints" / f"{name}.safetensors").learned


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("run") / "a")


def test_a_run_leaves_what_the_contract_names(run):
    status = json.loads((run / "status.json").read_text())
    assert (status["state"], status["iteration"]) == ("finished", 120)
    assert json.loads((run / "config.json").read_text())["config"]["K"] == 4
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [line["iteration"] for line in lines] == [0, 100, 120]
    assert (run / "checkpoints" / "step-000000.safetensors").exists()
    final = load(run / "checkpoints" / "final.safetensors")
    assert final.results["5"]["10"]["tasks"] == 20
    assert final.iterations == 120


def test_train_prints_json(tmp_path, capsys):
    trained(tmp_path / "r", "--json")
    said = json.loads(capsys.readouterr().out)
    assert said["iterations"] == 120
    assert Path(said["checkpoint"]).exists()
    assert set(said["results"]) == {"5", "10"}


def test_evaluate_prints_losses_by_step(run, capsys):
    options = ["--K", "4", "--num-updates", "3", "--test-sample", "50", "--json"]
    assert main(["evaluate", "--restore-checkpoint", str(run / "checkpoints" / "final.safetensors"), *options]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [step["step"] for step in said["steps"]] == [0, 1, 2, 3]
    assert set(said["steps"][0]) == {"step", "mean", "ci95", "median", "diverged"}
    assert main(["evaluate", "--restore-dir", str(run), *options]) == 0
    assert json.loads(capsys.readouterr().out)["steps"] == said["steps"]


def test_diverged_losses_are_valid_json(run, capsys):
    assert main(["evaluate", "--restore-dir", str(run), "--alpha", "10", "--test-sample", "20", "--json"]) == 0
    steps = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)["steps"]
    assert steps[-1]["diverged"] > 0.5
    assert steps[-1]["mean"] <= 100


def test_maml_tfs_own_commands_work(tmp_path, capsys):
    """The two of its README, after `python main.py`, with the settings that keep a test short behind them."""
    train = "--dataset sin --K 5 --num_updates 1 --norm None --is_train"
    evaluate = "--dataset sin --K 5 --num_updates 5 --norm None --restore_checkpoint"
    every_other_flag = "--model_type fc --loss_type MSE --alpha 0.001 --beta 0.001 --batch_size 25 --max_steps 110 --seed 1"
    run = tmp_path / "r"
    assert main(["train", *train.split(), *every_other_flag.split(), "--run_dir", str(run), "--test_sample", "20"]) == 0
    final = run / "checkpoints" / "final.safetensors"
    config = load(final).config
    assert (config.family, config.norm, config.K, config.alpha) == ("sinusoid", "none", 5, 0.001)
    assert main(["evaluate", *evaluate.split(), str(final), "--test_sample", "20"]) == 0
    assert main(["evaluate", "--restore_dir", str(run), "--dataset", "sin", "--norm", "batch_norm"]) == 2
    assert "was trained with none; leave it out" in capsys.readouterr().err


def test_the_published_table_stands_beside_ours(run, capsys):
    folder = str(run / "checkpoints")
    assert main(["table", "--dir", folder, "--test-sample", "30"]) == 0
    said = capsys.readouterr().out
    assert "MAML-tf, published" in said
    assert "0.4506" in said
    assert main(["table", "--dir", folder, "--test-sample", "30", "--json"]) == 0
    table = json.loads(capsys.readouterr().out)
    assert table["published"]["5"] == {"1": 0.6609, "5": 0.3024, "10": 0.2714}
    assert len(table["measured"]["final"]["10"]) == 11
    assert table["measured"]["random"]["10"][0]["mean"] > 1
    assert table["seeds"] == {}
    assert main(["table", "--dir", "/nonexistent"]) == 2


def test_the_table_gives_the_spread_over_training_seeds(run, tmp_path, capsys):
    final = run / "checkpoints" / "final.safetensors"
    (tmp_path / "seeds").mkdir()
    for name in ("some.safetensors", "seeds/some-2.safetensors", "seeds/some-3.safetensors"):
        shutil.copy(final, tmp_path / name)
    assert main(["table", "--dir", str(tmp_path), "--test-sample", "20", "--json"]) == 0
    table = json.loads(capsys.readouterr().out)
    assert [seed["5"] for seed in table["seeds"]["some"]] == 3 * [table["measured"]["some"]["5"]]
    assert main(["table", "--dir", str(tmp_path), "--test-sample", "20"]) == 0
    assert "some, 3 seeds" in capsys.readouterr().out


def test_a_png_is_drawn_or_the_reason_given(run, tmp_path, capsys):
    out, command = tmp_path / "a.png", ["evaluate", "--restore-dir", str(run), "--test-sample", "20", "--draw"]
    code = main([*command, str(out)])
    assert (code == 0 and out.read_bytes()[1:4] == b"PNG") or (code == 2 and "kaleido" in capsys.readouterr().err)


def test_draw_writes_a_page_that_needs_no_network(run, tmp_path, capsys):
    out = tmp_path / "out.html"
    assert main(["evaluate", "--restore-dir", str(run), "--test-sample", "20", "--draw", str(out)]) == 0
    page = out.read_text(encoding="utf-8")
    assert "Plotly.newPlot" in page
    assert '<script src="http' not in page
    assert len(page) > 1_000_000


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["train", "--K", "0"], "--K: '0' is not possible: it must be a whole number between 1 and 1000"),
        (["train", "--K", "ten"], "--K: 'ten' is not possible: it must be a whole number between 1 and 1000"),
        (["train", "--beta", "small"], "--beta: 'small' is not possible: it must be a number between 1e-07 and 1"),
        (["train", "--hidden", "40;40"], "--hidden: '40;40' is not possible: give widths such as 40,40, each between 1 and 1024"),
        (["train", "--multi-step"], "multi_step=True has no effect here: there is only one inner step; leave it out"),
        (["train", "--algorithm", "oracle", "--num-updates", "5"], "num_updates=5 has no effect here: the baselines are"),
        (["train", "--start", "none.safetensors"], "there is no checkpoint none.safetensors"),
        (["train", "--norm", "layer"], "choose one of none, batch_norm"),
        (["train", "--resume"], "--resume needs the run's folder"),
        (["train", "--resume", "--run-dir", "/nonexistent"], "holds no run"),
        (["train", "--resume", "--run-dir", "/dev/null"], "cannot be read"),
        (["train", "--run-dir", "/dev/null/x"], "cannot be written"),
        (["train", "--seed", "1" + "0" * 400], "is not possible"),
        (["train", "--is_train", "False"], "choose one of true, 1"),
        (["train", "--algorithm", "sin"], "'sin' is not possible"),
        (["train", "--algorithm", "pretrained", "--alpha", "0.1"], "alpha=0.1 has no effect here: the step size of a baseline"),
        (["train", "--norm", "batch_norm", "--K", "1"], "cannot see x"),
        (["train", "--threads", "0"], "a whole number between 1 and 256"),
        (["train", "--learning-rate", "1"], "unrecognized arguments"),
        (["evaluate"], "one of the arguments --restore-checkpoint --restore-dir is required"),
        (["evaluate", "--restore-checkpoint", "none.safetensors"], "there is no checkpoint none.safetensors"),
        (["evaluate", "--restore-dir", "/nonexistent"], "there is no checkpoint"),
        (["evaluate", "--restore-dir", ".", "--K", "9999"], "a whole number between 1 and 1000"),
        (["evaluate", "--restore-dir", ".", "--noise", "nan"], "a number between 0 and 10"),
        (["evaluate", "--restore-dir", ".", "--freeze", "tail"], "choose one of none, body, head"),
        (["evaluate", "--restore-dir", ".", "--placement", "right"], "choose one of anywhere, left, cluster, even"),
    ],
)
def test_bad_input_is_one_clear_sentence_and_exit_2(argv, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        code = main(argv)
    except SystemExit as error:
        code = error.code
    said = capsys.readouterr()
    assert code == 2
    assert says in said.err
    assert said.out == ""


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_cuda_without_a_gpu_is_explained(capsys, tmp_path):
    assert main(["train", "--run-dir", str(tmp_path / "r"), "--device", "cuda"]) == 2
    assert "sees no CUDA GPU" in capsys.readouterr().err


def test_a_run_is_not_overwritten(run, capsys):
    assert main(["train", "--run-dir", str(run)]) == 2
    assert "already holds a run; add --resume" in capsys.readouterr().err


def test_a_resumed_run_keeps_its_settings(run, capsys):
    assert main(["train", "--run-dir", str(run), "--resume", "--K", "7"]) == 2
    assert "K=4 (asked for 7)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        ("{", "is damaged"),
        ("[]", "is damaged"),
        ('{"config": {}, "settings": {"path": "traced", "device": "tpu", "threads": 1}}', "device='tpu' is not possible"),
        ('{"config": {}, "settings": {"path": "traced", "device": "cpu", "threads": "many"}}', "threads='many' is not possible"),
        ('{"config": {"K": 0}, "settings": {}}', "is damaged"),
    ],
)
def test_a_damaged_config_is_explained(tmp_path, capsys, damage, says):
    (tmp_path / "config.json").write_text(damage)
    assert main(["train", "--run-dir", str(tmp_path), "--resume"]) == 2
    assert says in capsys.readouterr().err


def test_a_folder_with_checkpoints_of_another_run_is_not_taken_over(run, tmp_path, capsys):
    shutil.copytree(run, tmp_path / "r")
    (tmp_path / "r" / "config.json").unlink()
    assert main(["train", "--run-dir", str(tmp_path / "r")]) == 2
    assert "already holds a run" in capsys.readouterr().err


def test_unreadable_training_state_is_an_error_and_never_a_silent_restart(run, tmp_path, capsys):
    shutil.copytree(run, tmp_path / "r")
    (tmp_path / "r" / "status.json").unlink()
    for state in (tmp_path / "r" / "checkpoints").glob("*.state.safetensors"):
        state.write_bytes(b"broken")
    assert main(["train", "--run-dir", str(tmp_path / "r"), "--resume"]) == 2
    assert "cannot be resumed" in capsys.readouterr().err


def test_resuming_a_finished_run_changes_nothing(run, capsys):
    before = {path: path.read_bytes() for path in sorted(run.rglob("*")) if path.is_file()}
    assert main(["train", "--run-dir", str(run), "--resume", "--json"]) == 0
    assert {path: path.read_bytes() for path in sorted(run.rglob("*")) if path.is_file()} == before


def test_a_torn_line_of_metrics_stays_alone(tmp_path):
    trained(tmp_path / "r")
    (tmp_path / "r" / "status.json").unlink()
    for path in (tmp_path / "r" / "checkpoints").glob("step-000120*"):
        path.unlink()
    with (tmp_path / "r" / "metrics.jsonl").open("a") as metrics:
        metrics.write('{"iteration": 1')
    assert main(["train", "--run-dir", str(tmp_path / "r"), "--resume", "--test-sample", "20", "--quiet"]) == 0
    lines = (tmp_path / "r" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["iteration"] for line in lines if line != '{"iteration": 1'] == [0, 100, 120, 120]


def test_checkpoints_and_validations_are_frequent_at_first_then_every_thousand_iterations_and_at_the_end(tmp_path):
    trained(tmp_path / "r", "--max-steps", "1050")
    milestones = [0, 100, 200, 300, 500, 700, 1000]
    steps = sorted(p.name for p in (tmp_path / "r" / "checkpoints").glob("step-??????.safetensors"))
    assert steps == [f"step-{n:06d}.safetensors" for n in (*milestones, 1050)]
    lines = [json.loads(line) for line in (tmp_path / "r" / "metrics.jsonl").read_text().splitlines()]
    assert [line["iteration"] for line in lines if "validation" in line] == [*milestones, 1050]
    assert [step["step"] for step in lines[10]["validation"]] == [0, 1]


def test_a_run_that_breaks_says_where_the_details_are(tmp_path, capsys, monkeypatch):
    def broken(*args, **kwargs):
        raise RuntimeError("no memory left")
        yield

    monkeypatch.setattr(worker, "meta_train", broken)
    assert main(["train", "--run-dir", str(tmp_path / "r"), *QUICK]) == 1
    assert "no memory left" in capsys.readouterr().err
    status = json.loads((tmp_path / "r" / "status.json").read_text())
    assert (status["state"], status["message"]) == ("failed", "RuntimeError: no memory left")
    assert "Traceback" in (tmp_path / "r" / "log.txt").read_text()


def test_the_latest_checkpoint_is_the_furthest_not_the_youngest(tmp_path):
    for step in (999_000, 1_001_000, 1_000_000, 5):
        (tmp_path / f"step-{step:06d}.safetensors").touch()
    assert runs.latest_checkpoint(tmp_path).name == "step-1001000.safetensors"
    (tmp_path / "final.safetensors").touch()
    (tmp_path / "step-1002000.safetensors").touch()
    assert runs.latest_checkpoint(tmp_path).name == "final.safetensors"


def test_divergence_is_a_failed_run_with_its_last_good_checkpoint(tmp_path, capsys):
    argv = ["train", "--run-dir", str(tmp_path / "r"), *QUICK, "--max-steps", "300", "--alpha", "10", "--num-updates", "10"]
    assert main(argv) == 1
    assert "diverged" in capsys.readouterr().err
    assert json.loads((tmp_path / "r" / "status.json").read_text())["state"] == "diverged"
    assert load(runs.latest_checkpoint(tmp_path / "r")).iterations == 0


def test_the_pretrained_baseline_gets_a_tuned_step_size(tmp_path):
    trained(tmp_path / "r", "--algorithm", "pretrained")
    final = load(tmp_path / "r" / "checkpoints" / "final.safetensors")
    tried = final.run["alpha_search"]
    assert tried[f"{final.config.alpha:g}"] == min(tried.values())


def test_a_run_on_the_command_line_can_be_paused_from_elsewhere(tmp_path, monkeypatch, capsys):
    def asked(folder):
        return "pause" if runs.read_status(folder).iteration >= 200 else None

    with monkeypatch.context() as patched:
        patched.setattr(runs, "read_request", asked)
        assert main(["train", "--run-dir", str(tmp_path / "r"), *QUICK, "--max-steps", "400"]) == 130
    assert "interrupted at 200 of 400" in capsys.readouterr().err
    assert runs.look(tmp_path / "r").state == "paused"
    assert main(["train", "--run-dir", str(tmp_path / "r"), "--resume", "--test-sample", "20", "--quiet"]) == 0


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize("settled", [{"device": "cuda", "path": "compiled"}, {"device": "cuda"}, {"path": "compiled"}])
def test_a_run_of_another_machine_goes_on_here_as_it_is_offered(run, tmp_path, monkeypatch, capsys, settled):
    """A run folder as another machine leaves it, on one without GPU and compiler. What --resume offers is then done."""
    folder = tmp_path / "r"
    with monkeypatch.context() as patched:
        patched.setattr(runs, "read_request", lambda folder: "pause" if runs.read_status(folder).iteration >= 100 else None)
        assert main(["train", "--run-dir", str(folder), *QUICK, "--max-steps", "120"]) == 130
    stored = json.loads((folder / "config.json").read_text())
    stored["settings"] |= settled
    (folder / "config.json").write_text(json.dumps(stored))
    capsys.readouterr()
    with torch._inductor.config.patch({"cpp.cxx": ("no-such-compiler",)}):
        assert main(["train", "--run-dir", str(folder), "--resume"]) == 2
        said = capsys.readouterr().err
        assert "is not possible" in said
        assert "will then differ in their last digits" in said
        offered = said.split("continue with what this machine has: python -m maml_core ")[1].splitlines()[0]
        assert main([*shlex.split(offered), "--test-sample", "20", "--quiet"]) == 0
    assert "from iteration 100 on: " in capsys.readouterr().err
    final = load(folder / "checkpoints" / "final.safetensors")
    assert (final.run["path"], final.run["device"], final.run["changes"]) == ("traced", "cpu", [100])
    for name, value in weights(run).items():
        torch.testing.assert_close(final.learned[name], value)


def test_a_resumed_run_can_be_executed_otherwise_when_asked(run, tmp_path, capsys):
    runs.create(tmp_path / "r", TrainConfig(K=4, batch_size=4, hidden=(8, 8), max_steps=120), "traced")
    assert main(["train", "--run-dir", str(tmp_path / "r"), "--resume", "--path", "eager", "--test-sample", "20", "--quiet"]) == 0
    assert "from iteration 0 on: path=eager instead of traced\n" in capsys.readouterr().err
    assert "changes" not in load(tmp_path / "r" / "checkpoints" / "final.safetensors").run
    for folder, state in ((tmp_path / "r", "finished"), (run, "finished")):
        assert main(["train", "--run-dir", str(folder), "--resume", "--path", "traced"]) == 0
        assert runs.look(folder).state == state


def test_a_run_that_another_process_trains_is_left_alone(run, tmp_path, capsys):
    shutil.copytree(run, tmp_path / "r")
    (tmp_path / "r" / "status.json").write_text('{"state": "running", "iteration": 100}')
    before = {path: path.read_bytes() for path in sorted((tmp_path / "r").rglob("*")) if path.is_file()}
    with runs.held(tmp_path / "r"):
        assert main(["train", "--run-dir", str(tmp_path / "r"), "--resume"]) == 2
    assert "is being trained by another process" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in sorted((tmp_path / "r").rglob("*")) if path.is_file()} == before


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_ctrl_c_leaves_a_usable_checkpoint_and_resuming_ends_in_the_same_bits(tmp_path):
    command = [sys.executable, "-m", "maml_core", "train", *QUICK, "--max-steps", "2000", "--run-dir", str(tmp_path / "cut")]
    # A test run in the background of a shell would hand down that Ctrl-C is ignored.
    listening = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    cut = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, preexec_fn=listening)
    metrics = tmp_path / "cut" / "metrics.jsonl"
    while not (metrics.exists() and metrics.read_text().count("\n") >= 3):
        assert cut.poll() is None
        time.sleep(0.02)
    cut.send_signal(signal.SIGINT)
    said = cut.communicate(timeout=60)[1]
    assert cut.returncode == 130
    assert "continue with: python -m maml_core train" in said
    assert json.loads((tmp_path / "cut" / "status.json").read_text())["state"] == "interrupted"
    assert 0 < load(runs.latest_checkpoint(tmp_path / "cut")).iterations < 2000

    assert main(["train", "--resume", "--quiet", "--test-sample", "20", "--run-dir", str(tmp_path / "cut")]) == 0
    trained(tmp_path / "whole", "--max-steps", "2000")
    cut_final, whole_final = weights(tmp_path / "cut"), weights(tmp_path / "whole")
    assert all(torch.equal(cut_final[name], whole_final[name]) for name in whole_final)


def test_bench_reports_a_rate(capsys):
    assert main(["bench", "--seconds", "0.2", "--path", "traced", "--device", "cpu", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert 20 < said["iterations_per_second"] < 100_000
    assert (said["path"], said["device"], said["threads"]) == ("traced", "cpu", 1)


NO_TORCH = """
import contextlib, io, sys
from maml_core.cli import main
for words in sys.argv[1:]:
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            main(words.split())
    except SystemExit:
        pass
    assert not {"torch", "numpy", "tqdm"} & sys.modules.keys(), words
"""


def test_what_needs_no_torch_does_not_wait_for_it(run, tmp_path):
    """Help, asking a run to stop, and every refusal that the words themselves, or the folder named, are reason enough for."""
    runs.create(tmp_path / "new", TrainConfig(hidden=(8, 8)))
    runs.enqueue(tmp_path / "new")
    commands = ["--help", *(f"{name} --help" for name in ("train", "evaluate", "table", "bench", "stop"))]
    commands += [f"stop --run-dir {tmp_path / 'new'} --json", f"stop --run-dir {run}", "stop --run-dir none", "stop", "trian"]
    commands += [
        "train --K 0",
        "train --algorithm mamml",
        "train --multi-step",
        "train --norm batch_norm --K 1",
        "train --resume",
    ]
    commands += ["train --algorithm oracle --alpha 1", "train --start none", f"train --run-dir {run}"]
    commands += [f"train --run-dir {run} --resume --K 7", "train --run-dir none --resume", "train --run-dir /dev/null/x"]
    commands += [
        "evaluate",
        "evaluate --restore-checkpoint none",
        "evaluate --restore-dir none",
        "evaluate --restore-dir . --K 0",
    ]
    commands += ["table --dir none", "bench --threads 0", "bench --path fast"]
    subprocess.run([sys.executable, "-c", NO_TORCH, *commands], cwd=ROOT, check=True)
    assert runs.look(tmp_path / "new").state == "stopped"
    said = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "maml_core", "--help"], cwd=ROOT, text=True, capture_output=True
    )
    assert "train | evaluate | table | bench | stop" in said.stdout
    assert "| maml_core.cli\n" in said.stderr
    assert not re.search(r"\| +torch\b", said.stderr)


def test_any_run_can_be_asked_to_stop(tmp_path, capsys):
    runs.create(tmp_path / "r", TrainConfig(hidden=(8, 8)))
    runs.enqueue(tmp_path / "r")
    assert main(["stop", "--run-dir", str(tmp_path / "r"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"run": str(tmp_path / "r"), "asked": "stop"}
    assert runs.look(tmp_path / "r").state == "stopped"
    assert main(["stop", "--run-dir", str(tmp_path / "none")]) == 2
    assert "holds no run" in capsys.readouterr().err
