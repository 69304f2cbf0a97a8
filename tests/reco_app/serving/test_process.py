"""reco as a whole process: started, following, answering, stopped."""

import asyncio
import threading
from decimal import Decimal

import httpx2
import pytest
from django.db import InterfaceError, connections

from reco_app.asgi import application
from reco_app.curation import store
from reco_app.curation.models import Rule
from reco_app.serving import follow, live
from runtime.edge.lifespans import running
from tests.reco_app.serving import examples

URL = "/v1/recommendations"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def fresh(monkeypatch, model_dir):
    monkeypatch.setattr(live, "_state", examples.state(products=[], engine=None, version=0))
    live.current().cards.current = False
    return model_dir


def client():
    transport = httpx2.ASGITransport(app=application)
    return httpx2.AsyncClient(transport=transport, base_url="http://reco")


async def until(condition, *, seconds=3.0):
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.05)


async def ids(reco):
    answer = (await reco.get(URL)).json()
    return [item["item_id"] for item in answer["items"]]


async def at_the_side(work, *arguments):
    """Do something with the database in a thread that leaves no connection behind."""

    def done():
        try:
            return work(*arguments)
        finally:
            connections.close_all()

    return await asyncio.to_thread(done)


def hide(item_id):
    store.save_curation(Rule(kind="hide", target_product_id=item_id), user_id=None)


def write(item_ids):
    rows = {
        item_id: {"title": item_id, "price": Decimal("2.00"), "currency": "USD"}
        for item_id in item_ids
    }
    store.upsert_products(rows, reason="test", user_id=None)


async def test_a_change_reaches_answers_within_three_seconds(fresh):
    async with running(application), client() as reco:
        await at_the_side(write, ["p00", "p01", "p02"])
        await until(lambda: _is(reco, {"p00", "p01", "p02"}))
        await at_the_side(hide, "p01")
        await until(lambda: _is(reco, {"p00", "p02"}))


async def _is(reco, expected):
    return set(await ids(reco)) == expected


async def test_a_new_release_is_in_use_within_three_seconds(fresh):
    await at_the_side(write, ["p00", "p01", "p02"])
    async with running(application), client() as reco:
        version = await at_the_side(examples.publish, fresh)
        await until(lambda: _answers_from(reco, version))


async def _answers_from(reco, version):
    model = (await reco.get(URL)).json()["model"]
    return model is not None and model["version"] == version


async def test_what_was_hidden_since_the_release_is_hidden_from_the_first_answer(
    fresh, monkeypatch
):
    monkeypatch.setattr(follow, "followers", list)
    await at_the_side(write, ["p00", "p01", "p02"])
    await at_the_side(examples.publish, fresh)
    await at_the_side(hide, "p01")
    async with running(application), client() as reco:
        assert set(await ids(reco)) == {"p00", "p02"}


async def test_a_connection_lost_at_the_start_leaves_the_release_s_snapshot(fresh, monkeypatch):
    def lost():
        raise InterfaceError("connection already closed")

    monkeypatch.setattr(follow, "followers", list)
    monkeypatch.setattr(follow, "curation_step", lost)
    await at_the_side(write, ["p00", "p01", "p02"])
    await at_the_side(examples.publish, fresh)
    async with running(application), client() as reco:
        assert set(await ids(reco)) == {"p00", "p01", "p02"}


async def test_a_process_that_is_stopped_leaves_no_thread_behind(fresh):
    async with running(application):
        assert {"follow-release", "follow-curation"} <= _threads()
    assert not {"follow-release", "follow-curation"} & _threads()


def _threads():
    return {thread.name for thread in threading.enumerate()}


async def test_a_process_that_knows_its_catalogue_is_ready_without_a_release(fresh):
    async with running(application), client() as reco:
        await until(lambda: _status(reco, 200))
        ready = (await reco.get("/readyz")).json()
        assert ready["status"] == "degraded"
        assert ready["checks"]["release"] == "none yet"


async def _status(reco, expected):
    return (await reco.get("/readyz")).status_code == expected


async def test_an_address_that_is_no_text_is_a_problem(fresh):
    async with client() as reco:
        response = await reco.get(f"{URL}?item=%FF")
        assert response.status_code == 422
        assert response.headers["content-type"] == "application/problem+json"
