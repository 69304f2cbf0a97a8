import json
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from reco_app.events import recommendation_log
from reco_app.events.models import RecommendationSample
from reco_app.serving import identity
from reco_app.serving.contracts import Filter, Request, RequestItem

pytestmark = pytest.mark.django_db(transaction=True)
ASKED = Request(
    items=(RequestItem("22423"), RequestItem("jane.doe")),
    filter=Filter(category=("jane@example.org",)),
    session_id="a-session-id",
    profile="jane",
    consent=True,
)


def answer(number: int) -> bytes:
    told = identity.Identity("release", 1, "session", number, b"digest")
    body = {
        "recommendation_id": identity.sign(told, secret=b"x" * 40),
        "items": [{"item_id": "85123A", "score": 0.5, "position": 1, "source": "session"}],
        "missing_ids": ["jane.doe"],
        "model": {"version": "2026", "trained_at": "then"},
    }
    return json.dumps(body, separators=(",", ":")).encode()


def test_one_answer_in_a_hundred_is_chosen_and_always_the_same() -> None:
    chosen = {number for number in range(20_000) if recommendation_log.chosen(answer(number))}

    assert 150 < len(chosen) < 250
    again = min(chosen)
    assert recommendation_log.chosen(answer(again))


def test_what_is_kept_tells_what_was_shown_and_nothing_of_who_asked(admin_client: Client) -> None:
    recommendation_log.start()
    try:
        for number in range(500):
            recommendation_log.offer(answer(number), ASKED)
    finally:
        recommendation_log.stop()

    kept = list(RecommendationSample.objects.all())
    assert (kept[0].scenario, kept[0].release) == ("session", "2026")
    assert [item["item_id"] for item in kept[0].items] == ["85123A"]
    assert [item["item_id"] for item in kept[0].request["items"]] == ["22423"]
    words = str([vars(sample) for sample in kept])
    assert not any(mark in words for mark in ("jane", "a-session-id"))


def test_an_answer_that_cannot_be_kept_does_not_end_the_log(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recommendation_log, "MOST_AT_ONCE", 1)
    writer = recommendation_log.Writer()
    for told in (b"{}", answer(1)):
        writer.waiting.put((datetime.now(UTC), told, ASKED))

    writer.stop()

    assert RecommendationSample.objects.count() == 1


@pytest.mark.urls("reco_app.urls")
def test_staff_read_the_log_and_it_is_kept_for_seven_days(admin_client: Client) -> None:
    now = datetime.now(UTC)
    for days_ago in (1, 8):
        at = now - timedelta(days=days_ago)
        recommendation_log._write([(at, answer(1), ASKED)])

    recommendation_log.expire(now=now)

    sample = RecommendationSample.objects.get()
    page = "/admin/events/recommendationsample/"
    assert "85123A" in admin_client.get(page).content.decode()
    assert "85123A" in admin_client.get(f"{page}{sample.pk}/change/").content.decode()


def test_nothing_is_kept_while_nobody_writes() -> None:
    for number in range(500):
        recommendation_log.offer(answer(number), ASKED)

    assert RecommendationSample.objects.count() == 0
