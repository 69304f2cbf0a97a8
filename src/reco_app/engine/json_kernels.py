"""Results written as JSON by compiled code: making an object for each would take twice as long."""

# Compiled code has types of its own, which mypy cannot see.
# mypy: disable-error-code="no-untyped-def,no-untyped-call,call-arg,attr-defined"

import numpy as np
from numba import carray, njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from reco_app.engine.tiers import EMBEDDING, SESSION, SOURCES

EVIDENCE = ("similar", "viewed-together", "bought-together")
ROOM = 1_024  # bytes for what a result says beside its card: four ids of 64, words and numbers
SCORE_DIGITS, SHARE_DIGITS = 6, 4
SCORE_STEPS, SHARE_STEPS = 10**SCORE_DIGITS, 10**SHARE_DIGITS


def _text(words: str) -> NDArray[np.uint8]:
    return np.frombuffer(words.encode(), np.uint8)


_ID = _text('{"item_id":"')
_SCORE = _text('","score":')
_POSITION = _text(',"position":')
_FROM = tuple(_text(f',"source":"{source}","reasons":[') for source in SOURCES)
_SHARE = _text('","share":')
_TOLD = tuple(_text(f',"evidence":"{word}","count":') for word in EVIDENCE)
_NULL = _text("null")
_ALONE = _text('{"item_id":null,"share":1.0,"evidence":"similar","count":null}')
_CARD = _text('],"product":')
_COMMA, _END = _text(","), _text("}")


@intrinsic
def _pointer(_, address):
    def generate(context, builder, signature, arguments):
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return types.voidptr(address), generate


@intrinsic
def _copy(_, target, source, size):
    """Bytes from one address to another, in the fastest way that the processor has."""

    def generate(context, builder, signature, arguments):
        to, since, count = arguments
        pointers = (builder.inttoptr(address, cgutils.voidptr_t) for address in (to, since))
        cgutils.raw_memcpy(builder, *pointers, count, 1)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), generate


@njit(cache=True, inline="always")
def line(row, dtype):
    """The array that lies at an address, of a length."""
    return carray(_pointer(row[0]), row[1], dtype)


@njit(cache=True, inline="always")
def rows(row, dtype):
    """The same with a width."""
    return carray(_pointer(row[0]), (row[1], row[2]), dtype)


@njit(cache=True)
def write_results(place, ids, cards, ranked, told, parts):
    """Write the results, comma after comma; the bytes written, or -1 for no room.

    `ids` are bytes and where each item's begin, `cards` the address and length of each item's;
    `place` is that of `text`.
    """
    items, scores, sources = ranked
    text = line(place, np.uint8)
    at = 0
    driver = 0
    for row in range(len(items)):
        card, length = cards[items[row]]
        if at + length + ROOM > len(text):
            return -1
        if row:
            at = _put(text, at, _COMMA)
        at = _put_id(text, at, ids, items[row])
        at = _put(text, at, _SCORE)
        at = _put_fraction(text, at, int(scores[row] * SCORE_STEPS + 0.5), SCORE_DIGITS)
        at = _put(text, at, _POSITION)
        at = _put_whole(text, at, row + 1)
        at = _put(text, at, _FROM[SESSION] if sources[row] == SESSION else _FROM[EMBEDDING])
        first = driver
        while driver < len(parts) and told[0, driver] == row:
            if driver > first:
                at = _put(text, at, _COMMA)
            at = _put_reason(text, at, ids, told[:, driver], parts[driver])
            driver += 1
        if driver == first:
            at = _put(text, at, _ALONE)
        at = _put(text, at, _CARD)
        _copy(place[0] + at, card, length)
        at += length
        at = _put(text, at, _END)
    return at


# What follows is compiled into its caller: called, it took twice the time.
@njit(cache=True, inline="always")
def _put_reason(text, at, ids, told, share):
    at = _put_id(text, at, ids, told[1])
    at = _put(text, at, _SHARE)
    at = _put_fraction(text, at, int(share * SHARE_STEPS + 0.5), SHARE_DIGITS)
    if told[2] == 2:
        at = _put(text, at, _TOLD[2])
    elif told[2] == 1:
        at = _put(text, at, _TOLD[1])
    else:
        at = _put(text, at, _TOLD[0])
    at = _put_whole(text, at, told[3]) if told[3] else _put(text, at, _NULL)
    return _put(text, at, _END)


@njit(cache=True, inline="always")
def _put_id(text, at, ids, item):
    at = _put(text, at, _ID)
    return _put(text, at, ids[0][ids[1][item] : ids[1][item + 1]])


@njit(cache=True, inline="always")
def _put(text, at, words):
    _copy(np.int64(text.ctypes.data) + at, np.int64(words.ctypes.data), len(words))
    return at + len(words)


@njit(cache=True, inline="always")
def _put_whole(text, at, number):
    size = 1
    limit = 10
    while number >= limit:
        size += 1
        limit *= 10
    for place in range(at + size - 1, at - 1, -1):
        text[place] = 48 + number % 10
        number //= 10
    return at + size


@njit(cache=True, inline="always")
def _put_fraction(text, at, number, digits):
    """A number of so many decimals, as a whole, without zeros at its end but the first."""
    at = _put_whole(text, at, number // 10**digits)
    text[at] = 46
    number %= 10**digits
    for place in range(at + digits, at, -1):
        text[place] = 48 + number % 10
        number //= 10
    at += digits
    while text[at] == 48 and text[at - 1] != 46:
        at -= 1
    return at + 1
