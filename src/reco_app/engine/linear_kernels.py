"""The compiled inner loops of scoring by stored item-item weights."""

# Compiled code has types of its own, which mypy cannot see.
# mypy: disable-error-code="no-untyped-def"

import numpy as np
from numba import njit

from reco_app.engine.best import take_best
from reco_app.engine.kernels import share_out, weigh


@njit(cache=True, nogil=True)
def rank_by_weights(context, weighing, rows, categories, mask, scratch, limit):
    """The best items by their weights: items, scores, and each context item's share in them.

    `categories`: the category of every item, and the factor on those of the context's own.
    """
    items, kinds, quantities, ages = context
    weights = weigh(items, kinds, quantities, ages, weighing)
    found = scores(items, weights, rows, scratch)
    scale_category(items, categories[0], categories[1], scratch, found)
    ranked, ranked_scores = take_best(scratch, found, mask, limit)
    return ranked, ranked_scores, shares_of(items, weights, rows, ranked, scratch.places)


@njit(cache=True, nogil=True)
def scores(items, weights, rows, scratch):
    """Score what goes with the context by stored item-item weights; returns how many."""
    start, others, values = rows
    cells, touched, met = scratch.cells, scratch.touched, scratch.met
    found = 0
    for place in range(len(items)):
        if weights[place] <= 0:
            continue
        for pair in range(start[items[place]], start[items[place] + 1]):
            other = others[pair]
            if not met[other]:
                met[other] = 1
                touched[found] = other
                found += 1
            cells[other] += weights[place] * values[pair]
    return found


@njit(cache=True, nogil=True)
def shares_of(items, weights, rows, ranked, places):
    """Each context item's part in what speaks for the ranked items; rows sum to 1."""
    shares = np.zeros((len(ranked), len(items)), np.float32)
    for row in range(len(ranked)):
        places[ranked[row]] = row
    share_weights(items, weights, rows, places, shares)
    share_out(ranked, places, shares)
    return shares


@njit(cache=True, nogil=True)
def share_weights(items, weights, rows, places, shares):
    """Add what each context item's stored weights say for the items that have a place."""
    start, others, values = rows
    for column in range(len(items)):
        if weights[column] <= 0:
            continue
        for pair in range(start[items[column]], start[items[column] + 1]):
            row = places[others[pair]]
            if row >= 0 and values[pair] > 0:
                shares[row, column] += weights[column] * values[pair]


@njit(cache=True, nogil=True)
def scale_category(items, category, factor, scratch, found):
    """Scale the touched items that share a category with the context."""
    if factor == 1.0:
        return
    for place in range(found):
        touched = scratch.touched[place]
        if category[touched] < 0:
            continue
        for item in items:
            if category[item] == category[touched]:
                scratch.cells[touched] *= factor
                break


@njit(cache=True, nogil=True)
def any_marked(items, rows, marks, ranked, places):
    """Which of the ranked items a marked weight leads to from the context."""
    start, others, _ = rows
    marked = np.zeros(len(ranked), np.bool_)
    for row in range(len(ranked)):
        places[ranked[row]] = row
    for item in items:
        for pair in range(start[item], start[item + 1]):
            row = places[others[pair]]
            if row >= 0 and marks[pair]:
                marked[row] = True
    for row in range(len(ranked)):
        places[ranked[row]] = -1
    return marked
