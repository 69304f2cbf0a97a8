from reco_app.serving import cache
from reco_app.serving.cards import Card, Cards


def test_what_is_kept_is_read_again():
    cache.keep("card", {"p01": b"one", "p02": b"two"}, seconds=5)
    assert cache.read("card", ["p01", "p02", "p03"]) == {"p01": b"one", "p02": b"two"}


def test_without_redis_everything_is_a_miss(monkeypatch):
    nowhere = cache.redis.Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=0.05)
    monkeypatch.setattr(cache, "_client", lambda: nowhere)
    cache.keep("card", {"p01": b"one"}, seconds=5)
    assert cache.read("card", ["p01"]) == {}


def test_a_card_follows_its_product():
    cards = Cards(current=True)
    cards.remember([("p01", Card(1, b'{"id":"p01","title":"Old"}'))])
    assert _shown(cards) == {"p01": b'{"title":"Old"}'}
    cards.remember([("p01", Card(2, b'{"id":"p01","title":"New"}'))])
    assert _shown(cards) == {"p01": b'{"title":"New"}'}


def test_a_product_that_is_gone_has_no_card():
    cards = Cards(current=True)
    cards.remember([("p01", Card(1, b'{"id":"p01","title":"Old"}'))])
    _shown(cards)
    cards.remember([("p01", Card(2, b'{"id":"p01","version":2,"deleted":true}'))])
    assert _shown(cards) == {}


def test_fields_in_another_order_are_the_same_fields():
    cards = Cards(current=True)
    cards.remember([("p01", Card(1, b'{"id":"p01","title":"Old","url":"/"}'))])
    one = cards.known([("p01", 0)], ("title", "url"))["p01"]
    assert cards.known([("p01", 0)], ("url", "title", "url"))["p01"] is one


def _shown(cards):
    known = cards.known([("p01", 0)], ("title",))
    return {item_id: bytes(card) for item_id, card in known.items()}
