"""A flood from one network: what it does to the ranking of a shop that it trains.

    python -m bench.flood [--full]

prints the figures as JSON. A shop of real groceries (MOST_PRODUCTS products, BASKETS baskets) is
loaded and trained; then 500 made-up sessions of one network buy one product twenty times each,
10,000 events in all, each beside the most popular products, and the shop is trained again. With
--full twice more: with the caps lifted (`flood.uncapped_…`), which shows what they are good for,
and as the most that one network can bring in below them in 24 hours (`flood.patient_…`): a session
of one product among four, HOURLY an hour. Senders are known for an hour and no longer, so 24
networks stand for the 24 hours of one. Compared are the product's place in `popular`, the lists of
twenty of all other products, by `session` and by `basket`, and Recall@20 of products hidden from
baskets that training has not seen.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import NamedTuple

import duckdb
import httpx2
import numpy as np

from bench.logs import Feed
from bench.shops import Fill, Shop, serving, stocked
from reco_app.engine import release
from reco_app.engine.model import Model, open_release
from reco_app.engine.rank import ContextItem, rank
from runtime.local import groceries
from runtime.local.processes import ROOT

MOST_PRODUCTS, BASKETS, HIDDEN_FROM = 3000, 20_000, 2000
SESSIONS, EVENTS = 500, 10_000
PLACE = 1000  # of the flooded product, before the flood
COUNT = 20
MOST_POPULAR = 50  # beside which the flooded product is bought
HOURS, HOURLY = 24, 120
NETWORK = "203.0.113.99"
REFUSED = 1  # exit code of a training whose release the gate turned away; it is there to look at
LIFTED = {
    "MULTIRECO_NETWORK_SESSIONS_PER_HOUR": "1000000",
    "MULTIRECO_NETWORK_PRODUCT_SESSIONS_PER_HOUR": "1000000",
}
CHOICE = """
CREATE TABLE lines AS SELECT session_id, item_id, "timestamp", event_type, quantity, price
FROM read_parquet($lines);
CREATE TABLE chosen AS SELECT item_id FROM lines
    GROUP BY item_id ORDER BY count(DISTINCT session_id) DESC, item_id LIMIT $products;
CREATE TABLE baskets AS SELECT session_id, row_number() OVER (ORDER BY md5(session_id)) AS place
FROM lines JOIN chosen USING (item_id)
GROUP BY session_id HAVING count(DISTINCT item_id) BETWEEN 3 AND 30
    ORDER BY place LIMIT $baskets
"""
EVENTS_OF = """
COPY (SELECT lines.* FROM lines JOIN chosen USING (item_id) JOIN baskets USING (session_id)
      WHERE place > {hidden} ORDER BY "timestamp", session_id, item_id)
TO '{target}' (FORMAT PARQUET)
"""
PRODUCTS_OF = """
COPY (SELECT products.* FROM read_json('{source}') AS products JOIN chosen ON chosen.item_id = id)
TO '{target}' (FORMAT JSON)
"""
HIDDEN = """
SELECT list(item_id ORDER BY md5(session_id || item_id)) FROM (
    SELECT DISTINCT session_id, item_id
    FROM lines JOIN chosen USING (item_id) JOIN baskets USING (session_id) WHERE place <= $hidden
) GROUP BY session_id ORDER BY session_id
"""


Event = dict[str, object]
Sent = Iterator[tuple[str, Iterable[Event]]]
"""Networks, and what each sends."""
Flood = Callable[[str, list[str]], Sent]
"""Of a product, and of all by their popularity."""


class Seen(NamedTuple):
    """What a release answers: its products by popularity, each one's lists, and Recall@20."""

    by_popularity: list[str]
    lists: dict[str, set[str]]
    recall: float


def main() -> None:
    figures = measure_full() if sys.argv[1:] == ["--full"] else measure()
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")


def measure() -> dict[str, float]:
    """Figures by their names."""
    return _moved({}, "flood.", _at_once)


def measure_full() -> dict[str, float]:
    """The same, and what a flood does where nothing is capped."""
    uncapped = _moved(LIFTED, "flood.uncapped_", _at_once)
    return measure() | uncapped | _moved({}, "flood.patient_", _patiently)


def _moved(given: Mapping[str, str], prefix: str, flood: Flood) -> dict[str, float]:
    with _shop() as (shop, baskets):
        before = _seen(shop.folder / "models", baskets)
        target = before.by_popularity[PLACE]
        with serving("all", shop, given=given, cores=os.sched_getaffinity(0)) as address:
            for network, events in flood(target, before.by_popularity):
                _send(address, network, list(events))
        _train(shop)
        after = _seen(shop.folder / "models", baskets)
    entered = [
        item
        for item, shown in after.lists.items()
        if item != target and target in shown and target not in before.lists[item]
    ]
    return {
        f"{prefix}rank_moved": float(abs(after.by_popularity.index(target) - PLACE)),
        f"{prefix}lists_entered_percent": round(100 * len(entered) / (len(after.lists) - 1), 2),
        f"{prefix}recall_lost_percent": round(100 * (1 - after.recall / before.recall), 2),
        f"{prefix}recall_at_20_before": round(before.recall, 4),
    }


@contextmanager
def _shop() -> Iterator[tuple[Shop, list[list[str]]]]:
    """A shop that is trained, and the baskets that it has not seen."""
    hidden: list[list[str]] = []
    with tempfile.TemporaryDirectory(prefix="multireco-flood-") as made:
        Path(made).chmod(0o755)  # PostgreSQL runs as another user where this runs as root
        fill = Fill(_writer(hidden), training=("--no-tuning",))
        with stocked(Path(made) / "shop", fill=fill) as shop:
            yield shop, hidden


def _writer(hidden: list[list[str]]) -> Callable[[Path], Feed]:
    def write(folder: Path) -> Feed:
        whole = groceries.write(folder / "whole", now=datetime.now(UTC))
        feed = Feed(folder / "products.jsonl", folder / "events.parquet")
        with duckdb.connect() as connection:
            parameters = {
                "lines": str(whole.events),
                "products": MOST_PRODUCTS,
                "baskets": BASKETS,
            }
            for text in CHOICE.split(";"):
                named = {name: value for name, value in parameters.items() if f"${name}" in text}
                connection.execute(text, named)
            connection.execute(EVENTS_OF.format(hidden=HIDDEN_FROM, target=feed.events))
            connection.execute(PRODUCTS_OF.format(source=whole.products, target=feed.products))
            rows = connection.execute(HIDDEN, {"hidden": HIDDEN_FROM}).fetchall()
        hidden.extend(items for (items,) in rows)
        return feed

    return write


def _send(address: str, network: str, events: list[Event]) -> None:
    """Post these as one network, as fast as it goes; each batch must be accepted."""
    batches = [events[first : first + 100] for first in range(0, len(events), 100)]

    def post(batch: list[Event]) -> None:
        answer = httpx2.post(
            f"{address}/v1/events",
            json={"events": batch, "consent": True},
            headers={"X-Forwarded-For": network},
            timeout=60,
        )
        if answer.status_code != httpx2.codes.ACCEPTED or answer.json()["rejected"]:
            raise RuntimeError(f"not accepted: {answer.status_code} {answer.text}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(post, batches))


def _at_once(target: str, by_popularity: list[str]) -> Sent:
    rng, beside = Random(7), by_popularity[:MOST_POPULAR]
    repeated = [target] * (EVENTS // SESSIONS)
    visits = [[*repeated, *rng.sample(beside, 4)] for _ in range(SESSIONS)]
    yield NETWORK, _made_up("flood", visits)


def _patiently(target: str, by_popularity: list[str]) -> Sent:
    rng, beside = Random(7), by_popularity[:MOST_POPULAR]
    others = [item for item in by_popularity[MOST_POPULAR:] if item != target]
    for hour in range(HOURS):
        decoys = [[item] for item in rng.sample(others, 3 * HOURLY)]
        visits = [[target, *rng.sample(beside, 4)] for _ in range(HOURLY)]
        yield f"203.0.113.{hour}", _made_up(f"hour-{hour}", [*decoys, *visits])


def _made_up(name: str, visits: list[list[str]]) -> Iterator[Event]:
    """Sessions that look like visits: their events lie half a minute apart."""
    now = datetime.now(UTC)
    for session, items in enumerate(visits):
        began_at = now - timedelta(minutes=15 + session % 30)
        for place, item_id in enumerate(items):
            yield {
                "event_id": f"{name}-{session}-{place}",
                "session_id": f"{name}-{session}",
                "event_type": "purchase",
                "item_id": item_id,
                "timestamp": (began_at + timedelta(seconds=30 * place)).isoformat(),
            }


def _train(shop: Shop) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "train", "--no-tuning"],
        env={**os.environ, **shop.environment},
        cwd=ROOT,
        check=False,
        stdout=sys.stderr,
    )
    if done.returncode not in (0, REFUSED):
        raise RuntimeError(f"training ended with {done.returncode}")


def _seen(model_dir: Path, baskets: list[list[str]]) -> Seen:
    """What the newest release answers, be it live or refused."""
    newest = max(release.releases(model_dir))
    model = open_release(release.release_path(model_dir, newest))
    lists = {
        item_id: _shown(model, [place], "session") | _shown(model, [place], "basket")
        for item_id, place in model.items.items()
    }
    found = [
        hidden in _shown(model, [model.items[item] for item in rest], "basket")
        for hidden, *rest in baskets
    ]
    order = model.index.popular_order
    ids = list(model.item_ids)
    return Seen([ids[place] for place in order], lists, float(np.mean(found)))


def _shown(model: Model, context: list[int], scenario: str) -> set[str]:
    mask = np.ones(len(model.item_ids), np.uint8)
    mask[context] = 0
    asked = [ContextItem(item) for item in context]
    items = rank(model, asked, scenario=scenario, mask=mask, count=COUNT).items
    return {str(model.item_ids[item]) for item in items}


if __name__ == "__main__":
    main()
