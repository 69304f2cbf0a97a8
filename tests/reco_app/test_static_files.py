"""Files of the installed apps, as browsers get them."""

import httpx2
import pytest

from reco_app.asgi import application

CSS = "/static/storefront/css/frame.css"


@pytest.fixture
async def browser():
    transport = httpx2.ASGITransport(app=application)
    async with httpx2.AsyncClient(transport=transport, base_url="http://reco") as client:
        yield client


@pytest.mark.parametrize("path", [CSS, "/static/unfold/css/styles.css", "/static/admin/js/core.js"])
async def test_every_installed_app_has_its_files_sent(browser, path):
    response = await browser.get(path)
    assert response.status_code == 200
    assert response.headers["cache-control"] == "public, max-age=3600"
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_an_unchanged_file_is_not_sent_again(browser):
    etag = (await browser.get(CSS)).headers["etag"]
    response = await browser.get(CSS, headers={"If-None-Match": etag})
    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["cache-control"] == "public, max-age=3600"


async def test_a_head_request_tells_the_length_alone(browser):
    response = await browser.head(CSS)
    assert (response.status_code, response.content) == (200, b"")
    assert int(response.headers["content-length"]) > 0


@pytest.mark.parametrize(
    "path",
    [
        "/static/nothing.css",
        "/static/",
        "/static/storefront/",
        "/static/%2e%2e/apps.py",
        "/static/..%2fapps.py",
        "/static/storefront/%2e%2e/%2e%2e/views.py",
        "/static/%2fetc/passwd",
        "/static//etc/passwd",
        "/static/a%00b",
        f"/static/{'long' * 100}",
    ],
)
async def test_what_is_no_file_of_an_app_is_a_problem(browser, path):
    response = await browser.get(path)
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == "not-found"


async def test_a_file_is_only_for_reading(browser):
    response = await browser.post(CSS)
    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")
    assert response.json()["code"] == "method-not-allowed"
