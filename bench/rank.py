"""`python -m bench rank`: ranking alone, and beside the same method in plain numpy.

On the click log of DATA, one request after another on one core, with the prefixes of its test
sessions; a list of twelve, the context left out. Where DATA is absent there are no figures.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from bench import logs, plain
from reco_app.engine.model import Model
from reco_app.engine.parameters import Parameters
from reco_app.engine.rank import ContextItem, rank, warm
from reco_app.training import evaluation, eventlog

COUNT = 12
ROUNDS = 5  # of which the median of each request counts

Answer = TypeVar("Answer")


class Different(Exception):
    """The kernel and plain numpy come to different scores."""


def measure() -> dict[str, float]:
    """`rank.p50_us`, `rank.p99_us`, `rank.speedup_over_numpy`: medians of the same requests."""
    source = logs.data()
    if source is None:
        return {}
    model = evaluation.trained(eventlog.read(source / "clicks_train.csv.gz"), Parameters())
    contexts = evaluation.contexts(model, eventlog.read(source / "clicks_test.csv.gz"))
    warm(model)
    masks = [_mask(model, context) for context in contexts]
    asked = list(zip(contexts, masks, strict=True))
    compiled, answers = _timed(
        lambda context, mask: rank(model, context, scenario="session", mask=mask, count=COUNT),
        asked,
    )
    plainly, expected = _timed(
        lambda context, mask: plain.rank(model, context, mask=mask, count=COUNT), asked
    )
    for ours, (_, scores) in zip(answers, expected, strict=True):
        told = ours.scores[: len(scores)]  # after these come other tiers
        if not np.allclose(told / (1 - told), scores, rtol=1e-3):
            raise Different(f"{ours} and {scores}")
    return {
        "rank.p50_us": float(np.percentile(compiled, 50)) * 1e6,
        "rank.p99_us": float(np.percentile(compiled, 99)) * 1e6,
        "rank.speedup_over_numpy": float(np.median(plainly) / np.median(compiled)),
    }


def _mask(model: Model, context: Sequence[ContextItem]) -> NDArray[np.uint8]:
    mask = np.ones(len(model.item_ids), np.uint8)
    mask[[entry.item for entry in context]] = 0
    return mask


def _timed(
    answer: Callable[..., Answer], asked: Sequence[tuple[Any, ...]]
) -> tuple[NDArray[np.float64], list[Answer]]:
    """Median seconds of each request, and the answers of the last round."""
    seconds = np.empty((ROUNDS, len(asked)))
    for row in range(ROUNDS):
        answers = []
        for number, request in enumerate(asked):
            started = time.perf_counter()
            answers.append(answer(*request))
            seconds[row, number] = time.perf_counter() - started
    return np.median(seconds, axis=0), answers
