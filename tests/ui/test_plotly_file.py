"""The one copy of Plotly: how it is served, how a page names it, and that one module alone speaks to it."""

import gzip
import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app import app
from ui import page_html
from ui.chart import plotly_file

ROOT = Path(__file__).parents[2]
UI = ROOT / "ui"


@pytest.fixture(scope="module")
def client():
    return TestClient(app, base_url="http://localhost")


def test_it_is_the_installed_file_compressed_once_and_kept_for_good(client):
    answer = client.get(f"/{plotly_file.name()}")
    assert answer.headers["content-encoding"] == "gzip"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.content == plotly_file.FILE.read_bytes()
    assert gzip.decompress(plotly_file.compressed()) == plotly_file.FILE.read_bytes()
    assert len(plotly_file.compressed()) < 1_600_000


def test_who_takes_nothing_compressed_gets_it_plain(client):
    answer = client.get(f"/{plotly_file.name()}", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in answer.headers
    assert answer.content == plotly_file.FILE.read_bytes()


def test_another_name_is_not_found_and_not_kept(client):
    answer = client.get("/plotly/000000000000.js")
    assert answer.status_code == 404
    assert "immutable" not in answer.headers.get("cache-control", "")


@pytest.mark.parametrize("path", page_html.PAGES)
def test_every_page_names_it_in_its_head(path):
    head = page_html.pages()[path].partition("</head>")[0]
    (link,) = re.findall(r"<link[^>]*data-plotly[^>]*>", head)
    assert f'href="./{plotly_file.name()}"' in link


def test_a_page_without_a_chart_fetches_it_when_it_has_nothing_else_to_do():
    assert 'rel="prefetch"' in plotly_file.link(needed=False)
    assert 'rel="preload"' in plotly_file.link(needed=True)


def test_one_module_alone_speaks_to_plotly():
    speaks = re.compile(r"\b(Plotly|drawer)\.\w+\(")
    found = {path.relative_to(UI).as_posix() for path in UI.rglob("*.js") if speaks.search(path.read_text("utf-8"))}
    assert found == {"chart/chart.js"}


def test_python_draws_nothing_in_the_app():
    """What Streamlit would draw, it would draw by a second copy, of another version; figures are the command line's."""
    draws = re.compile(r"^ *(?:from|import) (?:plotly|maml_core\.figures)\b|\bplotly_chart\b", re.MULTILINE)
    files = [ROOT / "app.py", *UI.rglob("*.py"), *(ROOT / "pages").rglob("*.py")]
    found = {path.relative_to(ROOT).as_posix() for path in files if draws.search(path.read_text("utf-8"))}
    assert found == {"ui/chart/plotly_file.py"}
