"""What shoppers prefer, in aggregate: for each product, and as a few named tastes.

A taste is three maps: category path (two levels), brand and price band → weight. Behind every
figure stand at least ten sessions. Named tastes are clusters of sessions (k-means, Lloyd 1982, with
the seeding of Arthur and Vassilvitskii 2007) over the labels of the products in them.
"""

import warnings
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from django.utils.text import slugify
from numpy.typing import NDArray
from scipy import sparse
from scipy.cluster.vq import kmeans2

from reco_app.engine.bands import price_band
from reco_app.engine.index import Index
from reco_app.training.snapshot import Snapshot

FEWEST_SESSIONS = 10
DIMENSIONS = ("category", "brand", "price_band")
LABELS_KEPT = 12  # of each dimension, the heaviest
ITEMS_AT_ONCE = 2000
PROFILES = 8
CLUSTERED = 20_000  # the newest sessions; tastes change slowly
FEWEST_ITEMS = 3  # shorter sessions show no taste
CLUSTER_LABELS = 400
SEED = 20  # the same sessions give the same tastes


class Labels(NamedTuple):
    """L labels, each of one dimension, and which of the N items have them."""

    names: list[str]
    dimension: NDArray[np.uint8]  # L, places in DIMENSIONS
    of_items: sparse.csr_array  # N x L, 1 where the item has the label


def labels(snapshot: Snapshot) -> Labels:
    """The labels of all items of a release."""
    numbers: dict[tuple[int, str], int] = {}
    rows: list[int] = []
    columns: list[int] = []
    for item, own in enumerate(_item_labels(snapshot)):
        for label in own:
            rows.append(item)
            columns.append(numbers.setdefault(label, len(numbers)))
    shape = (len(snapshot.price), len(numbers))
    ones = np.ones(len(rows), np.float32)
    return Labels(
        names=[name for _, name in numbers],
        dimension=np.array([dimension for dimension, _ in numbers], np.uint8),
        of_items=sparse.csr_array((ones, (rows, columns)), shape=shape),
    )


def _item_labels(snapshot: Snapshot) -> Iterator[set[tuple[int, str]]]:
    paths = [" > ".join(path.split(" > ")[:2]) for path in snapshot.vocabulary["categories"]]
    brands: list[str] = snapshot.vocabulary["brands"]
    starts, categories = snapshot.category_start.tolist(), snapshot.categories.tolist()
    rows = zip(snapshot.brand.tolist(), snapshot.price.tolist(), strict=True)
    for item, (brand, price) in enumerate(rows):
        own = {(0, paths[place]) for place in categories[starts[item] : starts[item + 1]]}
        if brand >= 0:
            own.add((1, brands[brand]))
        if price >= 0:
            own.add((2, price_band(price / 100)))
        yield own


def preferences(index: Index, known: Labels, item_ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    """What the sessions with each product also hold, for products with enough of them."""
    sessions = _sessions(index)
    held = _binary(sessions @ known.of_items)
    by_item = sessions.T.tocsr()
    counts = np.diff(index.item_start)
    enough = np.flatnonzero(counts >= FEWEST_SESSIONS)
    for start in range(0, len(enough), ITEMS_AT_ONCE):
        items = enough[start : start + ITEMS_AT_ONCE]
        together = (by_item[items] @ held).tocsr()
        for row, item in enumerate(items.tolist()):
            span = slice(together.indptr[row], together.indptr[row + 1])
            figures = _heaviest(known, together.indices[span], together.data[span])
            yield _preference(item_ids[item], int(counts[item]), figures)


def _preference(item_id: str, sessions: int, figures: list[dict[str, float]]) -> dict[str, Any]:
    shares = [
        {name: round(count / sessions, 4) for name, count in dimension.items()}
        for dimension in figures
    ]
    return {
        "item_id": item_id,
        "sessions": sessions,
        **dict(zip(("categories", "brands", "price_bands"), shares, strict=True)),
    }


def _heaviest(
    known: Labels, places: NDArray[np.int32], figures: NDArray[np.float32]
) -> list[dict[str, float]]:
    """For each dimension its heaviest labels that enough sessions stand behind."""
    order = np.argsort(-figures, kind="stable")
    order = order[figures[order] >= FEWEST_SESSIONS]
    result: list[dict[str, float]] = [{}, {}, {}]
    for place, figure in zip(places[order].tolist(), figures[order].tolist(), strict=True):
        dimension = result[known.dimension[place]]
        if len(dimension) < LABELS_KEPT:
            dimension[known.names[place]] = figure
    return result


def profiles(index: Index, known: Labels, currency: str) -> list[dict[str, Any]]:
    """A few named tastes; none where there are too few sessions to cluster."""
    lengths = np.diff(index.session_start)
    long = np.flatnonzero(lengths >= FEWEST_ITEMS)[-CLUSTERED:]
    if len(long) < PROFILES * FEWEST_SESSIONS or not known.names:
        return []
    held = _binary(_sessions(index)[long] @ known.of_items)
    overall = np.asarray(held.sum(axis=0)).ravel()
    cluster = _clusters(held, overall)
    found = []
    for number in np.argsort(-np.bincount(cluster, minlength=PROFILES), kind="stable"):
        members = np.flatnonzero(cluster == number)
        counts = np.asarray(held[members].sum(axis=0)).ravel()
        if len(members) >= FEWEST_SESSIONS:
            found.append(_weights(known, counts, overall, len(members), len(long)))
    return _named(found, currency)


def _clusters(held: sparse.csr_array, overall: NDArray[np.float32]) -> NDArray[np.int32]:
    """A cluster for each session: over its most usual labels, rare ones weighing more.

    As many as PROFILES, or as there are sessions that differ; some may stay empty.
    """
    usual = np.argsort(-overall, kind="stable")[:CLUSTER_LABELS]
    rarity = np.log1p(held.shape[0] / np.maximum(overall[usual], 1))
    chosen = held[:, usual].toarray()
    count = min(PROFILES, len({row.tobytes() for row in chosen}))
    vectors = chosen * rarity
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of clusters that empty while others settle
        _, cluster = kmeans2(vectors, count, iter=15, minit="++", rng=SEED, missing="warn")
    return np.asarray(cluster, np.int32)


def _weights(
    known: Labels,
    counts: NDArray[np.float32],
    overall: NDArray[np.float32],
    members: int,
    everybody: int,
) -> dict[str, Any]:
    """Labels that this cluster holds more often than everybody, by how much and how often."""
    share = counts / members
    lift = share / np.maximum(overall / everybody, 1e-9)
    weight = np.where(counts >= FEWEST_SESSIONS, share * np.log(np.maximum(lift, 1)), 0)
    result: dict[str, Any] = {"sessions": members}
    for number, dimension in enumerate(DIMENSIONS):
        own = np.flatnonzero((known.dimension == number) & (weight > 0))
        best = own[np.argsort(-weight[own], kind="stable")][:LABELS_KEPT]
        top = weight[best].max(initial=1e-9)
        result[dimension] = {known.names[at]: round(float(weight[at] / top), 4) for at in best}
    return result


def _named(tastes: list[dict[str, Any]], currency: str) -> list[dict[str, Any]]:
    """Names that a merchandiser can read: what the taste leans to most, and at which price."""
    named: dict[str, dict[str, Any]] = {}
    for taste in tastes:
        leaves = [path.split(" > ")[-1] for path in taste["category"]] + list(taste["brand"])
        free = [leaf for leaf in leaves if slugify(leaf) and slugify(leaf)[:64] not in named]
        if not free:
            continue
        bands = [f"{band} {currency}" for band in list(taste["price_band"])[:1]]
        named[slugify(free[0])[:64].strip("-")] = {
            "name": " · ".join([*free[:2], *bands]),
            "description": f"Found in {taste['sessions']} recent sessions with much in common.",
            "weights": {dimension: taste[dimension] for dimension in DIMENSIONS},
        }
    return [{"slug": slug, "source": "mined", **taste} for slug, taste in named.items()]


def _sessions(index: Index) -> sparse.csr_array:
    """Sessions x items, 1 where the session holds the item."""
    ones = np.ones(len(index.session_items), np.float32)
    shape = (len(index.session_at), len(index.idf))
    return sparse.csr_array((ones, index.session_items, index.session_start), shape=shape)


def _binary(matrix: sparse.csr_array) -> sparse.csr_array:
    matrix.data[:] = 1
    return matrix
