import numpy as np

from reco_app.engine.content import Features, undescribed
from reco_app.engine.index import EVENT_TYPES, Log
from reco_app.engine.rank import SOURCES, ContextItem, rank
from reco_app.engine.substitutes import substitutes
from tests.reco_app.engine.logs import log_of, model_of, sessions_of

NOBODY = np.zeros(4, np.float32)
# Products 0 and 3 share a word; 1 and 2 have one each.
TWO_MILKS = Features(
    np.arange(5, dtype=np.int64), np.array([0, 1, 2, 0], np.int32), np.zeros(3, np.uint8)
)


def _log(rows: list[tuple[int, int, str]]) -> Log:
    session, item, kind = zip(*rows, strict=True)
    return Log(
        np.array(session, np.int64),
        np.array(item, np.int32),
        np.array([EVENT_TYPES.index(name) for name in kind], np.uint8),
        np.arange(len(rows), dtype=np.float64),
    )


def _row(found, item: int) -> list[int]:
    return found.rows.items[found.rows.start[item] : found.rows.start[item + 1]].tolist()


def test_a_log_of_purchases_gives_the_alike_and_not_the_bought_together():
    baskets = sessions_of(log_of([[0, 1]] * 9, event_type="purchase"))

    found = substitutes(baskets, TWO_MILKS, NOBODY)

    assert _row(found, 0) == [3]
    assert found.viewed.tolist() == [0, 0]


def test_what_is_looked_at_together_joins_the_alike():
    found = substitutes(sessions_of(log_of([[0, 1]] * 9)), TWO_MILKS, NOBODY)

    assert sorted(_row(found, 0)) == [1, 3]
    assert found.viewed[np.flatnonzero(found.rows.items[:2] == 1)].tolist() == [1]


def test_what_is_bought_but_not_looked_at_together_completes_instead():
    bought = [(session, item, "purchase") for session in range(9) for item in (0, 3)]
    viewed = [(session, item, "view") for session in range(9, 18) for item in (1, 2)]

    plain = substitutes(sessions_of(_log(viewed)), TWO_MILKS, NOBODY)
    suppressed = substitutes(sessions_of(_log(bought + viewed)), TWO_MILKS, NOBODY)

    assert suppressed.rows.weights[0] < plain.rows.weights[0]


def test_without_views_or_descriptions_what_shares_sessions_is_all_there_is():
    baskets = sessions_of(log_of([[0, 1]] * 9, event_type="purchase"))

    assert _row(substitutes(baskets, undescribed(4), NOBODY), 0) == [1]


def test_the_source_tells_what_was_looked_at_from_what_is_alike():
    model = model_of(log_of([[0, 1]] * 3), 3)
    ranked = rank(
        model, [ContextItem(0)], scenario="similar", mask=np.array([0, 1, 0], np.uint8), count=1
    )

    assert SOURCES[ranked.sources[0]] == "session"
