"""Session kNN of the engine once more, in plain numpy: what the compiled kernel is held against."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reco_app.engine.kernels import FARTHEST, LEAST_AGE_WEIGHT, MOST_MATCHES
from reco_app.engine.likeness import MOST_LIKENED, STEPS
from reco_app.engine.model import Model
from reco_app.engine.parameters import Neighbourhood, Weighing
from reco_app.engine.rank import ContextItem

Floats = NDArray[np.float32]
Places = NDArray[np.int64]


def rank(
    model: Model, context: Sequence[ContextItem], *, mask: NDArray[np.uint8], count: int
) -> tuple[Places, Floats]:
    """The best items that session kNN and embeddings find, and their scores."""
    settings = model.parameters.session
    items = np.array([entry.item for entry in context], np.int64)
    weights = _weights(context, model.parameters.session_weighing)
    cells = _from_neighbours(model, items, weights)
    _add_likeness(model, items, weights, cells)
    _reweigh_repeats(items, weights, settings, cells)
    places = np.flatnonzero((cells > 0) & (mask > 0))
    best = places[np.lexsort((places, -cells[places]))][:count]
    return best, cells[best]


def _weights(context: Sequence[ContextItem], weighing: Weighing) -> Floats:
    """What each context item counts; of a repeated one only its strongest entry does."""
    kinds = (weighing.viewed, weighing.clicked, weighing.carted, weighing.bought)
    weights = np.zeros(len(context), np.float32)
    counted: dict[int, int] = {}
    for place in range(len(context) - 1, -1, -1):
        item, kind, quantity, age = context[place]
        if item not in counted and len(counted) >= weighing.last_items:
            continue
        weight = np.float32(
            kinds[kind]
            * (1 + weighing.quantity_weight * np.log(max(quantity, 1)))
            * max(2.0 ** (-age / weighing.age_half_life_seconds), LEAST_AGE_WEIGHT)
            * np.exp(-len(counted) / weighing.order_decay)
        )
        if weight > weights[counted.get(item, place)]:
            weights[counted.get(item, place)] = 0
            weights[place] = weight
            counted[item] = place
    return weights


def _from_neighbours(model: Model, items: Places, weights: Floats) -> Floats:
    """Scores of all items from the sessions nearest to the context."""
    index, settings = model.sessions, model.parameters.session
    cells = np.zeros(len(index.score_weight), np.float32)
    similarity = np.zeros(len(index.session_weight), np.float32)
    newest = np.full(len(index.session_weight), -1)
    met = []
    for place in range(len(items) - 1, max(len(items) - MOST_MATCHES, 0) - 1, -1):
        if weights[place] <= 0:
            continue
        first, last = index.item_start[items[place]], index.item_start[items[place] + 1]
        shared = index.item_sessions[first : min(last, first + int(settings.sample))]
        similarity[shared] += weights[place] * index.match_weight[items[place]]
        met.append(shared[newest[shared] < 0])
        newest[met[-1]] = place
    if not met:
        return cells
    touched = np.concatenate(met)
    worth = similarity[touched] * index.session_weight[touched]
    kept = np.argsort(-worth, kind="stable")[: int(settings.neighbours)]
    sessions, worth = touched[kept], worth[kept]
    starts, lengths = index.session_start[sessions], np.diff(index.session_start)[sessions]
    ends = np.cumsum(lengths)
    pairs = np.repeat(starts - ends + lengths, lengths) + np.arange(ends[-1])
    owner = np.repeat(np.arange(len(sessions)), lengths)
    found, positions = index.session_items[pairs], index.session_positions[pairs]
    at = found == items[newest[sessions]][owner]
    matched = np.zeros(len(sessions), np.int64)
    matched[owner[at]] = positions[at]
    steps = np.minimum(np.abs(positions - matched[owner]), FARTHEST)
    decay = np.exp(-np.arange(FARTHEST + 1) / settings.distance_decay).astype(np.float32)
    np.add.at(cells, found, worth[owner] * decay[steps])
    return np.asarray(cells * index.score_weight, np.float32)


def _add_likeness(model: Model, items: Places, weights: Floats, cells: Floats) -> None:
    """Add how near the best candidates, and those near the newest item, are to the context."""
    index, settings = model.sessions, model.parameters.session
    highest = cells.max(initial=0)
    rows = index.vector_place[items]
    wish = (weights * (rows >= 0)) @ index.vectors[rows]
    length = np.sqrt(wish @ wish)
    if not len(items) or length <= 0 or settings.likeness_weight <= 0:
        return
    found = np.flatnonzero(cells)
    first, last = index.near_start[items[-1]], index.near_start[items[-1] + 1]
    near = index.near_items[first : min(last, first + int(settings.near))]
    found = np.union1d(found, near)
    asked = found[(cells[found] == 0) | (cells[found] >= _least(cells[found], highest))]
    asked = asked[index.vector_place[asked] >= 0]
    worth = settings.likeness_weight * (highest or 1) / length
    dots = index.vectors[index.vector_place[asked]] @ wish
    cells[asked] += np.maximum(worth * dots, 0).astype(np.float32)


def _least(scores: Floats, highest: np.float32) -> np.float32:
    """A score that about MOST_LIKENED of them reach."""
    if len(scores) <= MOST_LIKENED or highest <= 0:
        return np.float32(0)
    scale = np.float32(STEPS) / highest
    steps = np.minimum((scores * scale).astype(np.int64), STEPS)
    reached = np.cumsum(np.bincount(steps, minlength=STEPS + 1)[::-1])[::-1]
    step = STEPS
    while step > 1 and reached[step - 1] <= MOST_LIKENED:
        step -= 1
    return np.float32(step) / scale


def _reweigh_repeats(
    items: Places, weights: Floats, settings: Neighbourhood, cells: Floats
) -> None:
    steps = 0
    for place in np.flatnonzero(weights > 0)[::-1]:
        item = items[place]
        times = np.count_nonzero(items == item) ** settings.repeat_times_power
        if item == items[-1]:
            cells[item] *= settings.current_factor * times
        else:
            cells[item] *= settings.repeat_factor * times * np.exp(-steps / settings.repeat_decay)
            steps += 1
