from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from reco_app.events import service
from reco_app.events.contracts import Batch, Event
from reco_app.events.models import Event as Row
from reco_app.events.models import QuarantineCase
from reco_app.events.senders import Origin

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


@pytest.fixture
def burst() -> QuarantineCase:
    events = [
        Event(event_id=f"burst {number}", event_type="view", item_id="85123A", timestamp=NOW)
        for number in range(40)
    ]
    service.receive(Batch(events), consented=False, origin=ORIGIN, now=NOW)
    return QuarantineCase.objects.get()


@pytest.mark.parametrize(
    ("action", "verdict", "counted"), [("release", "Released", 40), ("drop", "Dropped", 0)]
)
def test_staff_decide_on_what_was_set_aside(
    admin_client: Client, burst: QuarantineCase, action: str, verdict: str, counted: int
) -> None:
    page = "/admin/events/quarantinecase/"
    before = admin_client.get(page).content.decode()

    answer = admin_client.post(
        page, {"action": action, "_selected_action": [burst.pk]}, follow=True
    )

    assert "one network, one product" in before
    assert verdict in answer.content.decode()
    assert Row.objects.filter(item_id="85123A").count() == counted


def test_the_first_page_tells_what_waits_to_be_decided(
    admin_client: Client, burst: QuarantineCase
) -> None:
    figures = admin_client.get("/admin/").context["figures"]

    assert [figure.value for figure in figures if figure.label == "Events set aside"] == ["40"]


def test_who_may_only_look_decides_on_nothing(client: Client, burst: QuarantineCase) -> None:
    staff = User.objects.create_user("analyst", is_staff=True)
    staff.user_permissions.add(Permission.objects.get(codename="view_quarantinecase"))
    client.force_login(staff)
    page = "/admin/events/quarantinecase/"

    client.post(page, {"action": "release", "_selected_action": [burst.pk]})

    assert client.get(page).status_code == 200
    assert Row.objects.filter(item_id="85123A").count() == 0
