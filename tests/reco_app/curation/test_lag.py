from django.db import OperationalError
from prometheus_client import CollectorRegistry, generate_latest

from reco_app import scraped
from reco_app.curation import lag, outbox, relay
from reco_app.curation.models import OutboxEntry
from runtime import metrics


def told():
    registry = CollectorRegistry()
    registry.register(scraped.in_postgresql(lag.backlog))
    lines = generate_latest(registry).decode().splitlines()
    return dict(line.split() for line in lines if not line.startswith("#"))


def test_the_age_of_the_oldest_waiting_change_is_told_when_asked(products, monkeypatch):
    monkeypatch.setattr(scraped.connection, "close", lambda: None)  # the test's own
    oldest = OutboxEntry.objects.order_by("created_at")[0].created_at
    monkeypatch.setattr(lag.timezone, "now", lambda: oldest.replace(year=oldest.year + 1))
    outbox.refuse(OutboxEntry.objects.get(product_id="pan"), "no pans")

    figures = told()

    assert float(figures["multireco_outbox_lag_seconds"]) >= 365 * 86_400
    assert figures["multireco_outbox_waiting"] == "2.0"
    assert figures["multireco_outbox_refused"] == "1.0"


def test_a_figure_that_postgresql_cannot_tell_is_absent_and_breaks_no_other(monkeypatch):
    def away(**_):
        raise OperationalError("away")

    monkeypatch.setattr(scraped.connection, "close", lambda: None)
    monkeypatch.setattr(outbox, "backlog", away)

    assert told() == {}


def test_every_delivered_change_is_measured(products, catalogue):
    name = "multireco_projection_seconds_count"
    before = metrics.registry.get_sample_value(name)

    relay.sweep()

    assert metrics.registry.get_sample_value(name) - before == 3
