"""How ids that a sender chose become numbers that tell nothing.

A session id is hashed with the key of the day on which the event happened (BLAKE2b, RFC 7693,
keyed): the same session of one day is one number, and once the key is destroyed nobody, we
included, can tell whether a given id was there.
"""

from datetime import UTC, date, datetime
from hashlib import blake2b


def day_of(moment: datetime) -> date:
    """The UTC day whose key hashes what happened at `moment`."""
    return moment.astimezone(UTC).date()


def session_hash(session_id: str, *, key: bytes) -> int:
    """A signed 64-bit number, as PostgreSQL's bigint holds it."""
    digest = blake2b(session_id.encode(), digest_size=8, key=key, person=b"session")
    return int.from_bytes(digest.digest(), "big", signed=True)


def event_digest(event_name: str, *, key: bytes) -> str:
    """The 128 bits, as hexadecimal digits, by which a repeated event is known again."""
    return blake2b(event_name.encode(), digest_size=16, key=key).hexdigest()
