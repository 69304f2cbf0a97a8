import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import pytest
from django.db import OperationalError
from django.test import Client
from pytest_django import Settings

from reco_app.curation.models import Product
from reco_app.events import service
from reco_app.events.models import Event
from reco_app.serving import openapi
from runtime import keys, metrics

pytestmark = [pytest.mark.usefixtures("shop"), pytest.mark.urls("reco_app.events.urls")]
EVENT = {"event_id": "01J", "session_id": "s1", "event_type": "add-to-cart", "item_id": "22423"}


@pytest.fixture(autouse=True)
def _only_what_intake_leans_on(settings: Settings) -> None:
    settings.MIDDLEWARE = ["runtime.django.ProblemMiddleware"]


def key(scope: keys.Scope) -> dict[str, str]:
    secret = "only-for-tests-" + "x" * 40
    return {"Authorization": f"Bearer {keys.issue(key_id='k', scopes=[scope], secret=secret)}"}


def post(body: Any, media_type: str = "application/json", **headers: str) -> Any:
    content = body if isinstance(body, str) else json.dumps(body)
    return Client().post("/v1/events", content, content_type=media_type, headers=headers)


def test_events_are_committed_when_they_are_acknowledged() -> None:
    answer = post({"events": [EVENT], "consent": True})

    assert answer.status_code == 202
    assert answer.json() == {"accepted": 1, "duplicates": 0, "rejected": []}
    assert Event.objects.get().session_hash is not None


def test_the_documented_example_has_every_type_of_event_and_is_taken() -> None:
    document = json.loads(openapi.document())
    body = document["paths"]["/v1/events"]["post"]["requestBody"]["content"]["application/json"]
    types = document["components"]["schemas"]["Event"]["properties"]["event_type"]["enum"]
    Product.objects.create(item_id="22697", title="22697", price="2.95", currency="GBP", version=3)

    assert {event["event_type"] for event in body["example"]["events"]} == set(types)
    assert post(body["example"]).json() == {"accepted": 6, "duplicates": 0, "rejected": []}


def counted(outcome: str) -> float:
    name = "multireco_intake_events_total"
    return metrics.registry.get_sample_value(name, {"outcome": outcome}) or 0.0


def test_every_event_is_counted_by_what_became_of_it() -> None:
    before = counted("postgresql"), counted("rejected")

    post({"events": [EVENT, EVENT, EVENT | {"event_id": "01K", "item_id": "no-such-product"}]})

    assert (counted("postgresql"), counted("rejected")) == (before[0] + 2, before[1] + 1)


def test_a_beacon_may_send_plain_text() -> None:
    assert (post({"events": [EVENT]}, "text/plain")).status_code == 202


def test_a_browser_that_asks_for_privacy_has_not_consented() -> None:
    post({"events": [EVENT], "consent": True}, **{"Sec-GPC": "1"})

    assert Event.objects.get().session_hash is None


def test_neither_address_nor_agent_nor_referrer_is_in_any_column() -> None:
    marks = {"User-Agent": "marked-agent", "Referer": "marked-page", "X-Forwarded-For": "9.9.9.9"}
    post({"events": [EVENT], "consent": True}, **marks)

    row = str(Event.objects.values().get())
    assert not any(mark in row for mark in [*marks.values(), "01J", "s1"])


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ("{", 400, None),
        ({"events": []}, 422, "/events"),
        ({"events": [EVENT] * 101}, 422, "/events"),
        ({"events": [EVENT | {"quantity": "2"}]}, 422, "/events/0/quantity"),
        ({"events": [EVENT | {"email": "a@b"}]}, 422, "/events/0/email"),
        ({"events": [EVENT | {"item_id": "a\n"}]}, 422, "/events/0/item_id"),
        ({"events": [EVENT | {"price": 2.5}]}, 422, "/events/0/price"),
        ({"events": [EVENT], "user": 1}, 422, "/user"),
        ({}, 422, "/events"),
    ],
)
def test_a_malformed_batch_is_refused_by_the_field(
    body: Any, status: int, pointer: str | None
) -> None:
    answer = post(body)

    assert answer.status_code == status
    errors = answer.json().get("errors", [])
    assert [error["pointer"] for error in errors] == ([pointer] if pointer else [])


def test_other_media_types_are_refused() -> None:
    assert (post({"events": [EVENT]}, "application/xml")).status_code == 415


def test_a_foreign_page_may_not_send_and_our_own_may() -> None:
    foreign = post({"events": [EVENT]}, Origin="https://elsewhere.example")
    own = post({"events": [EVENT]}, Origin="http://testserver")

    assert (foreign.status_code, own.status_code) == (403, 202)


def test_a_backend_sends_with_a_key_of_the_scope_events_only() -> None:
    right = post({"events": [EVENT]}, **key("events"))
    wrong = post({"events": [EVENT]}, **key("import"))

    assert (right.status_code, wrong.status_code) == (202, 403)


def test_nothing_is_acknowledged_while_postgresql_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(service, "receive", away)
    before = counted("unwritable")

    answer = post({"events": [EVENT]})

    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert counted("unwritable") == before + 1
    assert answer.headers["Retry-After"] == "2"


def test_a_session_id_that_nobody_could_have_sent_is_refused() -> None:
    response = Client().delete(f"/v1/sessions/{'s' * 65}")

    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "path: session_id"


@pytest.mark.parametrize("session", ["s1", "a%2Fb", "..%2Fc"])
def test_a_forgotten_session_is_gone_and_forgetting_again_is_fine(session: str) -> None:
    told = {"timestamp": datetime.now(UTC).isoformat(), "session_id": unquote(session)}
    post({"events": [EVENT | told], "consent": True})

    first = Client().delete(f"/v1/sessions/{session}")
    second = Client().delete(f"/v1/sessions/{session}")

    assert (first.status_code, second.status_code) == (204, 204)
    assert Event.objects.count() == 0


def test_an_import_needs_its_key_and_answers_with_a_summary() -> None:
    log = "session_id,item_id,timestamp\n1,71053,2010-12-01T08:26:00Z\n1,a b,2010-12-01T08:26:00Z\n"
    client = Client()

    without = client.post("/v1/imports/events", log, content_type="text/csv")
    answer = client.post("/v1/imports/events", log, content_type="text/csv", headers=key("import"))

    assert without.status_code == 401
    assert answer.status_code == 200
    assert (answer.json()["accepted"], answer.json()["rejected"]) == (1, 1)


def test_an_import_of_something_else_is_refused() -> None:
    client = Client()
    path, allowed = "/v1/imports/events", key("import")

    xml = client.post(path, "<a/>", content_type="text/xml", headers=allowed)
    no_log = client.post(path, "a,b\n", content_type="text/csv", headers=allowed)

    assert (xml.status_code, no_log.status_code) == (415, 422)
