import pytest
from django.core.management import CommandError, call_command

from reco_app.curation import clients, outbox, rebuilding, relay, store
from reco_app.curation.models import OutboxEntry
from runtime import rest


@pytest.fixture
def leftovers(monkeypatch):
    """How many products the catalogue still has that nobody sent, call by call."""
    numbers = [500, 7, 0]
    monkeypatch.setattr(clients, "begin_rebuild", lambda: 4)
    monkeypatch.setattr(clients, "withdraw_leftovers", lambda generation: numbers.pop(0))
    return numbers


def test_every_product_is_sent_again_and_what_is_left_over_withdrawn(
    products, catalogue, leftovers
):
    relay.sweep()
    catalogue.batches.clear()

    told = rebuilding.rebuild(on_progress=lambda left: None)

    assert told == (3, 0, 507)
    assert sorted(card["id"] for card in catalogue.cards) == ["mug", "pan", "pot"]
    assert not OutboxEntry.objects.exists()


def test_a_hidden_product_is_sent_as_a_tombstone(products, catalogue, leftovers):
    def hide(row):
        row["visible"] = False

    store.change_products(["pan"], change=hide, reason="test", user_id=None)

    rebuilding.rebuild(on_progress=lambda left: None)

    assert [card["id"] for card in catalogue.cards if card.get("deleted")] == ["pan"]


def test_nothing_is_withdrawn_while_a_product_is_refused(products, catalogue, leftovers):
    catalogue.trouble = clients.Refused("no cards today")

    with pytest.raises(CommandError, match="refuses 3 products, so nothing was withdrawn"):
        call_command("rebuild_catalog")

    assert leftovers == [500, 7, 0]


def test_what_was_refused_before_is_tried_again(products, catalogue, leftovers):
    outbox.refuse(OutboxEntry.objects.get(product_id="pan"), "no pans")

    assert rebuilding.rebuild(on_progress=lambda left: None).refused == 0


def test_an_interrupted_rebuild_says_what_to_do(products, catalogue, leftovers):
    catalogue.trouble = rest.Unavailable("catalog", "it is away")

    with pytest.raises(CommandError, match="Run the command again"):
        call_command("rebuild_catalog")

    assert OutboxEntry.objects.count() == 3
