import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reco_app.engine.index import EVENT_TYPES
from reco_app.engine.model import Model
from reco_app.engine.rank import EVIDENCE, SCENARIOS, SOURCES, ContextItem, drivers, rank
from reco_app.engine.tiers import LEAST
from tests.reco_app.engine.logs import HOUR, log_of, model_of, random_log

ITEMS = 40
MODEL = model_of(random_log(7, sessions=120, items=30), ITEMS)  # ten items have no events
ALL = np.ones(ITEMS, np.uint8)

contexts = st.lists(
    st.builds(
        ContextItem,
        st.integers(0, ITEMS - 1),
        st.integers(0, len(EVENT_TYPES) - 1),
        st.integers(1, 1000),
        st.floats(0, 1e9),
    ),
    max_size=70,
)
masks = st.lists(st.booleans(), min_size=ITEMS, max_size=ITEMS).map(
    lambda bits: np.array(bits, np.uint8)
)
scenarios = st.sampled_from(SCENARIOS)
counts = st.integers(0, ITEMS + 5)


@settings(max_examples=300, deadline=None)
@given(contexts, masks, scenarios, counts)
def test_a_list_is_full_distinct_and_keeps_to_the_mask(context, mask, scenario, count):
    ranked = rank(MODEL, context, scenario=scenario, mask=mask, count=count)

    assert len(ranked.items) == min(count, mask.sum())
    assert len(set(ranked.items.tolist())) == len(ranked.items)
    assert mask[ranked.items].all()


@settings(max_examples=200, deadline=None)
@given(contexts, masks, scenarios, counts, counts)
def test_a_shorter_list_is_the_beginning_of_a_longer_one(context, mask, scenario, one, other):
    shorter, longer = sorted((one, other))
    short = rank(MODEL, context, scenario=scenario, mask=mask, count=shorter)
    long = rank(MODEL, context, scenario=scenario, mask=mask, count=longer)

    assert long.items[: len(short.items)].tolist() == short.items.tolist()
    assert long.scores[: len(short.items)].tolist() == short.scores.tolist()


@settings(max_examples=200, deadline=None)
@given(contexts, masks, scenarios)
def test_scores_never_rise_and_shares_sum_to_one_or_nothing(context, mask, scenario):
    ranked = rank(MODEL, context, scenario=scenario, mask=mask, count=ITEMS)
    sums = ranked.shares.sum(axis=1)

    assert np.all(np.diff(ranked.scores) <= 0)
    assert np.all((ranked.scores >= 0) & (ranked.scores <= 1))
    assert ranked.shares.shape == (len(ranked.items), len(context))
    assert np.all((np.abs(sums - 1) < 1e-4) | (sums == 0))


@settings(max_examples=100, deadline=None)
@given(contexts, scenarios)
def test_ranking_leaves_no_trace_in_the_scratch(context, scenario):
    before = rank(MODEL, [ContextItem(3)], scenario="session", mask=ALL, count=ITEMS)
    rank(MODEL, context, scenario=scenario, mask=ALL, count=5)
    after = rank(MODEL, [ContextItem(3)], scenario="session", mask=ALL, count=ITEMS)

    assert before.items.tolist() == after.items.tolist()
    assert before.scores.tolist() == after.scores.tolist()


@settings(max_examples=100, deadline=None)
@given(contexts, st.randoms())
def test_the_order_of_a_basket_does_not_matter(context, random):
    shuffled = list(context)
    random.shuffle(shuffled)
    one = rank(MODEL, context, scenario="basket", mask=ALL, count=5)
    other = rank(MODEL, shuffled, scenario="basket", mask=ALL, count=5)

    basket = SOURCES.index("basket")
    assert np.allclose(one.scores[one.sources == basket], other.scores[other.sources == basket])


def _first(sessions, context, *, scenario="session", event_type="view"):
    model = model_of(log_of(sessions, event_type=event_type), 8, categories=8)
    mask = np.ones(8, np.uint8)
    mask[[entry.item for entry in context]] = 0
    return rank(model, context, scenario=scenario, mask=mask, count=1).items[0]


SESSIONS = [[0, 1], [2, 3]] * 3


def test_the_newer_view_leads():
    assert _first(SESSIONS, [ContextItem(0), ContextItem(2)]) == 3
    assert _first(SESSIONS, [ContextItem(2), ContextItem(0)]) == 1


def test_a_purchase_outweighs_a_view():
    seen = [ContextItem(0, EVENT_TYPES.index("purchase")), ContextItem(2, age_seconds=0)]

    assert _first(SESSIONS, seen, scenario="basket", event_type="purchase") == 1


def test_a_larger_quantity_outweighs_a_smaller_one():
    assert _first(SESSIONS, [ContextItem(0, 3, 9), ContextItem(2, 3, 1)], scenario="basket") == 1
    assert _first(SESSIONS, [ContextItem(0, 3, 1), ContextItem(2, 3, 9)], scenario="basket") == 3


def test_an_older_item_counts_less():
    old, new = 72 * HOUR, 60.0

    assert _first(SESSIONS, [ContextItem(0, 0, 1, new), ContextItem(2, 0, 1, old)]) == 1


def test_the_item_that_drove_a_result_has_the_share():
    model = model_of(log_of(SESSIONS), 8)
    ranked = rank(
        model,
        [ContextItem(0), ContextItem(2)],
        scenario="session",
        mask=np.array([0, 1, 0, 1, 0, 0, 0, 0], np.uint8),
        count=2,
    )

    assert ranked.items.tolist() == [3, 1]
    assert np.allclose(ranked.shares, [[0, 1], [1, 0]], atol=1e-6)


def test_without_context_what_is_trending_comes():
    ranked = rank(MODEL, [], scenario="session", mask=ALL, count=3)

    assert ranked.items.tolist() == MODEL.index.trending_order[:3].tolist()
    assert {SOURCES[source] for source in ranked.sources} == {"trending"}


def test_what_nobody_chose_is_not_told_as_trending():
    ranked = rank(MODEL, [], scenario="trending", mask=ALL, count=ITEMS)
    trending = {item for item, source in zip(ranked.items.tolist(), ranked.sources, strict=True)
                if SOURCES[source] == "trending"}  # fmt: skip

    assert trending == set(np.flatnonzero(MODEL.index.trending > 0).tolist())
    assert 0 < len(trending) < ITEMS == len(ranked.items)


@pytest.mark.parametrize("scenario", ["trending", "popular", "new"])
def test_what_nobody_chose_has_a_score_that_rules_can_raise(scenario):
    ranked = rank(MODEL, [], scenario=scenario, mask=ALL, count=ITEMS)

    assert ranked.scores.min() > 0


def test_a_date_far_ahead_of_what_may_not_be_shown_leaves_the_scores_of_the_new_apart():
    published_at = MODEL.index.published_at.copy()
    published_at[:4] = [4.0e9, 1.7e9, 1.7e9 - 30 * 86_400, 0.0]
    order = np.argsort(-published_at, kind="stable").astype(np.int32)
    index = MODEL.index._replace(published_at=published_at, new_order=order)
    model = Model(index, MODEL.item_ids, MODEL.parameters, MODEL.manifest)
    mask = np.zeros(ITEMS, np.uint8)
    mask[1:4] = 1
    ranked = rank(model, [], scenario="new", mask=mask, count=3)

    assert ranked.items.tolist() == [1, 2, 3]
    assert ranked.scores.tolist() == [1.0, 0.5, LEAST]


def test_an_unknown_scenario_is_an_error():
    with pytest.raises(KeyError):
        rank(MODEL, [], scenario="nonsense", mask=ALL, count=3)


def test_evidence_is_what_a_brute_force_count_finds():
    log = random_log(11, sessions=120, items=15)
    model = model_of(log, 15)
    bought, viewed = {}, {}
    for session, item, kind in zip(log.session, log.item, log.event_type, strict=True):
        if session >= 0:
            counted = bought if EVENT_TYPES[kind] == "purchase" else viewed
            counted.setdefault(int(item), set()).add(int(session))

    everything = [ContextItem(item) for item in range(15)]
    for _ in range(2):  # counted, and then remembered
        for item, other, told in _told(model, list(range(15)), everything, "basket"):
            together = len(bought.get(item, set()) & bought.get(other, set()))
            seen = len(viewed.get(item, set()) & viewed.get(other, set()))
            expected = ("viewed-together", seen) if seen >= 3 else ("similar", 0)
            assert told == (("bought-together", together) if together >= 3 else expected)


def _told(model, items, context, scenario):
    """Each item with each context item, and what is told of the two."""
    shares = np.full((len(items), len(context)), 1 / len(context), np.float32)
    found = drivers(
        model,
        np.array(items, np.int32),
        context,
        shares,
        scenario=scenario,
        most=len(context),
        least=0.0,
    )
    told = [
        (items[row], cause, (EVIDENCE[evidence], sessions))
        for row, cause, evidence, sessions, _ in zip(*found, strict=True)
    ]
    assert len(told) == len(items) * len(context)
    return told


def test_the_strongest_drivers_come_first_and_weak_ones_not_at_all():
    shares = np.array([[0.2, 0.5, 0.3, 0.0], [0.04, 0.96, 0.0, 0.0], [0, 0, 0, 0]], np.float32)
    items = np.array([20, 21, 22], np.int32)
    context = [ContextItem(item) for item in (10, 11, 12, 13)]
    found = drivers(MODEL, items, context, shares, scenario="session", most=2, least=0.05)
    assert found.rows == [0, 0, 1]
    assert found.causes == [11, 12, 11]
    assert found.shares == [0.5, 0.3, 0.96]


def test_of_many_that_drove_a_result_alike_one_is_told():
    context = [ContextItem(item) for item in range(30)]
    shares = np.full((1, 30), 1 / 30, np.float32)
    items = np.array([35], np.int32)
    found = drivers(MODEL, items, context, shares, scenario="basket", most=3, least=0.05)
    assert found.causes == [0]


def test_what_was_only_bought_together_is_no_evidence_of_a_substitute():
    model = model_of(log_of([[0, 1]] * 3, event_type="purchase"), 4)

    assert _told(model, [0], [ContextItem(1)], "session") == [(0, 1, ("bought-together", 3))]
    assert _told(model, [0], [ContextItem(1)], "similar") == [(0, 1, ("similar", 0))]


def test_two_sessions_are_no_evidence():
    model = model_of(log_of([[0, 1]] * 2 + [[0, 2]] * 3, event_type="purchase"), 4)

    assert _told(model, [0], [ContextItem(1)], "basket") == [(0, 1, ("similar", 0))]
    assert _told(model, [0], [ContextItem(2)], "basket") == [(0, 2, ("bought-together", 3))]


def test_a_basket_is_rather_completed_than_doubled():
    model = model_of(log_of([[0, 1], [0, 3]] * 3, event_type="purchase"), 6)
    ranked = rank(model, [ContextItem(0, 3)], scenario="basket", mask=ALL[:6], count=2)

    assert ranked.items.tolist() == [1, 3]
    assert model.index.category[3] == model.index.category[0]
    assert ranked.scores[0] > ranked.scores[1]
