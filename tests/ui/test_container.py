"""The Dockerfile, as far as it can be tried without Docker: what it copies is enough, and its command serves the app."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINES = [line.split(maxsplit=1) for line in (ROOT / "Dockerfile").read_text("utf-8").splitlines() if line[:1].isupper()]


def of(instruction: str) -> list[str]:
    return [rest for word, rest in LINES if word == instruction]


def test_it_runs_as_an_unprivileged_user_who_may_write_the_volume():
    (user,), (made, installed) = of("USER"), of("RUN")
    (volume,), (name, folder) = of("VOLUME"), of("ENV")[0].split("=")
    assert user != "root"
    assert f"useradd --create-home {user}" in made
    assert f"mkdir {volume} && chown {user} {volume}" in made
    assert (name, folder) == ("MAML_LAB_RUNS", volume)
    words = [word for word, _ in LINES]
    assert words.index("USER") < words.index("CMD")
    assert "-r requirements.txt" in installed
    assert of("COPY")[0].startswith("requirements.txt "), "first, so that a change of ours does not install everything anew"


def test_what_it_copies_is_enough_and_its_command_serves_the_app(tmp_path):
    ignored = (ROOT / ".dockerignore").read_text("utf-8").split()
    anywhere = shutil.ignore_patterns(*(name.removeprefix("**/") for name in ignored if name.startswith("**/")))
    at_the_top = shutil.ignore_patterns(*(name for name in ignored if not name.startswith("**/")))

    def left_out(folder: str, names: list[str]) -> set[str]:
        return anywhere(folder, names) | (at_the_top(folder, names) if Path(folder) == ROOT else set())

    shutil.copytree(ROOT, tmp_path / "lab", ignore=left_out)
    command = json.loads(of("CMD")[0])
    port = command[command.index("--server.port") + 1]
    assert port == of("EXPOSE")[0]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = str(probe.getsockname()[1])
    command[command.index(port)] = free
    environment = os.environ | {"MAML_LAB_RUNS": str(tmp_path / "runs")}
    server = subprocess.Popen([sys.executable, "-m", *command], cwd=tmp_path / "lab", env=environment, stdout=subprocess.DEVNULL)
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{free}/_stcore/health", timeout=1)
                break
            except OSError:
                assert server.poll() is None, "the server ended"
                time.sleep(0.2)
        for path in ("", "lab", "lab/picture.json", "lessons/cards.json", "train/runs.json"):
            with urllib.request.urlopen(f"http://127.0.0.1:{free}/{path}", timeout=30) as answer:
                assert answer.status == 200
    finally:
        server.kill()
        server.wait(10)
