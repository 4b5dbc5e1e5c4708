"""The package as somebody installs it: built, put into an environment of its own, and used outside the checkout."""

import ast
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
ENGINE = {requirement.name: requirement for requirement in map(Requirement, PROJECT["dependencies"])}
EXTRAS = {
    extra: {requirement.name: requirement for requirement in map(Requirement, listed)}
    for extra, listed in PROJECT["optional-dependencies"].items()
}


def pinned(file: str) -> dict[str, str]:
    """Name -> version of a file of pins."""
    lines = (ROOT / file).read_text("utf-8").splitlines()
    return dict(line.split("==") for line in lines if re.match(r"[a-z]", line))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=ROOT, check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """Where the commands are of an environment that has this wheel, and beside it only what this one has installed."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    command = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(scripts / "python"),
        "install",
        "-q",
        "--no-deps",
        "--no-index",
        wheel,
    ]
    subprocess.run(command, check=True, env=os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    (site / "shared.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return scripts


def test_it_is_used_outside_the_checkout(installed, tmp_path):
    def run(*command: str) -> str:
        clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
        ended = subprocess.run([installed / command[0], *command[1:]], cwd=tmp_path, env=clean, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    assert str(ROOT) not in run("python", "-c", "import maml_core; print(maml_core.__file__)")
    small = ["--hidden", "8,8", "--batch-size", "4", "--max-steps", "100", "--path", "traced", "--run-dir", "mine"]
    run("maml-core", "train", *small)
    assert "step" in run("maml-core", "evaluate", "--restore-dir", "mine", "--test-sample", "20")
    for name in ("maml", "pretrained/maml.safetensors"):
        assert "step" in run("maml-core", "evaluate", "--restore-checkpoint", name, "--test-sample", "20")
    assert "maml_best" in run("maml-core", "table", "--test-sample", "20")


def test_the_wheel_has_the_engine_its_types_and_every_shipped_checkpoint_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {Path(name) for name in archive.namelist() if ".dist-info/" not in name}
    shipped = {Path("maml_core") / path.relative_to(ROOT) for path in (ROOT / "pretrained").rglob("*.safetensors")}
    sources = {path.relative_to(ROOT) for path in (ROOT / "maml_core").rglob("*.py")}
    assert names == sources | shipped | {Path("maml_core/py.typed")}
    assert wheel.stat().st_size < 2**20


def test_what_the_engine_imports_is_what_the_package_depends_on():
    found = set()
    for path in (ROOT / "maml_core").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add((node.module or "").partition(".")[0])
    found = {"pillow" if name == "PIL" else name for name in found} - set(sys.stdlib_module_names) - {"maml_core"}
    assert found == ENGINE.keys() | EXTRAS["frames"].keys() | EXTRAS["omniglot"].keys()


def test_requirements_are_the_package_with_its_app_pinned():
    pins = pinned("requirements.txt")
    assert pins.keys() == ENGINE.keys() | EXTRAS["app"].keys()
    for name, requirement in (ENGINE | EXTRAS["app"]).items():
        assert requirement.specifier.contains(pins[name]), f"{name} {pins[name]} is not {requirement}"
    both = EXTRAS["frames"].items() | EXTRAS["omniglot"].items()
    assert both <= EXTRAS["app"].items(), "the app's pins are for both"
    peers = pinned("requirements-peers.txt")
    assert peers.keys() == EXTRAS["peers"].keys()
    assert all(EXTRAS["peers"][name].specifier.contains(peers[name]) for name in peers)


def test_what_is_installed_is_what_is_pinned():
    assert {name: version(name).partition("+")[0] for name in pinned("requirements.txt")} == pinned("requirements.txt")
