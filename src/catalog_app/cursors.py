"""Opaque cursors: where a page of one particular list ended."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b

import msgspec

from catalog_app.search.matching import Wanted
from catalog_app.search.ordering import Place

SHORTEST = 36  # the digest alone, packed
LONGEST = 1000
_SORTED_BY_TEXT = ("title", "-title")
_TextPlace = tuple[str, str, str]
_NumberPlace = tuple[str, int, str]


class Foreign(Exception):
    """The cursor is not one of this list: malformed, or made for another query."""


def encode(place: Place, *, wanted: Wanted, sort: str) -> str:
    """The cursor of the page behind `place`."""
    packed = msgspec.json.encode((_digest(wanted, sort), *place))
    return urlsafe_b64encode(packed).rstrip(b"=").decode()


def decode(cursor: str, *, wanted: Wanted, sort: str) -> Place:
    """Where the page begins. Raises: Foreign."""
    shape = _TextPlace if sort in _SORTED_BY_TEXT else _NumberPlace
    try:
        packed = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        digest, key, product_id = msgspec.json.decode(packed, type=shape)
    except (binascii.Error, ValueError, msgspec.DecodeError) as malformed:
        raise Foreign("not a cursor") from malformed
    if digest != _digest(wanted, sort):
        raise Foreign("made for another query")
    return Place(key, product_id)


def _digest(wanted: Wanted, sort: str) -> str:
    return blake2b(repr((wanted, sort)).encode(), digest_size=9).hexdigest()
