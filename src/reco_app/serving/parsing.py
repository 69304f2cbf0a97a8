"""From bytes to a request, with errors that point at the field and say what would be right."""

from typing import Any, TypeVar, get_args

import msgspec

from reco_app.serving import contracts
from runtime import json_bodies
from runtime.problems import FieldError, Problem

Shape = TypeVar("Shape", bound=msgspec.Struct)
_PATTERNS = {
    contracts.ITEM_ID_PATTERN: "An item id is 1 to 64 characters of A-Z a-z 0-9 . _ ~ -",
    contracts.DECIMAL_PATTERN: 'An amount is a decimal string, such as "2.95"',
    contracts.SLUG_PATTERN: "A slug is 1 to 50 characters of A-Z a-z 0-9 _ -",
}
_KNOWN = {
    "event_type": get_args(contracts.EventType),
    "fields": get_args(contracts.CardField),
}


def decoded(body: bytes, *, shape: type[Shape]) -> Shape | None:
    """None for what `decode` would raise for, or read again."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def decode(body: bytes, *, shape: type[Shape]) -> Shape:
    """Raises Problem: malformed-json (400) or invalid-fields (422) with a JSON pointer."""
    try:
        try:
            return msgspec.json.decode(body, type=shape)
        except msgspec.ValidationError:
            # A field at fault in what breaks off later is no JSON; 12.0 is a whole number.
            return convert(_whole(msgspec.json.decode(body)), shape=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise json_bodies.not_json(error) from error


def _whole(value: Any) -> Any:
    """The same with whole numbers as such, however they were written (JSON Schema, 6.1.1)."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _whole(entry) for name, entry in value.items()}
    return [_whole(entry) for entry in value] if isinstance(value, list) else value


def convert(value: Any, *, shape: type[Shape]) -> Shape:
    """The same for values that were parsed already, as placements' filters are."""
    try:
        return msgspec.convert(value, type=shape)
    except msgspec.ValidationError as error:
        raise invalid(field_error(str(error))) from error


def invalid(*errors: FieldError) -> Problem:
    return Problem("invalid-fields", errors[0].detail, errors=errors)


def field_error(message: str) -> FieldError:
    """msgspec's words as a pointer and a sentence."""
    return json_bodies.field_error(message, patterns=_PATTERNS, known=_KNOWN)
