"""Asked through msgspec itself: its words may change, ours must not."""

from datetime import datetime
from typing import Annotated, Literal, get_args

import msgspec
import pytest
from msgspec import Meta, Struct

from runtime.json_bodies import field_error, not_json

CODE = r"^[a-z]+$"
Colour = Literal["red", "green"]


class Line(Struct, forbid_unknown_fields=True):
    code: Annotated[str, Meta(pattern=CODE)] = "a"
    colour: Colour = "red"


class Order(Struct, forbid_unknown_fields=True):
    number: Annotated[int, Meta(ge=1, le=50)]
    part: Annotated[float, Meta(ge=0, le=1)] = 0
    note: Annotated[str, Meta(min_length=1, max_length=5)] | None = None
    lines: Annotated[list[Line], Meta(max_length=2)] = []
    at: Annotated[datetime, Meta(tz=True)] | None = None


def told(body: str) -> tuple[str, str]:
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.json.decode(body, type=Order)
    return field_error(
        str(refused.value),
        patterns={CODE: "A code is small letters"},
        known={"colour": get_args(Colour)},
    )


@pytest.mark.parametrize(
    ("body", "pointer", "detail"),
    [
        ("{}", "/number", "This field is required."),
        ('{"number": "5"}', "/number", "This must be a whole number; it is text."),
        ('{"number": 1.5}', "/number", "This must be a whole number; it is fractional."),
        ('{"number": 51}', "/number", "This must be 50 or less."),
        ('{"number": 0}', "/number", "This must be 1 or more."),
        ('{"number": 1, "part": 2}', "/part", "This must be 1 or less."),
        ('{"number": 1, "note": ""}', "/note", "This must have at least 1 character."),
        ('{"number": 1, "note": "abcdef"}', "/note", "This must have at most 5 characters."),
        ('{"number": 1, "note": 2}', "/note", "This must be text or null; it is a whole number."),
        ('{"number": 1, "lines": [{}, {}, {}]}', "/lines", "This must have at most 2 entries."),
        (
            '{"number": 1, "lines": [5]}',
            "/lines/0",
            "This must be an object; it is a whole number.",
        ),
        ('{"number": 1, "lines": [{"code": "A"}]}', "/lines/0/code", "A code is small letters."),
        (
            '{"number": 1, "lines": [{"colour": "blue"}]}',
            "/lines/0/colour",
            "“blue” is not known here. Known: red, green.",
        ),
        (
            '{"number": 1, "at": "noon"}',
            "/at",
            "A time is written with its zone, as 2026-11-22T09:30:00Z.",
        ),
        (
            '{"number": 1, "at": "2026-11-22T09:30:00"}',
            "/at",
            "A time is written with its zone, as 2026-11-22T09:30:00Z.",
        ),
        ('{"number": 1, "a/b~c": 1}', "/a~1b~0c", "There is no field “a/b~c”."),
        ('{"number": 1, "a\\nb": 1}', "/a\nb", "There is no field “a\nb”."),
        ("[]", "", "This must be an object; it is a list."),
    ],
)
def test_what_does_not_fit_is_told_by_its_place_and_in_plain_words(body, pointer, detail):
    assert told(body) == (pointer, detail)


def test_what_was_sent_is_repeated_no_further_than_it_helps():
    _, detail = told(f'{{"number": 1, "{"x" * 5000}": 1}}')

    assert detail == f"There is no field “{'x' * 60}…”."


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"number": \xff}', "JSON is malformed"),
        (b'{"note": "\xed\xa0\x80"}', "some of its bytes are no UTF-8"),
        (b'{"lines": [{"code": 1e999}]}', "Number out of range."),
        (b'{"lines": ' + b"[" * 50_000, "it is nested too deeply"),
    ],
)
def test_a_body_that_is_no_json_says_why(body, why):
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError, RecursionError)) as broken:
        msgspec.json.decode(body)

    assert f"not JSON in UTF-8: {why}" in not_json(broken.value).detail
