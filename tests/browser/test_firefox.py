"""The main path of every page in Firefox: Debian's ESR, where it is installed."""

import shutil

import pytest
import walks
from conftest import Lab
from playwright.sync_api import Browser, Playwright


@pytest.fixture(scope="module")
def firefox(playwright: Playwright) -> Browser:
    if not (program := shutil.which("firefox-esr")):
        pytest.skip("Firefox ESR is not installed")
    browser = playwright.firefox.launch(executable_path=program, channel="moz-firefox")
    yield browser
    browser.close()


def test_every_page_and_its_main_path_work(firefox, server):
    context = firefox.new_context(viewport={"width": 1280, "height": 800})
    lab = Lab(context.new_page(), server)
    walks.every_page(lab)
    assert lab.problems == []
    context.close()


def test_a_class_goes_through_a_card(firefox, server):
    walks.a_room(firefox, server)


def test_a_shot_is_dragged_and_the_address_follows(firefox, server):
    context = firefox.new_context(viewport={"width": 1280, "height": 800})
    lab = Lab(context.new_page(), server).open("?shots=0,1;2,-1")
    before = lab.curve("maml")
    lab.drag((0.0, 1.0), 60, 40)
    lab.settled()
    assert lab.curve("maml") != before
    assert lab.shots[0][0] > 0.3
    link = lab.page.url
    again = Lab(context.new_page(), server).open(link.partition("/lab")[2])
    assert again.picture() == lab.picture()
    assert lab.problems == []
    context.close()
