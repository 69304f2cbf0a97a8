"""The catalogue on a database of its own, asked in memory."""

import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx2
import pytest
import stamina
from fastapi import FastAPI
from pymongo import MongoClient

from catalog_app import main
from catalog_app.store import Unavailable
from runtime import keys

INTERNAL = {"Authorization": keys.internal_authorization()}
UPSERT = "/internal/catalog/v1/products"


def product(product_id: str, **changed: Any) -> dict[str, Any]:
    """A product as reco sends it."""
    return {
        "id": product_id,
        "version": 1,
        "title": f"Product {product_id}",
        "description": "",
        "brand": "",
        "categories": [],
        "price": "2.50",
        "sale_price": None,
        "currency": "GBP",
        "availability": "in_stock",
        "image_url": "",
        "url": "",
        "attributes": {},
        "tags": [],
        "item_group_id": "",
        "published_at": "2026-01-01T00:00:00+00:00",
        "updated_at": "2026-01-01T00:00:00+00:00",
        **changed,
    }


@dataclass(frozen=True)
class Catalog:
    application: FastAPI
    client: httpx2.AsyncClient

    async def put(self, *products: Mapping[str, Any]) -> dict[str, int]:
        """Send products and wait until the lists know them."""
        answer = await self.client.put(UPSERT, json={"products": products}, headers=INTERNAL)
        assert answer.status_code == 200, answer.text
        await caught_up_with(self.application)
        counts: dict[str, int] = answer.json()
        return counts

    async def get(self, path: str, **parameters: Any) -> Any:
        """The body of a good answer."""
        answer = await self.client.get(path, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def ids(self, **parameters: Any) -> list[str]:
        """The ids of a list's first page."""
        page = await self.get("/v1/products", **parameters)
        return [each["id"] for each in page["products"]]


async def caught_up_with(application: FastAPI) -> None:
    """Until the lists know what is stored; a busy machine's database may be late, as in service."""
    async for attempt in stamina.retry_context(on=Unavailable, attempts=3, timeout=30):
        with attempt:
            await application.state.live.catch_up()


@asynccontextmanager
async def running(mongodb_url: str, *, caught_up: bool = True) -> AsyncIterator[Catalog]:
    """The component with its lifespan entered."""
    application = main.make_application(mongodb_url)
    transport = httpx2.ASGITransport(app=application)
    async with (
        application.router.lifespan_context(application),
        httpx2.AsyncClient(transport=transport, base_url="http://catalog") as client,
    ):
        if caught_up:
            await caught_up_with(application)
        yield Catalog(application, client)


@pytest.fixture
def mongodb_url() -> Any:
    """The address of a new database, dropped afterwards."""
    server, _, options = os.environ["MULTIRECO_MONGODB_URL"].partition("/?")
    name = f"catalog_{uuid4().hex[:12]}"
    yield f"{server}/{name}?{options}"
    with MongoClient(os.environ["MULTIRECO_MONGODB_URL"]) as client:
        client.drop_database(name)


@pytest.fixture
def away() -> str:
    """An address of the right form where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"mongodb://127.0.0.1:{taken.getsockname()[1]}/"


@pytest.fixture
async def catalog(mongodb_url: str) -> AsyncIterator[Catalog]:
    async with running(mongodb_url) as started:
        yield started
