"""From bytes to a batch of events, with errors that point at the field."""

import msgspec

from reco_app.events.contracts import ITEM_ID, MONEY, RECOMMENDATION_ID, Batch
from runtime import json_bodies
from runtime.problems import Problem

_PATTERNS = {
    ITEM_ID: "An item id is 1 to 64 characters of A-Z a-z 0-9 . _ ~ -",
    MONEY: 'A price is a decimal string, such as "10.95"',
    RECOMMENDATION_ID: "A recommendation id is sent back exactly as it was answered",
}
_decoder = msgspec.json.Decoder(Batch)


def read_batch(body: bytes) -> Batch:
    """Raises Problem: malformed-json (400) or invalid-fields (422) with a JSON pointer."""
    try:
        try:
            return _decoder.decode(body)
        except msgspec.ValidationError as error:
            msgspec.json.decode(body)  # a field at fault in what breaks off later is no JSON
            found = json_bodies.field_error(str(error), patterns=_PATTERNS, known={})
            raise Problem("invalid-fields", found.detail, errors=[found]) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise json_bodies.not_json(error) from error
