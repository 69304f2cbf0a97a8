"""Baselines of the library `implicit`, where it is installed: it is for measuring alone."""

# Neither is typed, and neither is there where nothing is measured.
# mypy: disable-error-code="import-untyped, import-not-found"

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from implicit.nearest_neighbours import ItemItemRecommender, bm25_weight
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits

from reco_app.engine.baselines import Baseline, Scorer, sessions_by_items
from reco_app.engine.index import Index

FACTORS, REGULARISATION = 128, 0.05
NEIGHBOURS = 200
SEED = 0


def _sessions(index: Index) -> sparse.csr_matrix:
    return sparse.csr_matrix(sessions_by_items(index), copy=True)  # it wants to be writable


def _als(index: Index) -> Scorer:
    """ALS (Hu, Koren and Volinsky, 2008), over whole sessions."""
    sessions = _sessions(index)
    with threadpool_limits(1, "blas"):  # it warns of more
        model = AlternatingLeastSquares(
            factors=FACTORS, regularization=REGULARISATION, num_threads=1, random_state=SEED
        )
        model.fit(sessions, show_progress=False)

    def scores(context: NDArray[np.int64]) -> NDArray[np.floating]:
        if not len(context):
            return np.zeros(len(model.item_factors))
        return np.asarray(model.item_factors @ model.recalculate_user(0, _row(context, sessions)))

    return scores


def _item_knn(index: Index) -> Scorer:
    """Item-kNN weighted by BM25, over whole sessions."""
    sessions = _sessions(index)
    model = ItemItemRecommender(K=NEIGHBOURS, num_threads=1)
    model.fit(bm25_weight(sessions, K1=1.2, B=0.75).tocsr(), show_progress=False)

    def scores(context: NDArray[np.int64]) -> NDArray[np.floating]:
        return np.asarray((_row(context, sessions) @ model.similarity).todense()).ravel()

    return scores


def _row(context: NDArray[np.int64], sessions: sparse.csr_matrix) -> sparse.csr_matrix:
    """The items of a context as one session."""
    items = np.unique(context)
    shape = (1, sessions.shape[1])
    return sparse.csr_matrix((np.ones(len(items), np.float32), items, [0, len(items)]), shape)


BASELINES: dict[str, Baseline] = {"als": _als, "item_knn": _item_knn}
