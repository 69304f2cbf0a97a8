"""The compiled loops that make pairs of items from the newest sessions."""

# Compiled code has types of its own, which mypy cannot see.
# mypy: disable-error-code="no-untyped-def"

import numpy as np
from numba import njit

from reco_app.engine.kernels import FARTHEST
from reco_app.engine.together import BOUGHT, MET, are_together

NEVER = np.int64(2**62)
ANY = 4  # beside BOUGHT and MET: both occurred, however


@njit(cache=True, nogil=True)
def merged(recent, purchase):
    """One row for each session and item: session, item, position, kinds, and when it was first
    bought and first met otherwise, as numbers of events."""
    rows = len(recent.item)
    session, item = np.empty(rows, np.int32), np.empty(rows, np.int32)
    position, kinds = np.empty(rows, np.int32), np.zeros(rows, np.uint8)
    bought, met = np.full(rows, NEVER), np.full(rows, NEVER)
    last = -1
    for row in range(rows):
        if recent.item[row] < 0 or recent.position[row] < 0:
            continue
        if last < 0 or session[last] != recent.session[row] or item[last] != recent.item[row]:
            last += 1
            session[last], item[last] = recent.session[row], recent.item[row]
            position[last] = 0
        position[last] = max(position[last], recent.position[row])
        kinds[last] |= np.uint8(1) << recent.kind[row]
        if recent.kind[row] == purchase:
            bought[last] = min(bought[last], recent.number[row])
        else:
            met[last] = min(met[last], recent.number[row])
    end = last + 1
    return session[:end], item[:end], position[:end], kinds[:end], bought[:end], met[:end]


@njit(cache=True, nogil=True)
def pairs_of(rows, items, cut, settings, most):
    """Pairs of items of one session of which one came after the cut, the newest sessions first.

    Returns for each its key (the lower item x items + the higher), weight, and ways as bits.
    """
    session, item, position, _, bought, met = rows
    keys, weights = np.empty(most, np.int64), np.empty(most, np.float32)
    ways = np.empty(most, np.uint8)
    found = 0
    last = len(session)
    while last > 0:
        first = last - 1
        while first > 0 and session[first - 1] == session[last - 1]:
            first -= 1
        if found + (last - first) * (last - first - 1) // 2 > most:
            break
        for one in range(first, last):
            for other in range(one + 1, last):
                way = _ways(bought, met, one, other, cut)
                if way == 0:
                    continue
                low, high = min(item[one], item[other]), max(item[one], item[other])
                keys[found] = np.int64(low) * items + high
                ways[found] = way
                weights[found] = 0
                if way & ANY:
                    steps = min(abs(position[one] - position[other]), FARTHEST)
                    decay = np.exp(-steps / settings.distance_decay)
                    weights[found] = decay / (last - first) ** settings.length_power
                found += 1
        last = first
    return keys[:found], weights[:found], ways[:found]


@njit(cache=True, nogil=True)
def _ways(bought, met, one, other, cut):
    """In which ways two items of a session go together only since the cut."""
    way = 0
    if cut < max(bought[one], bought[other]) < NEVER:
        way |= BOUGHT
    if cut < max(met[one], met[other]) < NEVER:
        way |= MET
    if cut < max(min(bought[one], met[one]), min(bought[other], met[other])):
        way |= ANY
    return way


@njit(cache=True, nogil=True)
def summed(keys, weights, ways, order):
    """Each pair once: its key, weight, and sessions that bought both, met both, had both."""
    pairs = np.empty(len(keys), np.int64)
    weight = np.zeros(len(keys), np.float32)
    counts = np.zeros((len(keys), 3), np.int32)
    last = -1
    for place in order:
        if last < 0 or pairs[last] != keys[place]:
            last += 1
            pairs[last] = keys[place]
        weight[last] += weights[place]
        counts[last, 0] += (ways[place] & BOUGHT) > 0
        counts[last, 1] += (ways[place] & MET) > 0
        counts[last, 2] += (ways[place] & ANY) > 0
    return pairs[: last + 1], weight[: last + 1], counts[: last + 1]


@njit(cache=True, nogil=True)
def known(start, sessions, keys, items):
    """Which of these pairs a session of the index has."""
    found = np.zeros(len(keys), np.bool_)
    for place in range(len(keys)):
        low, high = keys[place] // items, keys[place] % items
        found[place] = are_together(start, sessions, low, high)
    return found


@njit(cache=True, nogil=True)
def both_ways(keys, weights, counts, choosers, items):
    """Rows by item, ascending: start, items, bought, met, and weights for sessions and baskets.

    `counts` has a fourth column: baskets with both; `choosers`: what to divide that by, by item.
    """
    start = np.zeros(items + 1, np.int64)
    for key in keys:
        start[key // items + 1] += 1
        start[key % items + 1] += 1
    start = np.cumsum(start)
    place = start[:-1].copy()
    others = np.empty(2 * len(keys), np.int32)
    bought, met = np.empty(2 * len(keys), np.int32), np.empty(2 * len(keys), np.int32)
    of_sessions = np.empty(2 * len(keys), np.float32)
    of_baskets = np.empty(2 * len(keys), np.float32)
    for pair in range(len(keys)):
        low, high = keys[pair] // items, keys[pair] % items
        for own, other in ((low, high), (high, low)):
            others[place[own]] = other
            bought[place[own]], met[place[own]] = counts[pair, 0], counts[pair, 1]
            of_sessions[place[own]] = weights[pair]
            of_baskets[place[own]] = counts[pair, 3] / choosers[own]
            place[own] += 1
    return start, others, bought, met, of_sessions, of_baskets


@njit(cache=True, nogil=True)
def chosen(recent, weights, cut, trend, popular, trending):
    """Add to `popular` and `trending` what sessions and events without one chose after the cut.

    In a session the strongest event on an item counts, as of the session's end. `trend`: the
    moment that trends are measured from, and their half-life.
    """
    first = 0
    while first < len(recent.item):
        last = first + 1
        if recent.position[first] >= 0:
            while last < len(recent.item) and recent.session[last] == recent.session[first]:
                last += 1
            _choose(recent, first, last, weights, cut, trend, popular, trending)
        elif recent.item[first] >= 0 and recent.number[first] > cut:
            weight = weights[recent.kind[first]]
            popular[recent.item[first]] += weight
            trending[recent.item[first]] += weight * _trend(recent.at[first], trend)
        first = last


@njit(cache=True, nogil=True)
def _choose(recent, first, last, weights, cut, trend, popular, trending):
    end, end_before = recent.at[first], -np.inf
    for row in range(first, last):
        end = max(end, recent.at[row])
        if recent.number[row] <= cut:
            end_before = max(end_before, recent.at[row])
    place = first
    while place < last:
        now, before, own = 0.0, 0.0, recent.item[place]
        while place < last and recent.item[place] == own:
            weight = weights[recent.kind[place]]
            now = max(now, weight)
            if recent.number[place] <= cut:
                before = max(before, weight)
            place += 1
        if own >= 0:
            popular[own] += now - before
            trending[own] += now * _trend(end, trend)
            if before > 0:
                trending[own] -= before * _trend(end_before, trend)


@njit(cache=True, nogil=True)
def _trend(at, trend):
    since, half_life = trend
    return 2.0 ** ((at - since) / half_life)
