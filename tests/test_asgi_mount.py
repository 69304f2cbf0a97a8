"""The whole house in one process, as the role `all` starts it, on stores that are still empty."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

PUBLIC = {
    "/v1/recommendations": {"get", "post"},
    "/v1/recommendations/why": {"post"},
    "/v1/events": {"post"},
    "/v1/sessions/{session_id}": {"delete"},
    "/v1/imports/products": {"post"},
    "/v1/imports/events": {"post"},
    "/v1/products": {"get"},
    "/v1/products/{product_id}": {"get"},
    "/v1/products:batch": {"post"},
    "/v1/categories": {"get"},
    "/v1/profiles": {"get"},
    "/v1/profiles/{slug}": {"get"},
    "/v1/profiles:match": {"post"},
    "/v1/preferences/{item_id}": {"get"},
    "/v1/batch": {"post"},
}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def _wait_until_alive(client: httpx2.Client, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert process.poll() is None, "the process ended while it started"
        try:
            client.get("/livez")
        except httpx2.TransportError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("the process did not listen within a minute")


@pytest.fixture(scope="module")
def client() -> Iterator[httpx2.Client]:
    port = _free_port()
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    process = subprocess.Popen(
        ["/bin/sh", "deploy/entrypoint.sh", "all"],
        env={**os.environ, "PATH": path, "PORT": str(port), "PYTHONPATH": "src:."},
        stdout=subprocess.DEVNULL,
    )
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=10.0) as client:
            _wait_until_alive(client, process)
            yield client
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=15) in (0, -signal.SIGTERM)


def test_one_document_tells_every_public_path(client):
    told = client.get("/openapi.json").json()["paths"]
    paths = {path: set(item) & {"get", "post", "put", "delete"} for path, item in told.items()}
    assert {path: methods for path, methods in paths.items() if path.startswith("/v1/")} == PUBLIC


@pytest.mark.parametrize("path", ["/shop/", "/explore/", "/admin/login/", "/docs", "/problems"])
def test_pages_for_people_answer(client, path):
    answered = client.get(path)
    assert answered.status_code == 200
    assert answered.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("name", ["recommendations", "products", "profiles", "events", "batch"])
def test_an_unknown_path_of_any_component_is_a_problem(client, name):
    answered = client.get(f"/v1/{name}/no/such/path")
    assert answered.headers["content-type"] == "application/problem+json"
    assert answered.json()["code"] == "not-found"


@pytest.mark.parametrize("path", ["recommendations", "products:batch", "profiles:match", "batch"])
@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "malformed-json"),
        (b"[]", 422, "invalid-fields"),
        (b'{"surprise": 1}', 422, "invalid-fields"),
        (b"x" * 10_000_000, 413, "body-too-large"),
    ],
)
def test_bad_bodies_get_the_same_problem_from_every_component(client, path, body, status, code):
    headers = {"Content-Type": "application/json"}
    answered = client.post(f"/v1/{path}", content=body, headers=headers)
    assert (answered.status_code, answered.json()["code"]) == (status, code)


def test_readiness_tells_what_each_component_says(client):
    checks = client.get("/readyz").json()["checks"]
    assert set(checks) == {"catalog", "profile", "reco"}
