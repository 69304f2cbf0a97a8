"""`python -m bench rank`: ranking alone, and beside the same method in plain numpy.

On the click log of DATA, one request after another on one core, with the prefixes of its test
sessions; a list of twelve, the context left out. Where DATA is absent there are no figures.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from bench import logs, plain
from reco_app.engine.model import Model
from reco_app.engine.parameters import Parameters
from reco_app.engine.rank import ContextItem, rank, warm
from reco_app.engine.tiers import Context, Found, Request, session
from reco_app.engine.trials import Case, columns
from reco_app.training import cases, evaluation, eventlog

COUNT = 12
ROUNDS = 5

Answer = TypeVar("Answer")


class Different(Exception):
    """The kernel and plain numpy come to different scores."""


def measure() -> dict[str, float]:
    """`rank.p50_us` and `rank.p99_us` of the whole of ranking, `rank.speedup_over_numpy`.

    The last is the compiled kernel against plain numpy, both with their data in the caches.
    """
    source = logs.data()
    if source is None:
        return {}
    model = evaluation.trained(eventlog.read(source / "clicks_train.csv.gz"), Parameters())
    contexts = cases.prefixes(model, eventlog.read(source / "clicks_test.csv.gz"))
    warm(model)
    masks = [_mask(model, context) for context in contexts]
    asked = list(zip(contexts, masks, strict=True))
    whole = _timed(
        lambda context, mask: rank(model, context, scenario="session", mask=mask, count=COUNT),
        asked,
    )
    kernel = _kernel(model)
    compiled, plainly = list[float](), list[float]()
    for context, mask in asked:  # one after the other, so that the machine is the same to both
        seconds, (items, told, *_) = _at_best(kernel, _columns(context), mask)
        compiled.append(seconds)
        seconds, (_, scores) = _at_best(partial(plain.rank, mask=mask, count=COUNT), model, context)
        plainly.append(seconds)
        if len(items) != len(scores) or not np.allclose(told / (1 - told), scores, rtol=1e-3):
            raise Different(f"{told} and {scores}")
    return {
        "rank.p50_us": float(np.percentile(whole, 50)) * 1e6,
        "rank.p99_us": float(np.percentile(whole, 99)) * 1e6,
        "rank.speedup_over_numpy": float(np.median(plainly) / np.median(compiled)),
    }


def _kernel(model: Model) -> Callable[[Context, NDArray[np.uint8]], Found]:
    scratch = model.scratch.take()
    return lambda context, mask: session(Request(model, context, mask, scratch), COUNT)


def _columns(context: Sequence[ContextItem]) -> Context:
    one = columns([Case(context, -1)])
    return Context(one.items, one.kinds, one.quantities, one.ages)


def _mask(model: Model, context: Sequence[ContextItem]) -> NDArray[np.uint8]:
    mask = np.ones(len(model.item_ids), np.uint8)
    mask[[entry.item for entry in context]] = 0
    mask.flags.writeable = False
    return mask


def _timed(answer: Callable[..., Answer], asked: Sequence[tuple[Any, ...]]) -> list[float]:
    """Median seconds of each request, all of them in turn."""
    rounds = [[_once(answer, request)[0] for request in asked] for _ in range(ROUNDS)]
    return [statistics.median(seconds) for seconds in zip(*rounds, strict=True)]


def _at_best(answer: Callable[..., Answer], *request: Any) -> tuple[float, Answer]:
    """Least seconds of a request, asked several times in a row, and the answer."""
    runs = [_once(answer, request) for _ in range(ROUNDS)]
    return min(seconds for seconds, _ in runs), runs[0][1]


def _once(answer: Callable[..., Answer], request: tuple[Any, ...]) -> tuple[float, Answer]:
    started = time.perf_counter()
    answered = answer(*request)
    return time.perf_counter() - started, answered
