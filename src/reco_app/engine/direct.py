"""Results and what drove them in one compiled call, as JSON: what most answers need.

Handing an array to a compiled function costs about half a microsecond, and ranking reads some 25
of them. All but those of the question are therefore handed over once, as a table of addresses.
"""

# Compiled code has types of its own, which mypy cannot see.
# mypy: disable-error-code="no-untyped-def,call-arg"

from collections.abc import Sequence
from itertools import chain
from struct import pack_into
from threading import local
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numba import njit
from numba.np.unsafe.ndarray import to_fixed_tuple
from numpy.typing import NDArray

from reco_app.engine import rank, together
from reco_app.engine.delta import Pairs
from reco_app.engine.index import PURCHASE
from reco_app.engine.json_kernels import line, rows, write_results
from reco_app.engine.kernels import rank_by_sessions
from reco_app.engine.model import Model, Sessions
from reco_app.engine.parameters import Neighbourhood, Weighing
from reco_app.engine.rank import ContextItem
from reco_app.engine.scratch import Counting, Scratch
from reco_app.engine.tiers import EMBEDDING, SESSION

MOST_CONTEXT, MOST_RESULTS, MOST_NEVER = 50, 100, 1_100
MOST_BYTES = 1 << 18
TOO_FEW, WITHOUT_CARDS = -1, -2
# Rows of the table: what came since the release was trained, what is written, items without cards.
PAIRS = (12, 13, 14, 30, 31)
WRITTEN, LEFT, CARDS = 28, 29, 35
WEIGHING, NEIGHBOURHOOD = len(Weighing._fields), len(Neighbourhood._fields)


class CardTable:
    """Where the card of each item lies in memory, as JSON: address and length, 0 for none yet.

    Cards stay in memory as long as the table.
    """

    def __init__(self, item_count: int) -> None:
        self.places = np.zeros((item_count, 2), np.int64)
        self._kept: list[NDArray[np.uint8]] = []

    def put(self, item: int, card: bytes) -> None:
        kept = np.frombuffer(card, np.uint8)
        self._kept.append(kept)
        self.places[item] = kept.ctypes.data, len(kept)


class Direct:
    """One thread's way to a release: its arrays by address, and working memory.

    Raises TypeError for arrays of other types than the compiled code was made for.
    """

    def __init__(self, model: Model) -> None:
        names = [item_id.encode() for item_id in model.item_ids]
        settings = (*model.parameters.session_weighing, *model.parameters.session)
        question, never = np.zeros((MOST_CONTEXT, 4)), np.zeros(MOST_NEVER, np.int32)
        self._cards = CardTable(0)
        self._arrays = (
            *model.sessions,
            model.index.item_kinds,
            *model.scratch.take(),
            *model.counting.take(),
            np.frombuffer(b"".join(names) or b" ", np.uint8),
            np.concatenate([[0], np.cumsum([len(name) for name in names])]).astype(np.int64),
            np.zeros(MOST_BYTES, np.uint8),
            np.zeros(MOST_RESULTS, np.int32),
            model.pairs.bought,
            model.pairs.met,
            np.array(settings, np.float64),
            question,
            never,
            self._cards.places,
        )
        self._table = _table(self._arrays)
        self.pairs = model.pairs
        self._question, self._never = question.data, never.data
        self._written = self._arrays[WRITTEN].data

    def read(self, pairs: Pairs) -> None:
        """From now on this is what came since the release was trained."""
        arrays: list[NDArray[Any]] = [*pairs.of_sessions, pairs.bought, pairs.met]
        for place, array in zip(PAIRS, arrays, strict=True):
            self._table[place] = _row(array, _TYPES[place])
        self.pairs = pairs

    def after_sessions(
        self,
        context: Sequence[tuple[int, int, float, float]],
        mask: NDArray[np.uint8],
        never: Sequence[int],
        cards: CardTable,
        *,
        count: int,
        least: float,
    ) -> bytes | list[int] | None:
        """What `rank` and `drivers` tell for scenario `session`, as JSON objects with commas.

        None unless the first tier finds `count` items; these items if a card of theirs is not in
        the table. `mask` covers at least the model's items; items of `never` do not appear;
        drivers after the first have at least a share of `least`. The context holds ContextItems,
        or tuples of the same.
        """
        if len(context) > MOST_CONTEXT or count > MOST_RESULTS or len(never) > MOST_NEVER:
            return None
        pack_into(f"{4 * len(context)}d", self._question, 0, *chain.from_iterable(context))
        pack_into(f"{len(never)}i", self._never, 0, *never)
        if cards is not self._cards:
            self._table[CARDS] = _row(cards.places, _TYPES[CARDS])
            self._cards = cards
        if mask.flags.writeable:
            mask = rank.readonly(mask)
        found = _after_sessions(self._table, mask, len(context), len(never), count, least)
        if found == WITHOUT_CARDS:
            return [int(item) for item in self._arrays[LEFT][:count]]
        return self._written[:found].tobytes() if found > 0 else None


class _Ways(local):
    """Each thread's own: two that share working memory would write into each other's answers."""

    def __init__(self) -> None:
        self.to: WeakKeyDictionary[Model, Direct] = WeakKeyDictionary()


_ways = _Ways()


def to(model: Model) -> Direct:
    """This thread's way to a model."""
    way = _ways.to.get(model.release)
    if way is None:
        way = _ways.to[model.release] = Direct(model.release)
    if way.pairs is not model.pairs:
        way.read(model.pairs)
    return way


def warm(model: Model) -> None:
    """Compile, or load from the cache, all that answering needs; slow only the first time."""
    rank.warm(model)
    if model.item_ids:
        mask = np.ones(len(model.item_ids), np.uint8)
        cards = CardTable(len(model.item_ids))
        Direct(model).after_sessions([ContextItem(0)], mask, [], cards, count=1, least=0.0)


_TYPES = tuple(
    map(
        np.dtype,
        (
            *(np.int64, np.int32, np.int32, np.float32, np.int64, np.int32),  # Sessions
            *(np.float32, np.float32, np.int32, np.float32, np.int64, np.int32),
            *(np.int64, np.int32, np.float32),  # pairs
            np.uint8,  # kinds
            *(np.float32, np.int32, np.uint8, np.uint8, np.int32, np.float32, np.uint64),  # Scratch
            *(np.uint8, np.uint64, np.int32),  # Counting
            *(np.uint8, np.int64, np.uint8, np.int32),  # ids, where they begin; text, items
            *(np.int32, np.int32),  # pairs that were bought, that were met
            *(np.float64, np.float64, np.int32, np.int64),  # settings, question, never, cards
        ),
    )
)


def _table(arrays: Sequence[NDArray[np.generic]]) -> NDArray[np.int64]:
    return np.array([_row(*each) for each in zip(arrays, _TYPES, strict=True)], np.int64)


def _row(array: NDArray[np.generic], dtype: np.dtype[np.generic]) -> tuple[int, int, int]:
    """Address, length and width."""
    if array.dtype != dtype or not array.flags.c_contiguous:
        raise TypeError(f"an array of {array.dtype} where {dtype}, without gaps, is read")
    return array.ctypes.data, len(array), array.shape[-1]


# It keeps the interpreter's lock: a card that is copied must not be freed meanwhile.
@njit(cache=True)
def _after_sessions(table, mask, asked, barred, count, least):
    """The bytes written; or TOO_FEW, or WITHOUT_CARDS and the items written.

    `asked` and `barred` are the lengths of question and never.
    """
    settings = line(table[32], np.float64)
    question = rows(table[33], np.float64)[:asked]
    never = line(table[34], np.int32)[:barred]
    cards = rows(table[35], np.int64)
    index = Sessions(
        line(table[0], np.int64),
        line(table[1], np.int32),
        line(table[2], np.int32),
        line(table[3], np.float32),
        line(table[4], np.int64),
        line(table[5], np.int32),
        line(table[6], np.float32),
        line(table[7], np.float32),
        line(table[8], np.int32),
        rows(table[9], np.float32),
        line(table[10], np.int64),
        line(table[11], np.int32),
        line(table[12], np.int64),
        line(table[13], np.int32),
        line(table[14], np.float32),
    )
    scratch = Scratch(
        line(table[16], np.float32),
        line(table[17], np.int32),
        line(table[18], np.uint8),
        line(table[19], np.uint8),
        line(table[20], np.int32),
        line(table[21], np.float32),
        line(table[22], np.uint64),
    )
    context = (
        question[:, 0].astype(np.int32),
        question[:, 1].astype(np.uint8),
        question[:, 2].astype(np.float32),
        question[:, 3].astype(np.float32),
    )
    weighing = Weighing(*to_fixed_tuple(settings[:WEIGHING], WEIGHING))
    neighbourhood = Neighbourhood(*to_fixed_tuple(settings[WEIGHING:], NEIGHBOURHOOD))
    for item in never:
        scratch.taken[item] = 1
    items, scores, sources, shares = rank_by_sessions(
        context, weighing, index, neighbourhood, mask, scratch, count, (SESSION, EMBEDDING)
    )
    for item in never:
        scratch.taken[item] = 0
    if len(items) < count:
        return TOO_FEW
    without = False
    kept = line(table[29], np.int32)
    for row in range(count):
        kept[row] = items[row]
        without |= cards[items[row], 1] == 0
    if without:
        return WITHOUT_CARDS
    told, parts = together.drivers(
        (index.item_start, index.item_sessions, line(table[15], np.uint8)),
        (items, context[0], shares),
        together.MOST_TOLD,
        least,
        PURCHASE,
        together.STRONGER,
        Counting(line(table[23], np.uint8), line(table[24], np.uint64), rows(table[25], np.int32)),
        (
            index.pair_start,
            index.pair_items,
            line(table[30], np.int32),
            line(table[31], np.int32),
        ),
    )
    ids = (line(table[26], np.uint8), line(table[27], np.int64))
    return write_results(table[28], ids, cards, (items, scores, sources), told, parts)
