"""What reco's process does before Django sees a request."""

import asyncio

import httpx2
import pytest

from reco_app.asgi import application


@pytest.mark.parametrize("path", ["/v1/imports/products", "/v1/imports/events"])
def test_a_feed_without_a_key_is_refused_before_its_body_is_read(path: str) -> None:
    read = []

    async def endless():  # type: ignore[no-untyped-def]
        for number in range(1000):
            read.append(number)
            yield b"x" * 1000

    async def send() -> httpx2.Response:
        transport = httpx2.ASGITransport(app=application)
        async with httpx2.AsyncClient(transport=transport, base_url="http://reco") as reco:
            return await reco.post(path, content=endless(), headers={"Content-Type": "text/csv"})

    answer = asyncio.run(send())

    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert read == []
