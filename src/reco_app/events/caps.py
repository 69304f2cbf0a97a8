"""How much one network, key or session can count for: what is beyond that is set aside.

All is counted by the hour in which it came in, inside the transaction that stores it, so that no
two of them overlook each other. What is imported is not judged here.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from reco_app.events import heard, quarantine, store
from reco_app.events.heard import LEARNED
from reco_app.events.quarantine import Reason, Verdict
from reco_app.events.senders import Sender
from reco_app.events.store import StoredEvent
from reco_app.settings import current

EVENTS_A_SESSION = 10  # of a network on average, and impressions come several a page
KEY_EVENTS = 1_000_000  # of one key: a shop's backend speaks for all of its shoppers
BURST_SHARE = 0.25  # of a network's sessions: what a shop sells best is far below that
# Sessions of one product that hide among others of their network get no further than this.
BURST_TIMES = 4  # as many as are no burst in any case
MOST_LOOKED_AT = 60  # different products a minute: nobody opens a page every second for as long
MOST_OF_A_SESSION = 2000  # events but impressions: training leaves longer sessions out as well


class Sorted(NamedTuple):
    """What counts, and what is set aside, each with its case."""

    kept: list[StoredEvent]
    held: list[tuple[int, StoredEvent]]


Sent = Sequence[tuple[Sender, StoredEvent]]


def sorted_out(sent: Sent, *, now: datetime) -> Sorted:
    """Part what came in into what counts and what does not; nothing is stored of either here.

    What is stored already of a burst that only now becomes one is set aside as well.
    """
    sessions = _sessions(event for _, event in sent)
    known = quarantine.held_sessions(sessions) if sessions else {}
    cases = {
        event.event_id: known[event.session_hash]
        for _, event in sent
        if event.session_hash is not None and event.session_hash in known
    }
    cases |= _beyond_keys([one for one in sent if one[0].keyed], now=now)
    cases |= _beyond_networks([one for one in sent if not one[0].keyed], now=now)
    events = [event for _, event in sent]
    return Sorted(
        [event for event in events if event.event_id not in cases],
        [(cases[event.event_id], event) for event in events if event.event_id in cases],
    )


def look_back(sent: Sent, *, now: datetime) -> set[int]:
    """Set whole sessions aside that no person can have had; returns those.

    To be called when what came in of them is stored.
    """
    sender_of = {event.session_hash: sender for sender, event in sent}
    told = store.impossible_sessions(
        _sessions(event for _, event in sent),
        moments={event.occurred_at for _, event in sent},
        looked_at=MOST_LOOKED_AT,
        events=MOST_OF_A_SESSION,
    )
    impossible = dict(told)
    if impossible:
        for session in quarantine.released_sessions(impossible):
            del impossible[session]
    for session, too_fast in impossible.items():
        reason = Reason.TOO_FAST if too_fast else Reason.TOO_LONG
        number, _ = quarantine.case(sender_of[session].hash, reason, now=now)
        quarantine.move_sessions([session], into=number, now=now)
    return set(impossible)


def _beyond_keys(sent: Sent, *, now: datetime) -> dict[str, int]:
    by_key = _by_sender(sent)
    if not by_key:
        return {}
    before = heard.tallies(by_key)
    cases: dict[str, int] = {}
    for sender, events in by_key.items():
        room = max(0, KEY_EVENTS - before.get(sender, 0))
        cases |= _held(sender, Reason.KEY_EVENTS, events[room:], now=now)
    heard.add_tallies({sender: len(events) for sender, events in by_key.items()}, now=now)
    return cases


def _beyond_networks(sent: Sent, *, now: datetime) -> dict[str, int]:
    limits = current()
    by_network = _by_sender(sent)
    if not by_network:
        return {}
    before = heard.counts(by_network)
    most = limits.network_sessions_per_hour * EVENTS_A_SESSION
    cases: dict[str, int] = {}
    for sender, events in by_network.items():
        room = max(0, most - before.get(sender, 0))
        heard.record([(sender, event) for event in events[:room]], now=now)
        cases |= _held(sender, Reason.NETWORK_EVENTS, events[room:], now=now)
    harmless = min(limits.network_sessions_per_hour, limits.network_product_sessions_per_hour)
    large = {
        sender: events
        for sender, events in by_network.items()
        if before.get(sender, 0) + len(events) > harmless
    }
    return cases | _late(large, now=now) | _bursts(large, now=now)


def _late(by_network: Mapping[int, list[StoredEvent]], *, now: datetime) -> dict[str, int]:
    """Events of sessions that came when their network had used up its own."""
    sessions = _sessions(event for events in by_network.values() for event in events)
    late = heard.late_sessions(by_network, sessions, after=current().network_sessions_per_hour)
    cases: dict[str, int] = {}
    for sender, session in late:
        events = [event for event in by_network.get(sender, ()) if event.session_hash == session]
        cases |= _held(sender, Reason.NETWORK_SESSIONS, events, now=now)
    return cases


def _bursts(by_network: Mapping[int, list[StoredEvent]], *, now: datetime) -> dict[str, int]:
    """Events of sessions that are part of a burst, and those without a session that are."""
    asked = {
        (sender, event.item_id)
        for sender, events in by_network.items()
        for event in events
        if event.event_type in LEARNED
    }
    verdicts = quarantine.bursts(by_network)
    allowed = current().network_product_sessions_per_hour
    found = heard.bursts(asked, more_than=allowed, share=BURST_SHARE, most=BURST_TIMES * allowed)
    cases: dict[str, int] = {}
    for sender, item_id in {*found, *verdicts}:
        if verdicts.get((sender, item_id)) != Verdict.RELEASED:
            cases |= _burst(sender, item_id, by_network[sender], now=now)
    return cases


def _burst(
    sender: int, item_id: str, events: Sequence[StoredEvent], *, now: datetime
) -> dict[str, int]:
    of_item = heard.of_item(sender, item_id)
    number, opened = quarantine.case(sender, Reason.BURST, item_id, now=now)
    taking_part = [
        event
        for event in events
        if event.session_hash in of_item.sessions
        or (event.session_hash is None and event.item_id == item_id)
    ]
    moved = of_item.sessions if opened else _sessions(taking_part)
    quarantine.move_sessions(moved, into=number, now=now)
    if opened:
        quarantine.move_alone(of_item.alone, into=number)
    return {event.event_id: number for event in taking_part}


def _held(
    sender: int, reason: Reason, events: Sequence[StoredEvent], *, now: datetime
) -> dict[str, int]:
    if not events:
        return {}
    number, _ = quarantine.case(sender, reason, now=now)
    return {event.event_id: number for event in events}


def _by_sender(sent: Sent) -> dict[int, list[StoredEvent]]:
    by_sender: dict[int, list[StoredEvent]] = defaultdict(list)
    for sender, event in sent:
        by_sender[sender.hash].append(event)
    return by_sender


def _sessions(events: Iterable[StoredEvent]) -> set[int]:
    return {event.session_hash for event in events if event.session_hash is not None}
