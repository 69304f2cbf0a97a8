"""How ids that a sender chose become numbers that tell nothing.

A session id is hashed with the key of the day on which the event happened (BLAKE2b, RFC 7693,
keyed): the same session of one day is one number, and once the key is destroyed nobody, we
included, can tell whether a given id was there. The network or API key that events came from is
hashed likewise, with the key of the hour in which they came in.
"""

from datetime import UTC, date, datetime
from hashlib import blake2b


def day_of(moment: datetime) -> date:
    """The UTC day whose key hashes what happened at `moment`."""
    return moment.astimezone(UTC).date()


def hour_of(moment: datetime) -> datetime:
    """The beginning of the UTC hour whose key hashes who sent what came in at `moment`."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def session_hash(session_id: str, *, key: bytes) -> int:
    """A signed 64-bit number, as PostgreSQL's bigint holds it."""
    return _number(session_id, key=key, use=b"session")


def sender_hash(name: str, *, key: bytes) -> int:
    """A signed 64-bit number, likewise."""
    return _number(name, key=key, use=b"sender")


def event_digest(event_name: str, *, key: bytes) -> str:
    """The 128 bits, as hexadecimal digits, by which a repeated event is known again."""
    return blake2b(event_name.encode(), digest_size=16, key=key).hexdigest()


def _number(text: str, *, key: bytes, use: bytes) -> int:
    digest = blake2b(text.encode(), digest_size=8, key=key, person=use)
    return int.from_bytes(digest.digest(), "big", signed=True)
