from datetime import UTC, datetime

import pytest
from django.test import Client

from reco_app.events import service
from reco_app.events.caps import Origin
from reco_app.events.contracts import Batch, Event

pytestmark = pytest.mark.urls("reco_app.urls")
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ORIGIN = Origin("network 192.0.2.1", keyed=False)


@pytest.fixture(autouse=True)
def _events(shop: None) -> None:
    events = [
        Event(event_id="a", event_type="purchase", item_id="22423", timestamp=NOW),
        Event(event_id="b", event_type="purchase", item_id="unheard-of", timestamp=NOW),
    ]
    service.receive(Batch(events), consented=True, origin=ORIGIN, now=NOW)


@pytest.mark.parametrize(
    ("page", "text"),
    [("event", "22423"), ("rejectedevent", "unheard-of"), ("rejectioncount", "unknown-item")],
)
def test_staff_see_events_and_what_was_rejected_and_why(
    admin_client: Client, page: str, text: str
) -> None:
    answer = admin_client.get(f"/admin/events/{page}/")

    assert answer.status_code == 200
    assert text in answer.content.decode()


def test_nobody_adds_events_by_hand(admin_client: Client) -> None:
    assert admin_client.get("/admin/events/event/add/").status_code == 403


def test_the_list_of_events_counts_no_table(admin_client: Client) -> None:
    answer = admin_client.get("/admin/events/event/?q=22423")

    assert answer.context["cl"].result_count == 1
    assert answer.context["cl"].full_result_count is None
