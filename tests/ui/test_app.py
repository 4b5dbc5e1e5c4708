"""The server as a whole: who it answers."""

import pytest
from starlette.testclient import TestClient

import app


@pytest.mark.parametrize(("host", "status"), [("localhost", 200), ("127.0.0.1:8501", 200), ("elsewhere.example", 400)])
def test_routes_answer_under_the_names_that_the_settings_allow_alone(host, status):
    client = TestClient(app.app)
    assert client.get("/lessons/cards.json", headers={"Host": host}).status_code == status
