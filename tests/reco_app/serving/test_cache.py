from reco_app.serving.cards import Card, Cards


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
