"""How often sessions come back to a product, and what follows for the engine's parameters.

Logs of every view hold the same products again and again, others each product once: no constant
suits both. What tuning then finds is measured from here.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reco_app.engine.parameters import Parameters
from reco_app.training.eventlog import EventLog

# What found most on clicks with none, some and all of their re-views: docs/ranking.md.
AGAIN_FACTOR = 17.0
AT_ONCE_FACTOR, AT_ONCE_LEAST = 5.0, 0.05


class Revisits(NamedTuple):
    """What may follow in a session: against every event that is neither of these."""

    again: float
    """Events of a product met before, with another in between."""
    at_once: float
    """Events of the product of the event before."""


def fitted(log: EventLog, parameters: Parameters) -> Parameters:
    """The same parameters, with those of re-views as often as the log has them."""
    again, at_once = counted(log)
    session = parameters.session._replace(
        repeat_factor=AGAIN_FACTOR * again,
        current_factor=AT_ONCE_LEAST + AT_ONCE_FACTOR * at_once,
    )
    return parameters._replace(session=session)


def counted(log: EventLog) -> Revisits:
    """Of products of one session alone nothing is counted: newer sessions would not know them."""
    pairs = log.session * len(log.item_ids) + log.item
    sessions = np.bincount(np.unique(pairs) % max(len(log.item_ids), 1))
    pairs = pairs[sessions[log.item] > 1]
    at_once = int(np.count_nonzero(pairs[1:] == pairs[:-1]))
    again = len(pairs) - len(np.unique(pairs)) - at_once
    others = len(pairs) - _sessions_of(pairs, len(log.item_ids)) - again - at_once
    return Revisits(again / max(others, 1), at_once / max(others, 1))


def _sessions_of(pairs: NDArray[np.int64], item_count: int) -> int:
    return len(np.unique(pairs // max(item_count, 1)))
