import pytest

from reco_app.serving import parsing, query
from reco_app.serving.contracts import Request
from runtime.problems import Problem

EVENT_TYPES = "Known: view, click, add-to-cart, purchase."


def posted(body: bytes) -> Problem:
    with pytest.raises(Problem) as refused:
        parsing.decode(body, shape=Request)
    return refused.value


@pytest.mark.parametrize(
    ("body", "pointer", "detail"),
    [
        (b'{"count": 101}', "/count", "This must be 100 or less."),
        (b'{"count": "5"}', "/count", "This must be a whole number or null; it is text."),
        (b'{"items": [{"item_id": "a b"}]}', "/items/0/item_id", "An item id is 1 to 64"),
        (b'{"items": [{"item_id": "a", "event_type": "buy"}]}', "/items/0/event_type", EVENT_TYPES),
        (b'{"fields": ["title", "colour"]}', "/fields/1", "“colour” is not known here. Known: t"),
        (b'{"filter": {"brand": [""]}}', "/filter/brand/0", "This must have at least 1 character."),
        (b'{"budget": {"remaining": 2.5}}', "/budget/remaining", "This must be text; it is a num"),
        (b'{"filter": {"colour": 1}}', "/filter/colour", "There is no field “colour”."),
    ],
)
def test_a_field_at_fault_is_named_in_plain_words(body, pointer, detail):
    [error] = posted(body).errors

    assert error.pointer == pointer
    assert detail in error.detail


@pytest.mark.parametrize("body", [b"", b"{", b'{"count": 1', b"\xff", b'{"scenario": "\xff"}'])
def test_what_is_no_json_is_told_apart_from_fields_at_fault(body):
    assert posted(body).code == "malformed-json"


def test_a_parameter_at_fault_is_told_in_the_same_words():
    with pytest.raises(Problem) as refused:
        query.request_of("item=buy:a")

    [error] = refused.value.errors
    assert error.pointer == "?item"
    assert EVENT_TYPES in error.detail
