"""From bytes to a request, with errors that point at the field and say what would be right."""

import re
from typing import Any, TypeVar

import msgspec

from reco_app.serving import contracts
from runtime.problems import FieldError, Problem

Shape = TypeVar("Shape", bound=msgspec.Struct)
_PLACE = re.compile(r" - at `\$(?P<path>.*)`$")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<field>.*)`$", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<field>.*)`$")
_NAMED_PATTERNS = {
    contracts.ITEM_ID_PATTERN: "An item id is 1 to 64 characters of A-Z a-z 0-9 . _ ~ -",
    contracts.DECIMAL_PATTERN: 'An amount is a decimal string, such as "2.95"',
    contracts.SLUG_PATTERN: "A slug is 1 to 50 characters of A-Z a-z 0-9 _ -",
}


def decode(body: bytes, *, shape: type[Shape]) -> Shape:
    """Raises Problem: malformed-json (400) or invalid-fields (422) with a JSON pointer."""
    try:
        try:
            return msgspec.json.decode(body, type=shape)
        except msgspec.ValidationError as error:
            msgspec.json.decode(body)  # a field at fault in what breaks off later is no JSON
            raise invalid(field_error(str(error))) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Problem("malformed-json", f"The body is not JSON in UTF-8: {error}.") from error
    except RecursionError as error:
        raise Problem("malformed-json", "The body is nested too deeply.") from error


def convert(value: Any, *, shape: type[Shape]) -> Shape:
    """The same for values that were parsed already, as placements' filters are."""
    try:
        return msgspec.convert(value, type=shape)
    except msgspec.ValidationError as error:
        raise invalid(field_error(str(error))) from error


def invalid(*errors: FieldError) -> Problem:
    return Problem("invalid-fields", errors[0].detail, errors=errors)


def field_error(message: str) -> FieldError:
    """Turn msgspec's words, "… - at `$.items[3].event_type`", into a pointer and a sentence."""
    place = _PLACE.search(message)
    pointer = _pointer(place["path"]) if place else ""
    said = message[: place.start()] if place else message
    if unknown := _UNKNOWN.match(said):
        field = unknown["field"]
        return FieldError(f"{pointer}/{_escaped(field)}", f"There is no field “{field}”.")
    if missing := _MISSING.match(said):
        return FieldError(f"{pointer}/{missing['field']}", "This field is required.")
    for pattern, words in _NAMED_PATTERNS.items():
        if repr(pattern) in said:
            return FieldError(pointer, f"{words}.")
    return FieldError(pointer, f"{said.replace('`', '')}.")


def _pointer(path: str) -> str:
    """`.items[3].event_type` → `/items/3/event_type`; our names need no escaping."""
    return re.sub(r"\[(\d+)\]", r"/\1", path).replace(".", "/")


def _escaped(field: str) -> str:
    return field.replace("~", "~0").replace("/", "~1")
