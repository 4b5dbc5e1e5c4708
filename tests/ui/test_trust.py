"""What a browser may do with our responses: the policy that is made of a page, the list of who may frame us, a fault of ours."""

import hashlib
from base64 import b64encode

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from ui import page_html, trust

PAGE = """<html><!-- <script>no()</script> --><head><script type="module" src="a.js"></script>
<script>
  if (1 < 2) alert("é")
</script></head><body><script>two()</script></body></html>"""


def test_scripts_within_a_page_run_and_no_others():
    own = ['\n  if (1 < 2) alert("é")\n', "two()"]
    assert trust.inline(PAGE) == own
    policy = trust.policy([PAGE, PAGE, "<p>"], "'self'")
    for script in own:
        assert policy.count(f"'sha256-{b64encode(hashlib.sha256(script.encode()).digest()).decode()}'") == 1
    assert policy.count("sha256") == 2


@pytest.mark.parametrize(
    ("named", "framed_by"),
    [
        ("", "'self'"),
        ("https://moodle.school.example", "'self' https://moodle.school.example"),
        (" https://a-b.example:8443\n http://localhost:80 ", "'self' https://a-b.example:8443 http://localhost:80"),
    ],
)
def test_who_is_named_may_frame_us(named, framed_by, monkeypatch):
    monkeypatch.setenv(trust.EMBED_IN, named)
    assert trust.may_frame() == framed_by


@pytest.mark.parametrize(
    "named",
    [
        "moodle.org",
        "*",
        "https://*.example",
        "ftp://a.example",
        "https://",
        "https://a.example/course",
        "https://a.example/",
        "https://a.example;script-src *",
        "https://a.example,https://b.example",
        "https://ä.example",
        "https://good.example 'none'",
        "https://a." + 500 * "x",
    ],
)
def test_what_is_no_list_of_origins_is_refused_in_a_short_sentence(named, monkeypatch):
    monkeypatch.setenv(trust.EMBED_IN, named)
    with pytest.raises(ValueError, match=f"^{trust.EMBED_IN} ") as refused:
        trust.may_frame()
    assert len(str(refused.value)) < 300


def test_the_longest_list_leaves_room_for_other_headers():
    longest = ("https://a.example " * 100)[: trust.MOST_EMBED_IN].strip()
    policy = trust.policy(page_html.pages().values(), f"'self' {longest}")
    assert len(policy) < 1200


def test_a_fault_of_ours_is_answered_with_the_same_headers_and_is_still_a_fault():
    def fails(request: Request) -> Response:
        raise RuntimeError("a fault")

    policy = "default-src 'none'"
    app = Starlette(
        routes=[
            Route("/", fails),
            Route("/well", lambda request: PlainTextResponse("", headers={"Referrer-Policy": "unsafe-url"})),
        ],
        middleware=[Middleware(trust.Trust, policy=policy)],
    )
    client = TestClient(app, raise_server_exceptions=False)
    for path, status in {"/": 500, "/well": 200, "/none": 404}.items():
        response = client.get(path)
        assert response.status_code == status
        assert response.headers.get_list("content-security-policy") == [policy]
        assert response.headers.get_list("referrer-policy") == ["same-origin"]
    with pytest.raises(RuntimeError, match="a fault"):
        TestClient(app).get("/")
