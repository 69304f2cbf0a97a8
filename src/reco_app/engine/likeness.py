"""The compiled inner loops of scoring by embeddings."""

# Compiled code has types of its own, which mypy cannot see.
# mypy: disable-error-code="no-untyped-def"

import numpy as np
from numba import njit

MOST_LIKENED = 200  # candidates whose likeness is worked out, the best first
STEPS = 128  # of the scores, to find these in one pass
LEAST_SCORE = 1e-30  # below it STEPS / score is no longer a number of 32 bits


@njit(cache=True, nogil=True)
def add_near(items, index, settings, scratch, found):
    """Make candidates of what is nearest to the newest item; returns how many there are then."""
    if len(items) == 0 or settings.likeness_weight <= 0:
        return found
    first = index.near_start[items[-1]]
    last = min(index.near_start[items[-1] + 1], first + int(settings.near))
    for pair in range(first, last):
        item = index.near_items[pair]
        if not scratch.met[item]:
            scratch.met[item] = 1
            scratch.touched[found] = item
            found += 1
    return found


@njit(cache=True, nogil=True)
def add_likeness(items, weights, index, settings, scratch, found, highest):
    """Add to the candidates' scores how near they are to the context as a whole.

    Of many candidates only the best, and those without any score. Returns what one unit of dot
    product with the sum of the context's vectors was worth, and the least score that got it.
    """
    wish = np.zeros(index.vectors.shape[1], np.float32)
    for place in range(len(items)):
        row = index.vector_place[items[place]]
        if weights[place] > 0 and row >= 0:
            wish += weights[place] * index.vectors[row]
    length = np.sqrt(dot(wish, wish))
    if length <= 0 or settings.likeness_weight <= 0:
        return np.float32(0), np.float32(0)
    least = _least_of_best(scratch, found, highest)
    if highest <= 0:  # nothing but what is near
        highest = np.float32(1)
    worth = np.float32(settings.likeness_weight) * highest / length
    for place in range(found):
        item = scratch.touched[place]
        if 0 < scratch.cells[item] < least:
            continue
        row = index.vector_place[item]
        if row >= 0:
            likeness = worth * dot(wish, index.vectors[row])
            scratch.cells[item] += max(likeness, np.float32(0))
    return worth, least


@njit(cache=True, nogil=True)
def _least_of_best(scratch, found, highest):
    """A score that about MOST_LIKENED of the candidates reach; `highest` is the highest."""
    if found <= MOST_LIKENED or highest < LEAST_SCORE:
        return np.float32(0)
    scale = np.float32(STEPS) / highest
    counts = np.zeros(STEPS + 1, np.int64)
    for place in range(found):
        counts[min(int(scratch.cells[scratch.touched[place]] * scale), STEPS)] += 1
    step = STEPS
    reached = counts[step]
    while step > 1 and reached + counts[step - 1] <= MOST_LIKENED:
        step -= 1
        reached += counts[step]
    return np.float32(step) / scale


@njit(cache=True, nogil=True)
def share_likeness(items, weights, index, worth, ranked, shares):
    """Add each context item's part in what likeness added to the ranked items."""
    if worth[0] <= 0:
        return
    for row in range(len(ranked)):
        place = index.vector_place[ranked[row]]
        score = shares[row].sum()
        if place < 0 or 0 < score < worth[1]:
            continue
        for column in range(len(items)):
            own = index.vector_place[items[column]]
            if weights[column] > 0 and own >= 0:
                alike = dot(index.vectors[own], index.vectors[place])
                shares[row, column] += max(worth[0] * weights[column] * alike, np.float32(0))


@njit(cache=True, nogil=True, fastmath=True)
def dot(left, right):
    """Summed in any order: only so does it run on whole vectors of the processor."""
    total = np.float32(0)
    for place in range(len(left)):
        total += left[place] * right[place]
    return total
