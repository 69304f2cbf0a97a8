import time

import pytest

from catalog_app import main
from catalog_app.store import ANSWER_SECONDS
from tests.catalog_app.conftest import running


@pytest.mark.parametrize("path", ["/v1/products/a", "/v1/products", "/v1/categories"])
async def test_without_mongodb_every_read_is_a_503_within_the_deadline(
    path: str, away: str
) -> None:
    async with running(away, caught_up=False) as catalog:
        started = time.monotonic()
        answer = await catalog.client.get(path)

        assert time.monotonic() - started < 2 * ANSWER_SECONDS
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert answer.headers["retry-after"] == "2"


async def test_a_store_that_fails_again_and_again_is_spared(away: str) -> None:
    async with running(away, caught_up=False) as catalog:
        for _ in range(6):
            await catalog.client.get("/v1/products/a")
        started = time.monotonic()
        answer = await catalog.client.get("/v1/products/a")

        assert time.monotonic() - started < ANSWER_SECONDS / 2
        assert answer.status_code == 503


async def test_without_mongodb_the_process_is_degraded_and_not_unready(away: str) -> None:
    async with running(away, caught_up=False) as catalog:
        told = await main.readiness(catalog.application)

        assert told == {"mongodb": "away", "search": "waiting for mongodb"}


async def test_a_password_that_mongodb_refuses_is_told_as_an_outage(mongodb_url: str) -> None:
    stranger = mongodb_url.replace("mongodb://", "mongodb://nobody:wrong@")
    async with running(stranger, caught_up=False) as catalog:
        answer = await catalog.client.get("/v1/products/a")
        told = await main.readiness(catalog.application)

    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert told["mongodb"] == "away"
