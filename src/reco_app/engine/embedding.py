"""Item embeddings: truncated SVD of the normalised item-item co-occurrence graph.

Subspace iteration from a random start (Halko, Martinsson and Tropp, 2011) over the sessions
themselves: the graph, which can be large, is never written out.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import sparse

from reco_app.engine import rows
from reco_app.engine.best import rise, sink, swap
from reco_app.engine.rows import ItemWeights
from reco_app.engine.sessions import BySession

DIMENSIONS = 128
SPARE_DIMENSIONS = 16  # taken along while iterating, for the last ones to settle
ITERATIONS = 3
SEED = 0
NEAREST = 60
MOST_PAIRS = 300_000_000  # compared for nearest neighbours: beyond it, with popular items only
BLOCK = 1_000
ROUNDING = 1e-10  # of the largest square: what floats of 32 bits tell nothing of
THREADS = 2

Floats = NDArray[np.float32]


class Embedding(NamedTuple):
    """Unit vectors of the V of N items that have sessions, and their nearest neighbours."""

    place: NDArray[np.int32]
    """N: row in `vectors`, or -1."""
    vectors: Floats
    """V x DIMENSIONS, or fewer where there are few items."""
    near: ItemWeights


def embed(by_session: BySession, item_count: int) -> Embedding:
    """Embed the items of some sessions; what shares sessions, or the same company, is near."""
    frequency = np.bincount(by_session.items, minlength=item_count)
    known = np.flatnonzero(frequency)
    place = np.full(item_count, -1, np.int32)
    place[known] = np.arange(len(known), dtype=np.int32)
    size = min(DIMENSIONS, len(known) - 1)
    if size < 1:
        return unembedded(item_count)
    vectors = _vectors(_normalised(by_session, place, len(known)), size)
    return Embedding(place, vectors, _nearest(vectors, known, frequency))


def unembedded(item_count: int) -> Embedding:
    """No vector for any item."""
    place = np.full(item_count, -1, np.int32)
    return Embedding(place, np.zeros((0, DIMENSIONS), np.float32), rows.empty(item_count))


def _normalised(
    by_session: BySession, place: NDArray[np.int32], size: int
) -> sparse.csr_array[np.float32]:
    """Sessions x items; a long session says no more in all than a short one."""
    lengths = np.diff(by_session.start)
    values = np.repeat(1 / np.sqrt(np.maximum(lengths, 1)), lengths)
    weighed = np.bincount(place[by_session.items], values**2, minlength=size)
    values = (values / np.sqrt(weighed[place[by_session.items]])).astype(np.float32)
    shape = (len(lengths), size)
    return sparse.csr_array((values, place[by_session.items], by_session.start), shape)


def _vectors(sessions: sparse.csr_array[np.float32], size: int) -> Floats:
    """Leading eigenvectors of sessions' x sessions without its diagonal, as unit rows."""
    transposed = sessions.T.tocsr()
    diagonal = np.bincount(sessions.indices, sessions.data**2, minlength=sessions.shape[1])
    own = diagonal.astype(np.float32)[:, None]

    def graph(block: Floats) -> Floats:
        return np.asarray(transposed @ (sessions @ block) - own * block)

    width = min(size + SPARE_DIMENSIONS, sessions.shape[1])
    start = np.random.default_rng(SEED).standard_normal((sessions.shape[1], width), np.float32)
    basis = start
    for _ in range(ITERATIONS + 1):
        basis = _orthonormal(graph(basis))
    inner = basis.T @ graph(basis)
    values, turned = np.linalg.eigh((inner + inner.T) / 2)
    leading = np.argsort(-values)[:size]
    vectors = (basis @ turned[:, leading]) * np.maximum(values[leading], 0) ** 0.25
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.ascontiguousarray(vectors / np.maximum(lengths, 1e-9), np.float32)


def _orthonormal(columns: Floats) -> Floats:
    """Columns of the same span; those that are nothing but rounding fade instead.

    By the eigenvectors of their dot products: several times as fast as Householder's factors.
    """
    dots = np.zeros((columns.shape[1], columns.shape[1]))
    for first in range(0, len(columns), BLOCK):
        block = columns[first : first + BLOCK].astype(np.float64)
        dots += block.T @ block
    values, turned = np.linalg.eigh(dots)
    lengths = np.sqrt(np.maximum(values, max(values[-1] * ROUNDING, 1e-30)))
    return np.asarray(columns @ (turned / lengths).astype(np.float32))


def _nearest(
    vectors: Floats, known: NDArray[np.int64], frequency: NDArray[np.int64]
) -> ItemWeights:
    """The nearest other items of each, by exact dot products."""
    limit = min(NEAREST, len(known) - 1)
    width = max(min(len(known), MOST_PAIRS // len(known)), limit + 1)
    columns = np.sort(np.argsort(-frequency[known], kind="stable")[:width])
    column_of = np.full(len(known), -1)
    column_of[columns] = np.arange(len(columns))
    items = np.empty((len(known), limit), np.int32)
    weights = np.empty((len(known), limit), np.float32)
    others = np.ascontiguousarray(vectors[columns].T)

    def compare(first: int) -> None:
        rows_here = slice(first, first + BLOCK)
        dots = vectors[rows_here] @ others
        _highest(dots, column_of[rows_here], items[rows_here], weights[rows_here])

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(compare, range(0, len(known), BLOCK)))
    items = known[columns[items]].astype(np.int32)
    counts = np.zeros(len(frequency), np.int64)
    counts[known] = limit
    return rows.packed(counts, items.ravel(), weights.ravel())


@njit(cache=True, nogil=True)
def _highest(dots, own, items, weights):  # type: ignore[no-untyped-def]
    """The highest of each row but its own column, and where; of equal ones the first."""
    limit = items.shape[1]
    for row in range(len(dots)):
        size = 0
        for column in range(dots.shape[1]):
            dot = dots[row, column]
            if column == own[row] or (size == limit and dot <= weights[row, 0]):
                continue
            if size == limit:
                items[row, 0] = column
                weights[row, 0] = dot
                sink(items[row], weights[row], size)
            else:
                items[row, size] = column
                weights[row, size] = dot
                rise(items[row], weights[row], size)
                size += 1
        for last in range(size - 1, 0, -1):
            swap(items[row], weights[row], 0, last)
            sink(items[row], weights[row], last)
