"""The compiled inner loops of session kNN. Arrays are read-only but for scratch and answers."""

# Compiled code has types of its own, which mypy cannot see.
# mypy: disable-error-code="no-untyped-def"

import numpy as np
from numba import njit

from reco_app.engine.best import take_best
from reco_app.engine.likeness import add_likeness, add_near, share_likeness

LEAST_AGE_WEIGHT = 1e-3
FARTHEST = 63
MOST_MATCHES = 64  # bits of the word that tells which context items a session shares, newest first


@njit(cache=True, nogil=True)
def weigh(items, kinds, quantities, ages, weighing):
    """How much each context item counts; of a repeated item only its strongest entry does."""
    length = len(items)
    weights = np.zeros(length, np.float32)
    by_kind = (weighing.viewed, weighing.clicked, weighing.carted, weighing.bought)
    newer = 0
    for place in range(length - 1, -1, -1):
        later = -1
        for other in range(length - 1, place, -1):
            if items[other] == items[place] and weights[other] > 0:
                later = other
        if later < 0 and newer >= weighing.last_items:
            continue
        age = max(2.0 ** (-ages[place] / weighing.age_half_life_seconds), LEAST_AGE_WEIGHT)
        amount = 1.0 + weighing.quantity_weight * np.log(max(quantities[place], 1.0))
        order = np.exp(-newer / weighing.order_decay)
        weight = np.float32(by_kind[kinds[place]] * amount * age * order)
        if later < 0:
            weights[place] = weight
            newer += 1
        elif weight > weights[later]:
            weights[later] = 0
            weights[place] = weight
    return weights


@njit(cache=True, nogil=True)
def neighbours(items, weights, index, settings, scratch):
    """Sessions most like the context: their numbers, weights, and which items they share."""
    similarity, matches = scratch.similarity, scratch.matches
    oldest = max(len(items) - MOST_MATCHES, 0)
    touched = np.empty(int((len(items) - oldest) * settings.sample), np.int32)
    found = 0
    for place in range(len(items) - 1, oldest - 1, -1):
        if weights[place] <= 0:
            continue
        item = items[place]
        bit = np.uint64(1) << np.uint64(len(items) - 1 - place)
        weight = weights[place] * index.match_weight[item]
        first = index.item_start[item]
        last = min(index.item_start[item + 1], first + int(settings.sample))
        for pair in range(first, last):
            session = index.item_sessions[pair]
            if matches[session] == 0:
                touched[found] = session
                found += 1
            similarity[session] += weight
            matches[session] |= bit
    if found == 0:
        return touched[:0], np.empty(0, np.float32), np.empty(0, np.uint64)
    values = np.empty(found, np.float32)
    for place in range(found):
        values[place] = similarity[touched[place]] * index.session_weight[touched[place]]
    kept = _largest(values, int(settings.neighbours))
    sessions = touched[kept]
    shared = np.empty(len(kept), np.uint64)
    for place in range(len(kept)):
        shared[place] = matches[sessions[place]]
    for place in range(found):
        similarity[touched[place]] = 0
        matches[touched[place]] = 0
    return sessions, values[kept], shared


@njit(cache=True, nogil=True)
def _largest(values, limit):
    """Places of the largest values; of equal ones at the border, the first met."""
    if len(values) <= limit:
        return np.arange(len(values))
    threshold = np.partition(values, len(values) - limit)[len(values) - limit]
    kept = np.empty(limit, np.int64)
    filled = 0
    above = 0
    for place in range(len(values)):
        if values[place] > threshold:
            above += 1
    equal = limit - above
    for place in range(len(values)):
        if values[place] > threshold:
            kept[filled] = place
            filled += 1
        elif values[place] == threshold and equal > 0:
            kept[filled] = place
            filled += 1
            equal -= 1
    return kept


@njit(cache=True, nogil=True)
def rank_by_sessions(context, weighing, index, settings, mask, scratch, limit, sources):
    """The best items: items, scores from 0 to 1, where each is from, and each context item's share.

    `sources`: of what a neighbour has, and of what none has.
    """
    items, kinds, quantities, ages = context
    weights = weigh(items, kinds, quantities, ages, weighing)
    found, nearest, worth = session_scores(items, weights, index, settings, scratch)
    ranked, scores = take_best(scratch, found, mask, limit)
    shares, alone = session_shares(items, weights, index, nearest, worth, ranked, scratch.places)
    told = np.empty(len(ranked), np.uint8)
    for row in range(len(ranked)):
        scores[row] /= 1.0 + scores[row]
        told[row] = sources[1] if alone[row] else sources[0]
    return ranked, scores, told, shares


@njit(cache=True, nogil=True)
def session_scores(items, weights, index, settings, scratch):
    """Score the items of the nearest sessions into the cells of `scratch`, until `take_best`.

    Returns how many were touched, and for `session_shares` the neighbours and what likeness was
    worth.
    """
    cells, touched, met = scratch.cells, scratch.touched, scratch.met
    sessions, values, shared = neighbours(items, weights, index, settings, scratch)
    matched_at = np.empty(len(sessions), np.int32)
    decay = _decay(settings.distance_decay)
    found = 0
    for place in range(len(sessions)):
        first = index.session_start[sessions[place]]
        last = index.session_start[sessions[place] + 1]
        match = _position(items, shared[place], index, first, last)
        matched_at[place] = match
        for pair in range(first, last):
            item = index.session_items[pair]
            steps = abs(index.session_positions[pair] - match)
            if not met[item]:
                met[item] = 1
                touched[found] = item
                found += 1
            cells[item] += values[place] * decay[min(steps, FARTHEST)]
    if len(index.pair_items):
        pairs = (index.pair_start, index.pair_items, index.pair_weights)
        found = add_pairs(items, weights * index.match_weight[items], pairs, scratch, found)
    highest = np.float32(0)
    for place in range(found):
        item = touched[place]
        cells[item] *= index.score_weight[item]
        highest = max(highest, cells[item])
    found = add_near(items, index, settings, scratch, found)
    worth = add_likeness(items, weights, index, settings, scratch, found, highest)
    _reweigh_repeats(items, weights, settings, cells)
    return found, (sessions, values, shared, matched_at, decay), worth


@njit(cache=True, nogil=True)
def add_pairs(items, worth, pairs, scratch, found):
    """Score what goes with each context item, as it is worth; returns how many are touched then."""
    start, others, values = pairs
    cells, touched, met = scratch.cells, scratch.touched, scratch.met
    for place in range(len(items)):
        if worth[place] <= 0:
            continue
        for pair in range(start[items[place]], start[items[place] + 1]):
            other = others[pair]
            if not met[other]:
                met[other] = 1
                touched[found] = other
                found += 1
            cells[other] += worth[place] * values[pair]
    return found


@njit(cache=True, nogil=True)
def _reweigh_repeats(items, weights, settings, cells):
    """Products of the context come again: the last ones more often, and those met often."""
    steps = 0
    for place in range(len(items) - 1, -1, -1):
        item = items[place]
        if weights[place] <= 0:
            continue
        times = (items == item).sum() ** settings.repeat_times_power
        if item == items[-1]:
            cells[item] *= settings.current_factor * times
        else:
            cells[item] *= settings.repeat_factor * times * np.exp(-steps / settings.repeat_decay)
            steps += 1


@njit(cache=True, nogil=True)
def _decay(distance_decay):
    """Weights by steps from the shared item; beyond the last they no longer fall."""
    return np.exp(-np.arange(FARTHEST + 1) / distance_decay).astype(np.float32)


@njit(cache=True, nogil=True)
def _position(items, shared, index, first, last):
    """Where in a session the newest of the shared context items stands."""
    newest = len(items) - 1
    while shared & np.uint64(1) == 0:
        shared >>= np.uint64(1)
        newest -= 1
    for pair in range(first, last):
        if index.session_items[pair] == items[newest]:
            return index.session_positions[pair]
    return 0


@njit(cache=True, nogil=True)
def session_shares(items, weights, index, nearest, worth, ranked, places):
    """Each context item's part in the scores of the ranked items; rows sum to 1 or 0.

    And which of the ranked items no neighbour has: likeness alone brought them.

    `places` is scratch, one cell an item, -1 before and after.
    """
    sessions, values, shared, matched_at, decay = nearest
    shares = np.zeros((len(ranked), len(items)), np.float32)
    for row in range(len(ranked)):
        places[ranked[row]] = row
    parts = np.zeros(len(items), np.float32)
    for place in range(len(sessions)):
        total = part_match(items, weights, shared[place], index, parts)
        first = index.session_start[sessions[place]]
        last = index.session_start[sessions[place] + 1]
        for pair in range(first, last):
            row = places[index.session_items[pair]]
            if row < 0:
                continue
            steps = abs(index.session_positions[pair] - matched_at[place])
            value = values[place] * decay[min(steps, FARTHEST)]
            value *= index.score_weight[index.session_items[pair]]
            for column in range(len(items)):
                shares[row, column] += value * parts[column] / total
    if len(index.pair_items):
        _share_pairs(items, weights, index, places, shares)
    alone = shares.sum(axis=1) == 0
    share_likeness(items, weights, index, worth, ranked, shares)
    share_out(ranked, places, shares)
    return shares, alone


@njit(cache=True, nogil=True)
def _share_pairs(items, weights, index, places, shares):
    """Add what the pairs of each context item say for the items that have a place."""
    for column in range(len(items)):
        item = items[column]
        for pair in range(index.pair_start[item], index.pair_start[item + 1]):
            other = index.pair_items[pair]
            if places[other] >= 0:
                value = weights[column] * index.match_weight[item] * index.pair_weights[pair]
                shares[places[other], column] += value * index.score_weight[other]


@njit(cache=True, nogil=True)
def part_match(items, weights, shared, index, parts):
    """Write into `parts` what each context item gave to a neighbour's match; returns the sum."""
    total = np.float32(0)
    for column in range(len(items)):
        parts[column] = 0
        age = len(items) - 1 - column
        if age < MOST_MATCHES and (shared >> np.uint64(age)) & np.uint64(1):
            parts[column] = weights[column] * index.match_weight[items[column]]
            total += parts[column]
    return total


@njit(cache=True, nogil=True)
def share_out(ranked, places, shares):
    """Make rows sum to 1, or leave them at 0; takes the places back."""
    for row in range(len(ranked)):
        places[ranked[row]] = -1
        total = shares[row].sum()
        if total > 0:
            shares[row] /= total
