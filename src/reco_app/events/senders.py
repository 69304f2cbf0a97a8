"""Who sends: networks and the holders of API keys, known for an hour by a hash."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from reco_app.events import hash_keys, heard, quarantine
from reco_app.events.anonymity import sender_hash


class Sender(NamedTuple):
    """A network or the holder of an API key, as a hash that lives an hour."""

    hash: int
    keyed: bool


class Origin(NamedTuple):
    """Who sends, by name: it is hashed before it is stored or queued."""

    name: str
    keyed: bool

    def hashed(self, key: bytes) -> Sender:
        return Sender(sender_hash(self.name, key=key), self.keyed)


def keys_of(hours: Collection[datetime]) -> dict[datetime, bytes]:
    """The keys of these hours, made where one has none; the older ones are destroyed then."""
    found = hash_keys.sender_keys(hours)
    if missing := set(hours) - set(found):
        hash_keys.make_sender_keys(missing)
        forget_before(min(hours))
        found = hash_keys.sender_keys(hours)
    return found


def forget_before(hour: datetime) -> None:
    """Destroy the keys of the hours before, and what was counted by them."""
    if hash_keys.destroy_sender_keys(hour):
        heard.forget_before(hour)
        quarantine.forget_senders(hour)
