"""Counting the sessions that two items share: the evidence behind a reason."""

# Compiled code has types of its own, which mypy cannot see.
# mypy: disable-error-code="no-untyped-def"

from numba import njit

MUCH_LONGER = 8  # from here on searching the longer list beats walking it


@njit(cache=True, nogil=True)
def shared_sessions(index, left, right, purchase):
    """Sessions with both items: bought in each, and otherwise met in each."""
    start, sessions, kinds = index
    if start[left + 1] - start[left] > start[right + 1] - start[right]:
        left, right = right, left
    place, place_end = start[left], start[left + 1]
    other, end = start[right], start[right + 1]
    search = end - other > MUCH_LONGER * (place_end - place)
    bought = 0
    met = 0
    while place < place_end and other < end:
        session = sessions[place]
        if search:
            other = _first_not_newer(sessions, other, end, session)
        else:
            while other < end and sessions[other] > session:
                other += 1
        if other < end and sessions[other] == session:
            if kinds[place] & kinds[other] & purchase:
                bought += 1
            if kinds[place] & ~purchase and kinds[other] & ~purchase:
                met += 1
        place += 1
    return bought, met


@njit(cache=True, nogil=True)
def _first_not_newer(sessions, first, end, session):
    """Where a list, newest first, comes to `session` or passes it; looks near `first` first."""
    step = 1
    while first + step < end and sessions[first + step] > session:
        first += step
        step *= 2
    last = min(first + step, end)
    while first < last:
        middle = (first + last) // 2
        if sessions[middle] > session:
            first = middle + 1
        else:
            last = middle
    return first
