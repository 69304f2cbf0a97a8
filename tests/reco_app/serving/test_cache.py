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
    assert bytes(cards.known("p01", 0, ("title",))) == b'{"title":"Old"}'
    cards.remember([("p01", Card(2, b'{"id":"p01","title":"New"}'))])
    assert bytes(cards.known("p01", 0, ("title",))) == b'{"title":"New"}'
