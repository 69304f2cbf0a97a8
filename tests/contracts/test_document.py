"""The merged document of the running product: what it allows is answered as it says."""

from collections.abc import Iterator
from typing import Any

import httpx2
import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case, SerializationContext
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from catalog_app import main as catalog
from profile_app.main import make_app as make_profile_app
from reco_app.curation import feeds as product_feeds
from reco_app.events import feeds as event_feeds
from reco_app.serving import openapi
from runtime.edge import contract, own_contract
from tests.shops import Shop, restock

# Never connected to: the document is made of the routes alone.
NOWHERE = "mongodb://127.0.0.1:9/?journal=true"


@schemathesis.serializer(*product_feeds.MEDIA_TYPES, *event_feeds.MEDIA_TYPES)
def as_it_is(_: SerializationContext, value: Any) -> Any:
    """A file is sent as it is; what stands for no file at all, as its words."""
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")


def merged() -> dict[str, Any]:
    """The document that the router makes, known before anything runs."""
    components = {
        "reco": msgspec.json.decode(openapi.document()),
        "profile": make_profile_app().test_client().get("/openapi/profile.json").get_json(),
        "catalog": catalog.make_application(NOWHERE).openapi(),
    }
    return contract.merged(own_contract.document(), components)


DOCUMENT = merged()
schema = schemathesis.openapi.from_dict(DOCUMENT)
MANY = settings(
    deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module")
def embedded(mounted: Shop) -> Iterator[Shop]:
    """Among what may be sent are whole feeds of nothing: afterwards no product is left."""
    yield mounted
    restock(mounted)


@pytest.fixture(scope="module")
def debians(split: Shop) -> Iterator[Shop]:
    """Behind the router, on Debian's servers and RabbitMQ."""
    yield split
    restock(split)


def test_the_running_product_tells_this_document(mounted: Shop) -> None:
    assert httpx2.get(mounted.url("/openapi.json")).json() == DOCUMENT


@schema.parametrize()
@settings(MANY, max_examples=20)
def test_whatever_is_sent_is_answered_as_documented(case: Case, embedded: Shop) -> None:
    validate(case, embedded)


@pytest.mark.debian
@schema.parametrize()
@settings(MANY, max_examples=4)
def test_whatever_is_sent_is_answered_as_documented_on_debians_servers(
    case: Case, debians: Shop
) -> None:
    validate(case, debians)


def validate(case: Case, shop: Shop) -> None:
    # No schema can say which slugs, ids and cursors are known, nor what makes a file a feed.
    excluded = [positive_data_acceptance]
    if case.path == "/v1/events":  # an event of an unknown type is rejected within an answer of 202
        excluded.append(negative_data_rejection)
    case.call_and_validate(
        base_url=shop.address,
        headers=shop.key("events", "import", "staff"),
        excluded_checks=excluded,
    )
