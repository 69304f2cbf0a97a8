"""A change of what is sold reaches catalogue and answers within three seconds."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx2
import pytest

from tests.shops import Shop, choose, in_admin

SECONDS = 3.0
# What goes with mustard 4 is sausage 4 and rolls 4.
ASKED = {"scenario": "basket", "items": [{"item_id": "mustard-4", "event_type": "add-to-cart"}]}


@pytest.fixture
def client(shop: Shop) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=shop.address, timeout=20) as client:
        yield client


@pytest.fixture
def staff(shop: Shop) -> Iterator[httpx2.Client]:
    with in_admin(shop) as staff:
        yield staff


def fed(client: httpx2.Client, shop: Shop, **changes: object) -> None:
    """Send one row of a feed about rolls 4."""
    row = json.dumps({"id": "rolls-4", **changes})
    headers = shop.key("import") | {"Content-Type": "application/x-ndjson"}
    told = client.post("/v1/imports/products", content=row, headers=headers).json()
    assert told["rejected"] == 0, told


@contextmanager
def within(seconds: float) -> Iterator[Callable[[Callable[[], bool]], None]]:
    """From here on, what is waited for must be so in `seconds`."""
    deadline = time.monotonic() + seconds

    def wait(seen: Callable[[], bool]) -> None:
        while not seen():
            assert time.monotonic() < deadline, f"not seen within {seconds:g} s"
            time.sleep(0.05)

    yield wait


def recommended(client: httpx2.Client) -> dict[str, dict]:
    items = client.post("/v1/recommendations", json=ASKED).json()["items"]
    return {item["item_id"]: item["product"] for item in items}


def cached_answer(client: httpx2.Client) -> list[str]:
    answer = client.get("/v1/recommendations?scenario=basket&item=add-to-cart:mustard-4")
    return [item["item_id"] for item in answer.json()["items"]]


def test_a_new_price_is_seen_everywhere_within_three_seconds(client, shop):
    fed(client, shop, price="9.99")

    with within(SECONDS) as wait:
        wait(lambda: client.get("/v1/products/rolls-4").json()["price"] == "9.99")
        wait(lambda: recommended(client)["rolls-4"]["price"] == "9.99")
    fed(client, shop, price="4.50")


def test_what_is_sold_out_is_recommended_no_more_within_three_seconds(client, shop):
    assert "rolls-4" in recommended(client)
    assert "rolls-4" in cached_answer(client)
    fed(client, shop, availability="out_of_stock")

    with within(SECONDS) as wait:
        wait(lambda: "rolls-4" not in recommended(client))
        wait(lambda: "rolls-4" not in cached_answer(client))
        wait(lambda: client.get("/v1/products/rolls-4").json()["availability"] == "out_of_stock")
    fed(client, shop, availability="in_stock")
    with within(SECONDS) as wait:
        wait(lambda: "rolls-4" in recommended(client))


def test_a_product_hidden_in_the_admin_is_gone_within_three_seconds(client, shop, staff):
    assert "sausage-4" in recommended(client)
    choose(staff, "hide", "sausage-4")

    with within(SECONDS) as wait:
        wait(lambda: "sausage-4" not in recommended(client))
        wait(lambda: "sausage-4" not in cached_answer(client))
        wait(lambda: client.get("/v1/products/sausage-4").status_code == 404)
    choose(staff, "show", "sausage-4")
    with within(SECONDS) as wait:
        wait(lambda: "sausage-4" in recommended(client))
        wait(lambda: client.get("/v1/products/sausage-4").status_code == 200)
