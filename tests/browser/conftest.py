"""The real app in a real browser: one server for all tests, a page object for the lab, a watch on what goes wrong."""

import contextlib
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, ClassVar
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from benchmarks import serving

ROOT = Path(__file__).parents[2]
LOCAL = re.compile(r"(https?|wss?)://(127\.0\.0\.1|localhost)[:/]|data:|blob:")
expect.set_options(timeout=15_000)  # two workers on two cores: a slow answer is no wrong one
QUICKLY = {"MAML_LAB_TEST_SAMPLE": "1000"}
"""The environment of what trains here: runs are measured on fewer tasks."""
NGINX = re.findall(r"```nginx\n(.*?)```", (ROOT / "docs" / "network.md").read_text("utf-8"), re.S)
"""What the guide has one write around a server, and within."""
STREAMLIT_PROBES = re.compile(r"/_stcore/(health|host-config)$")  # asked for below deep links too, where they do not exist


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict) -> dict:
    """Debian's Chromium instead of Playwright's own download. Pages share a process, where the scripts are parsed already."""
    return browser_type_launch_args | {"executable_path": serving.executable(), "args": [*serving.FLAGS, "--process-per-site"]}


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answer(address: str, method: str = "GET", body: object = None, **headers: str) -> tuple[http.client.HTTPResponse, str]:
    """What a server answers, as it stands on the wire: no redirect is followed."""
    there = urlsplit(address)
    given = {name.replace("_", "-"): each for name, each in headers.items()}
    if body is not None:
        given["Content-Type"] = "application/json"
    path = there._replace(scheme="", netloc="").geturl()
    with contextlib.closing(http.client.HTTPConnection(there.hostname, there.port, timeout=30)) as line:
        line.request(method, path, json.dumps(body) if body is not None else None, given)
        response = line.getresponse()
        return response, response.read().decode("utf-8", "replace")


class Server:
    """`streamlit run app.py` as a person starts it, on a free port that it keeps, with a folder of runs of its own."""

    def __init__(self, runs: Path, base_path: str = "") -> None:
        self.environment = os.environ | QUICKLY | {"MAML_LAB_RUNS": str(runs)}
        self.port, self.options = free_port(), ["--server.baseUrlPath", base_path] if base_path else []
        self.base = f"http://127.0.0.1:{self.port}" + (f"/{base_path}" if base_path else "")
        self.log: IO[bytes] | None = None
        """Where its stderr goes, if not to that of the tests."""
        self.started_by: list[str] = []
        """A command that runs the one after it."""

    def start(self) -> "Server":
        streamlit = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(self.port), *self.options]
        self.process = subprocess.Popen(
            [*self.started_by, *streamlit], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=self.log, env=self.environment
        )
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{self.base}/_stcore/health", timeout=1)
                return self
            except OSError:
                assert self.process.poll() is None, "the server ended"
                time.sleep(0.2)
        raise TimeoutError("the server did not come up")

    def stop(self) -> None:
        self.process.kill()
        self.process.wait(10)


@contextlib.contextmanager
def behind_nginx(folder: Path, around: str, within: str) -> Iterator[str]:
    """The address of a real nginx that is told so and nothing else; where it is not installed, the test is skipped."""
    if not (program := shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")):
        pytest.skip("nginx is not installed")
    port, config, log = free_port(), folder / "nginx.conf", folder / "error.log"
    kept = "".join(f"{name}_temp_path {folder}/{name}; " for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    served = f"server {{ listen 127.0.0.1:{port};\n{within} }}"
    told = f"daemon off; pid {folder}/pid; error_log {log}; events {{}} http {{ access_log off; {kept}\n{around}\n{served} }}"
    config.write_text(told, "utf-8")
    process = subprocess.Popen([program, "-c", str(config), "-e", str(log)])
    try:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, log.read_text("utf-8")
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="session")
def runs_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the runs are of the server for all tests."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="session")
def server(runs_folder: Path) -> Iterator[str]:
    """One server for all tests: its address."""
    server = Server(runs_folder).start()
    yield server.base
    server.stop()


@pytest.fixture
def server_factory(tmp_path: Path) -> Iterator[Callable[[], Server]]:
    """Servers of a test's own, to be killed and started again."""
    servers: list[Server] = []

    def start() -> Server:
        servers.append(Server(tmp_path).start())
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


AT_REST = """() => new Promise((done) => {
  const busy = ".maml-lab[data-confirmed=false], [data-test-script-state=running], [data-testid=stStatusWidget]";
  let quiet = 0;
  const look = () => {
    quiet = document.querySelector(busy) ? 0 : quiet + 1;
    if (quiet > 10) done(); else setTimeout(look, 25);
  };
  look();
})"""
"""By the page's own clock, which is as late as the pauses that Streamlit's sliders make before they say something."""


PLACE = """(plot, [x, y]) => {
  const { margin, width, height, xaxis, yaxis } = plot.layout;
  const at = (value, [low, high], from, to) => from + ((value - low) / (high - low)) * (to - from);
  return [at(x, xaxis.range, margin.l, width - margin.r), at(y, yaxis.range, height - margin.b, margin.t)];
}"""
"""Where a point of a chart is, in pixels from its corner."""


class Lab:
    """The lab page as a person sees it, and what went wrong while it was open."""

    def __init__(self, page: Page, base: str):
        self.page, self.base = page, base
        self.problems: list[str] = []
        page.on(
            "console",
            lambda m: (
                self._said(f"console: {m.text}") if m.type == "error" and not self.probes(m.location.get("url", "")) else None
            ),
        )
        page.on("pageerror", lambda error: self._said(f"page error: {error}"))
        page.on("request", lambda r: None if LOCAL.match(r.url) else self._said(f"outside request: {r.url}"))

    @staticmethod
    def probes(address: str) -> bool:
        return bool(STREAMLIT_PROBES.search(address))

    def _said(self, problem: str) -> None:
        self.problems.append(problem)

    def open(self, query: str = "") -> "Lab":
        self.page.goto(f"{self.base}/lab{query}")
        return self.ready()

    def ready(self) -> "Lab":
        expect(self.page.locator(".maml-lab .task-chart .curve").first).to_be_attached(timeout=30_000)
        return self.settled()

    def settled(self) -> "Lab":
        """Until every edit is confirmed by Python and the script is not running. The address is as when one goes to copy it."""
        expect(self.page.locator(".maml-lab[data-confirmed=true]")).to_be_visible(timeout=30_000)
        self.at_rest()
        self.page.evaluate("dispatchEvent(new Event('blur'))")
        return self

    def at_rest(self) -> None:
        """Until the script is not running, and nothing is about to make it run."""
        self.page.evaluate(AT_REST)

    def module(self, name: str, body: str, given: object = None) -> Any:
        """What a function body over `module`, as the page loaded it, and `given` returns."""
        script = f"""async (given) => {{
            const loaded = performance.getEntriesByType("resource").map((entry) => entry.name);
            const module = await import(loaded.find((address) => address.endsWith("{name}")));
            {body}
        }}"""
        return self.page.evaluate(script, given)

    @property
    def plot(self):
        return self.page.locator("svg.task")

    @property
    def shots(self) -> list[tuple[float, float]]:
        """Where the shots are, in x and y."""
        labels = self.page.locator(".shot").evaluate_all("all => all.map(s => s.getAttribute('aria-label'))")
        found = [re.search(r"at x (\S+), y (\S+)\. ", label) for label in labels]
        return [(float(m[1]), float(m[2])) for m in found]

    def pixel(self, x: float, y: float) -> tuple[float, float]:
        """Where (x, y) is on the screen, by the axes that Plotly was given."""
        px, py = self.plot.locator("xpath=..").locator(".plot").evaluate(PLACE, [x, y])
        box = self.plot.bounding_box()
        return box["x"] + px, box["y"] + py

    def click(self, x: float, y: float) -> None:
        self.page.mouse.click(*self.pixel(x, y))

    def drag(self, shot: tuple[float, float], right: float, steps: int) -> None:
        """Drag a shot to the right, by so many pixels."""
        x, y = self.pixel(*shot)
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + right, y, steps=steps)
        self.page.mouse.up()

    def curve(self, name: str) -> str:
        return self.page.locator(f".task-chart [data-curve={name}]").get_attribute("d")

    def picture(self) -> dict[str, object]:
        """Everything that makes up the picture."""
        curves = "() => [...document.querySelectorAll('.chart [data-curve]')].map(p => p.getAttribute('d'))"
        return {
            "shots": self.shots,
            "curves": self.page.evaluate(curves),
            "words": self.page.locator(".area-words").inner_text(),
            "step": self.step,
        }

    @property
    def step(self) -> str:
        return self.page.locator(".count").inner_text()

    @property
    def sentence(self) -> str:
        return self.page.locator(".sentence").inner_text()

    def button(self, name: str) -> None:
        self.page.get_by_role("button", name=name).click()
        self.settled()

    def slider(self, key: str):
        return self.page.locator(f".st-key-{key} input[type=range]")


class Training(Lab):
    """The Train page as a person sees it."""

    LONG: ClassVar = {"max_steps": 9_000, "batch_size": 100}
    """A run that does not end before somebody presses Stop, nor is long enough to be compiled first."""

    def open(self, query: str = "") -> "Training":
        self.page.goto(f"{self.base}/train{query}")
        return self.ready()

    def ready(self) -> "Training":
        expect(self.page.locator(".training .learning-chart .gridlayer path").first).to_be_attached(timeout=30_000)
        self.at_rest()
        return self

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def train(self, **settings: object) -> str:
        """Start a run with these settings and give its name."""
        if settings and not self.page.locator(".st-key-train_max_steps").is_visible():
            self.page.get_by_text("All settings").click()
        for name, value in settings.items():
            field = self.page.locator(f".st-key-train_{name} input")
            field.fill(str(value))
            field.press("Enter")
            self.at_rest()
        before = self.page.locator("tr[data-run]").evaluate_all("all => all.map(row => row.dataset.run)")
        self.press("Train")
        self.page.wait_for_function(
            "before => [...document.querySelectorAll('tr[data-run]')].some(r => !before.includes(r.dataset.run))", arg=before
        )
        return next(
            name
            for name in self.page.locator("tr[data-run]").evaluate_all("all => all.map(r => r.dataset.run)")
            if name not in before
        )

    def train_and_stop(self) -> None:
        run = self.train(**self.LONG)
        expect(self.page.locator(".learning-chart .point").first).to_be_attached(timeout=60_000)
        self.press("Stop")
        self.state(run, "stopped", 120_000)

    def state(self, run: str, state: str, timeout: int = 60_000) -> None:
        """Wait until a run is in a state."""
        expect(self.page.locator(f"tr[data-run={run}]")).to_have_attribute("data-state", state, timeout=timeout)


@pytest.fixture(scope="session")
def warm(browser: Browser, server: str) -> Iterator[BrowserContext]:
    """A person who keeps Streamlit's scripts in the cache, and the start page open: opening another one takes half as long."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.new_page().goto(server)
    yield context
    context.close()


@pytest.fixture
def page(warm: BrowserContext) -> Iterator[Page]:
    """A page of somebody who was never here, but for the cache. What is about first visits makes a context of its own."""
    start, page = warm.pages[0], warm.new_page()
    yield page
    origins = {"/".join(each.url.split("/")[:3]) for each in warm.pages if each.url.startswith("http")}
    cleaner = warm.new_page()
    storage = warm.new_cdp_session(cleaner)
    for each in warm.pages:
        if each not in (start, cleaner):
            each.close()
    for origin in origins:
        storage.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "local_storage,indexeddb,cache_storage"})
    warm.clear_cookies()
    cleaner.close()


@pytest.fixture
def lab(page: Page, server: str) -> Iterator[Lab]:
    """The lab, just opened; the test fails if the browser complained or asked for anything outside."""
    lab = Lab(page, server)
    lab.open()
    yield lab
    assert lab.problems == []


@pytest.fixture
def visitor(browser: Browser, server: str) -> Iterator[Lab]:
    """A second person: a browser context of their own."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    lab = Lab(context.new_page(), server)
    yield lab
    assert lab.problems == []
    context.close()
