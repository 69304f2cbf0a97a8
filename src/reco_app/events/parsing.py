"""From bytes to a batch of events, with errors that point at the field."""

import re

import msgspec

from reco_app.events.contracts import ITEM_ID, MONEY, RECOMMENDATION_ID, Batch
from runtime.problems import FieldError, Problem

_PLACE = re.compile(r" - at `\$(?P<path>.*)`$")
_FIELD = re.compile(r"Object (?P<fault>missing required|contains unknown) field `(?P<field>.*)`$")
_WORDS = {
    "missing required": "This field is required.",
    "contains unknown": "There is no such field.",
}
_PATTERNS = {
    ITEM_ID: "An item id is 1 to 64 characters of A-Z a-z 0-9 . _ ~ -",
    MONEY: 'A price is a decimal string, such as "10.95".',
    RECOMMENDATION_ID: "A recommendation id is sent back exactly as it was answered.",
}
_decoder = msgspec.json.Decoder(Batch)


def read_batch(body: bytes) -> Batch:
    """Raises Problem: malformed-json (400) or invalid-fields (422) with a JSON pointer."""
    try:
        try:
            return _decoder.decode(body)
        except msgspec.ValidationError as error:
            msgspec.json.decode(body)  # a field at fault in what breaks off later is no JSON
            found = _field_error(str(error))
            raise Problem("invalid-fields", found.detail, errors=[found]) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem("malformed-json", f"The body is not JSON in UTF-8: {error}.") from error


def _field_error(message: str) -> FieldError:
    """Turn msgspec's words, "… - at `$.events[3].price`", into a JSON pointer and a sentence."""
    place = _PLACE.search(message)
    said = message[: place.start()] if place else message
    path = re.sub(r"\[(\d+)\]", r"/\1", place["path"]).replace(".", "/") if place else ""
    if field := _FIELD.match(said):
        name = field["field"].replace("~", "~0").replace("/", "~1")
        return FieldError(f"{path}/{name}", _WORDS[field["fault"]])
    for pattern, words in _PATTERNS.items():
        if repr(pattern) in said:
            return FieldError(path, words)
    return FieldError(path, f"{said.replace('`', '')}.")
