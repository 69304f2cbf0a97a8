"""What came since a release was trained counts as if it had been trained on, and nothing twice."""

import numpy as np
import pytest

from reco_app.engine.delta import LEAST_SESSIONS, Reader, Recent
from reco_app.engine.index import PURCHASE, Log
from reco_app.engine.kernels import FARTHEST
from reco_app.engine.model import Model
from reco_app.engine.rank import EVIDENCE, ContextItem, drivers, rank
from tests.reco_app.engine.logs import HOUR, NOW, log_of, model_of, random_log

ITEMS = 30
ALL = np.ones(ITEMS, np.uint8)


def recent_of(log: Log) -> Recent:
    """All of a log, whose events were stored in the order of its rows."""
    moments = {
        session: sorted(set(log.at[log.session == session].tolist()))
        for session in set(log.session.tolist())
    }
    grouped: dict[tuple[int, int, int], list] = {}
    alone = 1_000_000
    for number, (session, item, kind, at) in enumerate(zip(*log, strict=True), 1):
        own = moments[session].index(at) if session >= 0 else -1
        alone += 1
        key = (int(session) if session >= 0 else alone, int(item), int(kind))
        row = grouped.setdefault(key, [-1, -np.inf, number])
        row[0], row[1] = max(row[0], own), max(row[1], at)
    rows = [(*key, *row) for key, row in sorted(grouped.items())]
    types = (np.int32, np.int32, np.uint8, np.int32, np.float64, np.int64)
    columns = zip(*rows, strict=True) if rows else [()] * len(types)
    return Recent(*(np.array(column, kind) for column, kind in zip(columns, types, strict=True)))


def part_of(log: Log, first: int, last: int) -> Log:
    return Log(*(column[first:last] for column in log))


def with_newer(log: Log, cut: int, count: int = ITEMS) -> tuple[Model, Model]:
    """A model of the first `cut` events, and the same with all others as its delta."""
    trained = model_of(part_of(log, 0, cut), count)
    delta = Reader(trained).read(recent_of(log), cut=cut, since=NOW, position=len(log.at))
    return trained, trained.with_delta(delta)


def counts_of(model: Model) -> np.ndarray:
    """Items x items x (sessions that bought both, that met both), counted plainly."""
    index = model.index
    bought, met = np.zeros((2, len(index.session_at), ITEMS), np.int64)
    for item in range(ITEMS):
        for place in range(index.item_start[item], index.item_start[item + 1]):
            bought[index.item_sessions[place], item] = (index.item_kinds[place] & PURCHASE) > 0
            met[index.item_sessions[place], item] = (index.item_kinds[place] & ~PURCHASE) > 0
    return np.stack([bought.T @ bought, met.T @ met], axis=-1)


def newer_of(model: Model) -> np.ndarray:
    """The same of a model's delta alone."""
    pairs, counts = model.pairs, np.zeros((ITEMS, ITEMS, 2), np.int64)
    for item in range(ITEMS):
        row = slice(pairs.start[item], pairs.start[item + 1])
        counts[item, pairs.items[row]] = np.stack([pairs.bought[row], pairs.met[row]], axis=-1)
    return counts


def any_of(model: Model) -> np.ndarray:
    """Items x items: sessions that have both, however."""
    index, has = model.index, np.zeros((len(model.index.session_at), ITEMS), np.int64)
    has[np.repeat(np.arange(len(has)), np.diff(index.session_start)), index.session_items] = 1
    return has.T @ has


@pytest.mark.parametrize("seed", range(8))
def test_release_and_delta_count_what_a_training_on_everything_counts(seed):
    log = random_log(seed, sessions=60, items=ITEMS)
    trained, together = with_newer(log, 150)
    whole = model_of(log, ITEMS)
    newer_sessions = any_of(whole) - any_of(trained)
    served = (any_of(trained) > 0) | (newer_sessions >= LEAST_SESSIONS)
    np.einsum("ii->i", served)[:] = False

    counted = counts_of(trained) + newer_of(together)

    expected = np.where(served[..., None], counts_of(whole), counts_of(trained))
    off_diagonal = ~np.eye(ITEMS, dtype=bool)
    assert np.array_equal(counted[off_diagonal], expected[off_diagonal])
    assert not newer_of(together)[~served].any()


@pytest.mark.parametrize("seed", range(8))
def test_release_and_delta_agree_with_a_training_on_everything_about_what_is_popular(seed):
    log = random_log(seed, sessions=60, items=ITEMS)
    _, together = with_newer(log, 150)
    whole = model_of(log, ITEMS)

    assert np.allclose(together.index.popular, whole.index.popular)
    for values, order in (
        (together.index.popular, together.index.popular_order),
        (together.index.trending, together.index.trending_order),
    ):
        assert sorted(order.tolist()) == list(range(ITEMS))
        assert (np.diff(values[order]) <= 0).all()


def test_trends_are_those_of_a_training_on_everything():
    # No session is on both sides of the cut: the end of one that is would be known only roughly.
    log = log_of([[0, 1], [1, 2], [3], [3, 1], [2]])
    _, together = with_newer(log, 4, count=4)

    assert np.allclose(together.index.trending, model_of(log, 4).index.trending)


def test_weights_are_those_of_session_knn():
    log = log_of([[0, 9], *[[3, 1, 2]] * 3, [3, 2]])
    trained, together = with_newer(log, 2)
    settings = trained.parameters.session

    row = slice(together.pairs.start[3], together.pairs.start[4])
    weights = dict(zip(together.pairs.items[row], together.pairs.session_weights[row], strict=True))

    decay = [np.exp(-min(steps, FARTHEST) / settings.distance_decay) for steps in range(3)]
    assert weights[1] == pytest.approx(3 * decay[1] / 3**settings.length_power)
    assert weights[2] == pytest.approx(
        3 * decay[2] / 3**settings.length_power + decay[1] / 2**settings.length_power
    )


@pytest.mark.parametrize(("sessions", "first"), [(2, False), (3, True)])
@pytest.mark.parametrize("scenario", ["session", "basket"])
def test_a_new_pair_is_served_from_its_third_session_on(sessions, first, scenario):
    log = log_of([[0, 1], [2, 3]] * 3 + [[20, 21]] * sessions)
    _, together = with_newer(log, 12)

    ranked = rank(together, [ContextItem(20)], scenario=scenario, mask=_without(20), count=1)

    assert (ranked.items.tolist() == [21]) is first


def test_a_pair_of_the_release_counts_from_its_next_session_on():
    log = log_of([[0, 1], [0, 2], [0, 2], [0, 1], [0, 1]])
    trained, together = with_newer(log, 6)

    before = rank(trained, [ContextItem(0)], scenario="session", mask=_without(0), count=2)
    after = rank(together, [ContextItem(0)], scenario="session", mask=_without(0), count=2)

    assert before.items.tolist() == [2, 1]
    assert after.items.tolist() == [1, 2]
    assert after.shares[:, 0].tolist() == [1.0, 1.0]


def test_what_is_told_is_counted_in_release_and_delta():
    log = log_of([[0, 1]] * 2 + [[0, 1]] * 3)
    _, together = with_newer(log, 4)
    ranked = rank(together, [ContextItem(0)], scenario="session", mask=_without(0), count=1)

    told = drivers(
        together,
        ranked.items,
        [ContextItem(0)],
        ranked.shares,
        scenario="session",
        most=1,
        least=0.0,
    )

    assert ranked.items.tolist() == [1]
    assert [EVIDENCE[place] for place in told.evidence] == ["viewed-together"]
    assert told.sessions == [5]


def test_a_session_on_both_sides_of_the_cut_counts_once():
    log = log_of([[0, 1]] * 4 + [[0, 1, 0, 1]])
    _, together = with_newer(log, 10)  # the last session has met both before the cut

    assert not len(together.pairs.items)


def test_what_is_chosen_now_trends():
    old = log_of([[0]] * 5)
    now = Log(
        *(np.concatenate(part) for part in zip(old, _views_at(NOW + 60, item=7), strict=True))
    )
    trained, together = with_newer(now, 5)

    top = [
        rank(one, [], scenario="trending", mask=ALL, count=1).items[0]
        for one in (trained, together)
    ]

    assert top == [0, 7]


def test_what_trended_longer_ago_than_the_half_life_trends_less():
    days = 24 * HOUR
    log = Log(
        *(
            np.concatenate(part)
            for part in zip(
                log_of([[0]]),
                _views_at(NOW + 1 * days, item=5),
                _views_at(NOW + 7 * days, item=7),
                strict=True,
            )
        )
    )
    _, together = with_newer(log, 1)

    assert together.index.trending[7] == pytest.approx(4 * together.index.trending[5], rel=1e-5)


def test_products_that_the_release_does_not_know_are_passed_over():
    trained = model_of(log_of([[0, 1], [0, 1]]), ITEMS)
    recent = recent_of(log_of([[2, 3]] * 3))
    unknown = recent._replace(item=np.where(recent.item == 3, -1, recent.item).astype(np.int32))

    delta = Reader(trained).read(unknown, cut=0, since=NOW, position=6)

    assert not len(delta.pairs.items)
    assert delta.popular[2] == 3


def test_nothing_new_changes_nothing():
    trained, together = with_newer(random_log(3, sessions=40, items=ITEMS), 160)

    assert together.index.popular_order.tolist() == trained.index.popular_order.tolist()
    assert together.release is trained


def _without(item: int) -> np.ndarray:
    mask = ALL.copy()
    mask[item] = 0
    return mask


def _views_at(at: float, *, item: int) -> Log:
    return Log(
        np.arange(100, 110) + item * 1000,
        np.full(10, item, np.int32),
        np.zeros(10, np.uint8),
        np.full(10, at),
    )
