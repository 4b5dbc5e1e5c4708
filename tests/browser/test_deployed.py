"""Where people put it: below a base path of one part and of two, behind nginx that passes the path on or strips it."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import walks
from conftest import NGINX, Lab, Server, answer, behind_nginx
from playwright.sync_api import Response, expect

from ui import page_html
from ui.shared.visitors import COOKIE

WHERE = ("one part", "two parts", "nginx passes", "nginx strips")
FOLDERS = {"modules", "lab", "characters", "explore", "geometry", "train", "lessons", "classroom"}
"""Where our own routes lie."""
MOST_HEADERS = 2000
"""Bytes: half of what nginx has room for when nobody has configured it."""


@pytest.fixture(scope="module")
def one_part(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Named as one of the pages is."""
    server = Server(tmp_path_factory.mktemp("runs"), "lab").start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def two_parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("runs"), "school/class").start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def nginx(two_parts: Server, server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real one before both kinds of server."""
    around, block = NGINX
    passes = block.replace("8501;", f"{two_parts.port};")
    strips = block.replace("8501;", f"{urlsplit(server).port}/;").replace("/school/class/", "/stripped/")
    with behind_nginx(tmp_path_factory.mktemp("nginx"), around, passes + strips) as address:
        yield address


@pytest.fixture(params=WHERE)
def base(request: pytest.FixtureRequest) -> str:
    """The address of the app, as a person gives it."""
    if request.param == "one part":
        return request.getfixturevalue("one_part").base
    if request.param == "two parts":
        return request.getfixturevalue("two_parts").base
    proxy = request.getfixturevalue("nginx")
    return f"{proxy}/{'school/class' if request.param == 'nginx passes' else 'stripped'}"


def test_every_page_and_its_main_path_work(base, browser):
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    lab, served = Lab(context.new_page(), base), set()
    page, own = lab.page, urlsplit(base).path

    def hear(response: Response) -> None:
        if not response.url.startswith(f"{base}/"):
            lab.problems.append(f"outside the base path: {response.url}")
        elif response.status < 400:
            served.add(response.url.removeprefix(f"{base}/").split("/")[0])
        elif not Lab.probes(response.url):
            lab.problems.append(f"{response.status}: {response.url}")

    page.on("response", lambda r: hear(r) if r.url.startswith("http") else None)
    walks.every_page(lab)
    walks.a_download(page, base)
    ours = [cookie["path"] for cookie in context.cookies(f"{base}/lab") if cookie["name"] == COOKIE]
    assert ours == ["/" if own == "/stripped" else own]
    assert served >= FOLDERS
    assert lab.problems == []
    context.close()


def test_a_room_is_opened_joined_by_its_address_and_voted_in(base, browser):
    walks.a_room(browser, base)


def test_no_route_of_ours_is_answered_by_a_page_and_none_lies_outside(one_part, two_parts):
    for server in (one_part, two_parts):
        host = f"http://127.0.0.1:{server.port}"
        own = urlsplit(server.base).path
        for name, kind in {
            "train/runs.json": "application/json",
            "lab/picture.json?seed=3": "application/json",
            "lessons/cards.json": "application/json",
        }.items():
            response, body = answer(f"{server.base}/{name}")
            assert (response.status, response.headers["content-type"]) == (200, kind), (name, body[:200])
            assert answer(f"{host}/{name}")[0].status == 404 or own == "/lab"
        for name in ("modules/old/lab.js", "train/nothing.json", "classroom/x/y.csv", "lab/nothing", "geometry/a/b"):
            response, body = answer(f"{server.base}/{name}")
            assert response.status == 404, name
            assert "<html" not in body


def test_a_slash_too_few_or_too_many_leads_to_the_page(one_part, two_parts, server):
    for base in (one_part.base, two_parts.base, server):
        for path in page_html.PAGES:
            address = f"{base}{path}/" if path != "/" else base
            response, _ = answer(f"{address}?utm=1" if address != server else f"{address}/?utm=1")
            if response.status == 200:
                assert address == server  # the root itself
                continue
            to = response.headers["location"]
            assert (response.status, "//" in to, to.endswith("?utm=1")) == (307, False, True)
            assert not to.startswith("/"), "a proxy may have stripped a path that only the browser knows"


@pytest.mark.parametrize("path", page_html.PAGES)
def test_no_page_has_more_headers_than_a_proxy_takes(path, server):
    response, body = answer(server + path)
    cookie = response.headers["set-cookie"].partition(";")[0]
    again, _ = answer(server + path, Cookie=cookie)
    for headers in (response.headers, again.headers):
        assert sum(len(f"{name}: {value}\r\n") for name, value in headers.items()) < MOST_HEADERS
    assert "set-cookie" not in again.headers
    ahead = re.findall(r'href="\./(modules/[^"]+)"', body)
    assert ahead, "what the page needs is fetched while Streamlit is still starting"
    assert {answer(f"{server}/{name}")[0].status for name in ahead} == {200}


def test_modules_that_do_not_come_are_said(server, page):
    page.route("**/modules/**/*.js", lambda route: route.abort())
    page.goto(server)
    expect(page.get_by_role("alert")).to_contain_text("did not load", timeout=30_000)
