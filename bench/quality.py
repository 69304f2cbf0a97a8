"""`python -m bench.quality FOLDER`: how well the engine ranks, on real logs.

FOLDER holds clicks_train.csv.gz, clicks_test.csv.gz and retail_events.csv.gz. Prints a table and
writes build/quality.json: `clicks.recall_at_20`, `retail.hit_rate_at_10`, and the same behind
`baseline.NAME.`; `clicks_days.recall_gain` is the gain over plain VMIS-kNN on the last six days of
the training clicks, `_low` its lower 95 % bound.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

from reco_app.training import evaluation, eventlog, scorecard
from reco_app.training.cases import Protocol
from reco_app.training.evaluation import Run
from reco_app.training.eventlog import EventLog, EventLogUnreadable

OUTPUT = Path("build/quality.json")
CUTOFF = 20
DAYS = 6
TRAINING_PART = 0.9  # of the retail baskets, by time
SHOWN = ("recall_at_20", "hit_rate_at_10", "mrr_at_20", "coverage_at_20", "p50_us")


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: python -m bench.quality FOLDER")
    try:
        figures = measure(Path(sys.argv[1]))
    except EventLogUnreadable as error:
        sys.exit(str(error))
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(figures, indent=1) + "\n")
    Console().print(_table({name: value for name, value in figures.items() if "_gain" not in name}))
    for name, value in figures.items():
        if "_gain" in name:
            Console().print(f"{name} {value:+.4f}")


def measure(folder: Path) -> dict[str, float]:
    """The figures of both logs, by the names of build/quality.json."""
    clicks = eventlog.read(folder / "clicks_train.csv.gz")
    clicks_test = eventlog.read(folder / "clicks_test.csv.gz")
    retail = split(eventlog.read(folder / "retail_events.csv.gz"))
    return {
        **_named("clicks", _run("clicks", clicks, clicks_test, "next-item"), "next-item"),
        **_named("retail", _run("retail", *retail, "hide-one"), "hide-one"),
        **_gains(clicks),
    }


def split(log: EventLog) -> tuple[EventLog, EventLog]:
    """Older sessions to train on and the newest tenth to test with, by their last event."""
    ended = np.zeros(len(log.session_ids))
    np.maximum.at(ended, log.session, log.at)
    newest = np.argsort(ended, kind="stable")[int(TRAINING_PART * len(ended)) :]
    testing = np.isin(log.session, newest)
    return log.only(~testing), log.only(testing)


def _run(name: str, train: EventLog, test: EventLog, protocol: Protocol) -> Run:
    with _shown(name) as progress:
        return evaluation.evaluate(train, test, protocol=protocol, cutoff=CUTOFF, progress=progress)


def _gains(clicks: EventLog) -> dict[str, float]:
    """Over plain VMIS-kNN, day by day, each day trained on what came before it."""
    with _shown("clicks, days") as progress:
        runs = evaluation.evaluate_days(
            clicks,
            days=DAYS,
            protocol="next-item",
            cutoff=CUTOFF,
            progress=progress,
            beside={"vmis"},
        )
    gains = scorecard.gains(runs, protocol="next-item", cutoff=CUTOFF)
    return {
        f"clicks_days.{name}_gain{bound}": gains[f"gain.vmis.{name}_at_{CUTOFF}{bound}"]
        for name in ("recall", "mrr")
        for bound in ("", "_low")
    }


@contextmanager
def _shown(name: str) -> Iterator[evaluation.Progress]:
    with Progress(console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def show(method: str, done: int, of: int) -> None:
            if method not in tasks:
                tasks[method] = bars.add_task(f"{name}: {method}")
            bars.update(tasks[method], completed=done, total=of)

        yield show


def _named(log: str, run: Run, protocol: Protocol) -> dict[str, float]:
    figures = {}
    for name, value in scorecard.summary([run], protocol=protocol, cutoff=CUTOFF).items():
        method, _, measure = name.rpartition(".")
        figures[f"{method}.{log}.{measure}" if method else f"{log}.{measure}"] = value
    return figures


def _table(figures: dict[str, float]) -> Table:
    rows: dict[tuple[str, str], dict[str, float]] = {}
    for name, value in figures.items():
        *method, log, measure = name.split(".")
        rows.setdefault((log, method[-1] if method else "engine"), {})[measure] = value
    table = Table("log", "method", *(measure.replace("_at_", "@") for measure in SHOWN))
    for (log, method), row in rows.items():
        cells = (f"{row[measure]:.3g}" if measure in row else "" for measure in SHOWN)
        table.add_row(log, method, *cells)
    return table


if __name__ == "__main__":
    main()
