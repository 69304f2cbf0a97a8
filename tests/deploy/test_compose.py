"""The split system of deploy/compose.yaml, as an operator brings it up on one machine.

Where its stores' images cannot be had, Debian's servers stand in; in place of MongoDB a server of
its wire protocol.
"""

import json
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from uuid import uuid4

import httpx2
import pytest

from runtime.local.servers import free_port
from tests import market
from tests.deploy import composed as composing
from tests.deploy.composed import OWN, Composed
from tests.docker import Engine
from tests.shops import PASSWORD, STAFF, Shop, choose, in_admin, wait_for_market

pytestmark = [pytest.mark.image, pytest.mark.timeout(900)]
STORES = {"postgres", "mongodb", "redis", "rabbitmq"}
FEEDS = {"products": "application/x-ndjson", "events": "text/csv"}


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    return {
        "MULTIRECO_SECRET_KEY": secrets.token_urlsafe(48),
        "POSTGRES_PASSWORD": secrets.token_hex(16),
        "GATEWAY_PORT": str(free_port()),
    }


@pytest.fixture(scope="module")
def composed(
    docker: Engine, image: str, stand_ins: None, settings: dict[str, str]
) -> Iterator[Composed]:
    with composing.up(docker, settings) as composed:
        yield composed


@pytest.fixture(scope="module")
def shop(composed: Composed, settings: dict[str, str], tmp_path_factory) -> Shop:
    """At the gateway, with the market brought in by key and learned by the role `train`."""
    folder = tmp_path_factory.mktemp("feed")
    shop = Shop(f"http://127.0.0.1:{settings['GATEWAY_PORT']}", {}, settings, folder)
    for name, file in zip(FEEDS, market.write(folder), strict=True):
        brought(shop, name, file.read_text())
    composed("run", "--rm", "train", "train")
    wait_for_market(shop, seconds=180)
    return shop


def brought(shop: Shop, name: str, feed: str) -> None:
    headers = shop.key("import") | {"Content-Type": FEEDS[name]}
    url = shop.url(f"/v1/imports/{name}")
    told = httpx2.post(url, content=feed, headers=headers, timeout=120)
    assert told.json().get("rejected") == 0, told.text


def wait_for(seen: Callable[[], bool], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < deadline, f"not seen within {seconds:g} s"
        time.sleep(0.2)


def asked(shop: Shop, item_id: str) -> set[str]:
    question = {"scenario": "basket", "items": [{"item_id": item_id}], "count": 2}
    answer = httpx2.post(shop.url("/v1/recommendations"), json=question).json()
    assert answer["degraded"] == []
    return {item["item_id"] for item in answer["items"]}


def test_every_service_becomes_healthy(composed: Composed) -> None:
    states = composed.states()
    assert states.pop("migrate") == "exited 0"
    assert states == dict.fromkeys({"gateway", *OWN, *STORES}, "healthy")


@pytest.mark.parametrize("service", OWN)
def test_a_role_has_no_rights_and_no_root_to_write_to(composed: Composed, service: str) -> None:
    status = composed.run_in(service, "cat /proc/1/status")
    assert "CapEff:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    assert "Read-only" in composed.run_in(service, "touch /app/x 2>&1; true")


def test_a_basket_is_answered_from_what_was_bought_with_it(shop: Shop) -> None:
    assert asked(shop, "pasta-3") == {"sauce-3", "cheese-3"}


def test_answers_compile_nothing(composed: Composed, shop: Shop) -> None:
    asked(shop, "pasta-4")
    count = "find {} -name '*.nbc' | wc -l"
    brought_along = composed.run_in("reco", count.format("/app/compiled"))
    assert int(brought_along) > 20
    assert composed.run_in("reco", count.format("/var/cache/multireco")) == brought_along


def test_events_are_acknowledged_and_stored(composed: Composed, shop: Shop) -> None:
    session = uuid4().hex
    click = {"session_id": session, "event_type": "click", "item_id": "wine-7"}
    events = [{"event_id": uuid4().hex, **click} for _ in range(3)]
    batch = {"events": events, "consent": True}
    told = httpx2.post(shop.url("/v1/events"), json=batch, headers=shop.key("events"))
    assert told.json()["accepted"] == 3
    query = "SELECT count(*) FROM events_event WHERE event_type = 'click'"
    script = f'PGPASSWORD=$RECO_PASSWORD psql -h 127.0.0.1 -U reco reco -Atc "{query}"'
    wait_for(lambda: composed.run_in("postgres", script) == "3", seconds=30)


def test_what_the_shop_sells_out_of_is_no_longer_recommended(shop: Shop) -> None:
    assert asked(shop, "pasta-5") == {"sauce-5", "cheese-5"}
    brought(shop, "products", json.dumps({"id": "sauce-5", "availability": "out_of_stock"}))
    wait_for(lambda: "sauce-5" not in asked(shop, "pasta-5"), seconds=10)


def test_what_staff_hide_is_no_longer_recommended(composed: Composed, shop: Shop) -> None:
    account = f"createsuperuser --noinput --username {STAFF} --email ''"
    composed.run_in("reco", f"DJANGO_SUPERUSER_PASSWORD='{PASSWORD}' python manage.py {account}")
    assert asked(shop, "pasta-7") == {"sauce-7", "cheese-7"}
    with in_admin(shop) as staff:
        choose(staff, "hide", "sauce-7")
    wait_for(lambda: "sauce-7" not in asked(shop, "pasta-7"), seconds=10)


def test_one_process_after_the_other_is_replaced_without_a_failed_request(
    composed: Composed, shop: Shop
) -> None:
    over = Event()

    def visited(number: int) -> list[int]:
        with httpx2.Client(base_url=shop.address, timeout=10) as client:
            statuses = []
            while not over.wait(0.1):
                item = {"item_id": f"coffee-{len(statuses) % 10 + 1}"}
                asked = {"items": [item], "count": number}
                statuses.append(client.post("/v1/recommendations", json=asked).status_code)
            return statuses

    with ThreadPoolExecutor(3) as visitors:
        visits = [visitors.submit(visited, number) for number in (4, 5, 6)]
        try:
            for container in composed.containers("reco"):
                composed.docker("restart", "--time", "30", container)
                composing.wait_until_healthy(composed, container)
        finally:
            over.set()
    statuses = [status for visit in visits for status in visit.result()]
    assert len(statuses) > 100
    assert set(statuses) == {200}


def test_a_new_image_takes_over_with_what_was_learned(composed: Composed, shop: Shop) -> None:
    composed("up", "--detach", "--no-build", "--no-deps", "--force-recreate", "reco")
    for container in composed.containers("reco"):
        composing.wait_until_healthy(composed, container)
    wait_for(lambda: asked(shop, "pasta-6") == {"sauce-6", "cheese-6"}, seconds=30)


@pytest.mark.parametrize("service", OWN)
def test_a_role_ends_in_time_when_it_is_asked_to(composed: Composed, service: str) -> None:
    container = composed.containers(service)[0]
    began = time.monotonic()
    composed.docker("stop", "--time", "30", container)
    assert time.monotonic() - began < 25
    assert composed.told(container)["State"]["ExitCode"] in (0, 143)
