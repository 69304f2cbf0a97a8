import numpy as np

from reco_app.engine.content import FIELDS, Features, alike, undescribed


def _described(products: list[list[str]]) -> Features:
    """Products as lists of names such as "word milk"."""
    names = sorted({name for product in products for name in product})
    places = [sorted(names.index(name) for name in product) for product in products]
    return Features(
        np.concatenate([[0], np.cumsum([len(row) for row in places])]).astype(np.int64),
        np.array([place for row in places for place in row], np.int32),
        np.array([FIELDS.index(name.split()[0]) for name in names], np.uint8),
    )


def _row(found, item: int) -> list[int]:
    return found.items[found.start[item] : found.start[item + 1]].tolist()


SHELF = _described(
    [
        ["word milk", "category Dairy", "size 1l"],
        ["word milk", "category Dairy", "size 2l"],
        ["word cream", "category Dairy", "size 1l"],
        ["word nails", "category Tools", "size 1l"],
        [],
    ]
)


def test_the_same_word_and_category_come_before_the_same_category():
    found = alike(SHELF, np.zeros(5, np.float32), row=5)

    assert _row(found, 0)[:2] == [1, 2]


def test_a_size_alone_makes_nothing_alike():
    found = alike(SHELF, np.zeros(5, np.float32), row=5)

    assert 3 not in _row(found, 0)


def test_a_product_of_which_nothing_is_known_is_like_no_other():
    found = alike(SHELF, np.zeros(5, np.float32), row=5)

    assert _row(found, 4) == []
    assert len(alike(undescribed(3), np.zeros(3, np.float32), row=5).items) == 0


def test_of_equally_alike_products_the_popular_one_comes_first():
    twins = _described([["word milk"], ["word milk"], ["word milk"]])

    found = alike(twins, np.array([0, 1, 9], np.float32), row=5)

    assert _row(found, 0) == [2, 1]


def test_weights_fall_and_stay_between_0_and_1():
    found = alike(SHELF, np.arange(5, dtype=np.float32), row=5)

    assert np.all((found.weights > 0) & (found.weights <= 1))
    for item in range(5):
        assert np.all(np.diff(found.weights[found.start[item] : found.start[item + 1]]) <= 0)
