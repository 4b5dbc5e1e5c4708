"""The main path of the pages in WebKit, the engine of Safari: Debian's MiniBrowser by its WebDriver, where both are installed."""

import glob
import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest
import walks
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import WebKitGTK, WebKitGTKOptions
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait
from selenium.webdriver.webkitgtk.service import Service

WATCH = "window.wrong = []; addEventListener('error', (e) => wrong.push(e.message));"
NO_ERROR = "ResizeObserver loop"
"""How WebKit says that sizes are told in the next frame. Streamlit's own observers do so; ours wait for it (test_house.py)."""


class Safari:
    """A browser that a person looks at, as far as WebDriver lets one do things."""

    def __init__(self, driver: WebKitGTK, base: str):
        self.driver, self.base = driver, base

    def open(self, path: str) -> None:
        self.driver.get(self.base + path)
        self.driver.execute_script(WATCH)
        self.sees(walks.SHOWN[path.partition("?")[0]])

    def sees(self, selector: str, containing: str = "") -> WebElement:
        def seen(driver: WebKitGTK) -> WebElement | None:
            found = driver.find_elements(By.CSS_SELECTOR, selector)
            return next((one for one in found if containing in one.get_property("textContent")), None)

        waiting = WebDriverWait(self.driver, 60, ignored_exceptions=[StaleElementReferenceException])  # drawn anew meanwhile
        return waiting.until(seen, f"no {selector} with “{containing}” on {self.driver.current_url}")

    def press(self, name: str, within: str = "button") -> None:
        button = self.sees(within, name)
        self.driver.execute_script("arguments[0].scrollIntoView({ block: 'center' })", button)
        button.click()

    def eventually(self, script: str) -> None:
        WebDriverWait(self.driver, 60).until(lambda driver: driver.execute_script(f"return {script}"), script)

    def done(self) -> None:
        assert [said for said in self.driver.execute_script("return window.wrong") if not said.startswith(NO_ERROR)] == []
        width = "document.querySelector('[data-testid=stMain]')"
        assert self.driver.execute_script(f"return {width}.scrollWidth <= {width}.clientWidth"), "it scrolls sideways"


@pytest.fixture(scope="module")
def driver() -> Iterator[WebKitGTK]:
    program, screen = shutil.which("WebKitWebDriver"), shutil.which("Xvfb")
    browsers = glob.glob("/usr/lib/*/webkit2gtk-4.*/MiniBrowser")
    if not (program and screen and browsers):
        pytest.skip("WebKitWebDriver, its MiniBrowser and Xvfb are not all installed")
    read, write = os.pipe()
    command = [screen, "-displayfd", str(write), "-screen", "0", "1280x900x24", "-nolisten", "tcp"]
    display = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    try:
        number = os.read(read, 16).decode().strip()
        options = WebKitGTKOptions()
        options.binary_location = browsers[-1]
        options.add_argument("--automation")
        service = Service(program, env=os.environ | {"DISPLAY": f":{number}", "NO_AT_BRIDGE": "1"})
        driver = WebKitGTK(options=options, service=service)
        driver.set_window_size(1280, 850)
        yield driver
        driver.quit()
    finally:
        display.kill()
        display.wait(10)


@pytest.fixture
def safari(driver: WebKitGTK, server: str) -> Safari:
    return Safari(driver, server)


@pytest.mark.parametrize("path", walks.SHOWN)
def test_every_page_is_drawn(safari, path):
    safari.open(path)
    safari.done()


def test_a_step_is_taken_and_a_shot_is_moved(safari):
    safari.open("/")
    safari.press("Take one gradient step")
    safari.sees(".after p", "After 1 step")
    safari.done()
    safari.open("/lab?shots=0,1;2,-1")
    safari.eventually("document.querySelector('.maml-lab').dataset.confirmed === 'true'")
    curve = "document.querySelector('.task-chart [data-curve=maml]').getAttribute('d')"
    before = safari.driver.execute_script(f"return {curve}")
    safari.press("New task")
    safari.eventually(f"{curve} !== {before!r}")
    safari.press("Clear")
    safari.eventually("!document.querySelector('svg.task .shot')")
    safari.eventually("location.search.includes('shots=none')")
    safari.done()


def test_a_room_is_opened_and_a_card_is_given(safari):
    safari.open("/classroom")
    safari.press("Open a room")
    safari.sees("img.qr")
    safari.press(walks.CARD)
    safari.sees(".classroom .answer")
    safari.done()
