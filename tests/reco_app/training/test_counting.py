from collections import defaultdict

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from reco_app.engine.index import Log
from reco_app.training import counting, dataset, duck
from reco_app.training.counting import Part
from tests.reco_app.engine.logs import log_of, random_log

ITEMS = 12


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1_000))
def test_the_counts_are_those_of_counting_one_by_one(seed: int) -> None:
    log = random_log(seed, sessions=30, items=ITEMS)

    counted = dataset.counted(log, ITEMS)

    assert _told(counted.by_session) == _counted_one_by_one(log)


def test_both_orders_hold_the_same_pairs() -> None:
    counted = dataset.counted(random_log(1, sessions=40, items=ITEMS), ITEMS)
    lengths = np.diff(counted.by_session.start)
    sessions = np.repeat(np.arange(len(lengths)), lengths)
    items = np.repeat(np.arange(ITEMS), np.diff(counted.by_item.start))

    by_session = sorted(
        zip(counted.by_session.items, sessions, counted.by_session.kinds, strict=True)
    )
    by_item = sorted(zip(items, counted.by_item.sessions, counted.by_item.kinds, strict=True))

    assert by_session == by_item


def test_a_session_that_no_shopper_makes_is_left_out() -> None:
    counted = dataset.counted(log_of([[0, 1] * 1001, [2, 3] * 1000]), 4)

    assert counted.by_session.items.tolist() == [2, 3]


def test_events_of_other_types_and_items_are_left_out() -> None:
    events = pa.table(
        {
            "session_hash": [1, 1, 1],
            "item_id": ["a", "a", "gone"],
            "event_type": ["view", "impression", "view"],
            "occurred_at_us": [10, 20, 30],
        }
    )

    count = counting.count(
        lambda text, tables: duck.run(text, {**tables, "events": events}), ["a"], Part()
    )

    assert (count.events, count.span) == (1, (0.00001, 0.00001))
    assert count.counted.by_session.items.tolist() == [0]


def test_a_log_is_parted_at_the_time_its_newest_sessions_began() -> None:
    log = log_of([[0, 1], [1, 2], [2, 3], [3, 0]])
    run, items = dataset.in_memory(log), np.arange(4, dtype=np.int32)

    held = dataset.held_out(run, items, dataset.whole(run, items).began_us, part=0.25)

    assert held.older.by_session.items.tolist() == [0, 1, 1, 2, 2, 3]
    assert held.newer.item.tolist() == [3, 0]
    assert held.older.by_session.at.max() < held.border <= held.newer.at.min()


def _told(by_session: counting.BySession) -> list[list[tuple[int, int, int]]]:
    bounds = zip(by_session.start[:-1], by_session.start[1:], strict=True)
    pairs = list(
        zip(
            by_session.items.tolist(),
            by_session.positions.tolist(),
            by_session.kinds.tolist(),
            strict=True,
        )
    )
    return [pairs[first:last] for first, last in bounds]


def _counted_one_by_one(log: Log) -> list[list[tuple[int, int, int]]]:
    """Each session's items by first occurrence: item, moments before the last one, kinds."""
    events = defaultdict(list)
    for session, item, kind, at in zip(*(column.tolist() for column in log), strict=True):
        if session >= 0:
            events[session].append((at, item, kind))
    told = []
    for session in sorted(events, key=lambda one: (max(events[one])[0], one)):
        moments = sorted({at for at, _, _ in events[session]})
        items = dict.fromkeys(item for _, item, _ in sorted(events[session]))
        told.append(
            [
                (
                    item,
                    max(moments.index(at) for at, other, _ in events[session] if other == item),
                    sum({1 << kind for _, other, kind in events[session] if other == item}),
                )
                for item in items
            ]
        )
    return told
