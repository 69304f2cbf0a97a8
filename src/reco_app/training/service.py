"""From stored events to a live release, and back to an earlier one."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from secrets import token_hex
from time import monotonic, time
from typing import Any, NamedTuple

import numpy as np

from reco_app.curation import store as curation
from reco_app.engine import release
from reco_app.engine.index import Catalogue, Index, build
from reco_app.engine.model import open_release
from reco_app.engine.parameters import Parameters, to_dict
from reco_app.engine.sealed import ReleaseCorrupt, verify
from reco_app.events import days, export
from reco_app.settings import current
from reco_app.training import dataset, descriptions, gate, sharing, snapshot, store
from reco_app.training.counting import Count
from reco_app.training.models import Release
from runtime import rest

KEEP = timedelta(days=7)  # as long as an answer can be replayed on its release
WAYS_BACK = 4  # the live release, and those that were live before it
PARAMETERS = Parameters()
ABANDONED_SECONDS = 3600
STAMP = "%Y-%m-%dT%H:%M:%SZ"

Report = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


class ReleaseGone(Exception):
    """No release of this version is in the model store."""


class Trained(NamedTuple):
    """What a training came to; `warnings` tell what else did not go as it should."""

    version: str
    live: bool
    note: str
    measures: Mapping[str, float]
    facts: Mapping[str, Any]
    warnings: list[str]


@dataclass(frozen=True, slots=True)
class _Built:
    verdict: gate.Verdict
    facts: dict[str, Any]


def train(*, now: datetime, report: Report, tuning: bool = True) -> Trained:
    """Train on all stored events, and switch to the new release unless popularity beats it.

    Without `tuning` the parameters are those built in, and only the gate looks at sessions.
    Raises store.TrainingRuns and days.StoredMeanwhile. Killed at any moment, it leaves the live
    release as it was.
    """
    model_dir = current().model_dir
    seconds: dict[str, float] = {}
    with store.alone(), _staged(model_dir) as folder:
        built = _build(model_dir, folder, now, _timed(report, seconds), tuned=tuning)
        version = release.publish(
            folder,
            model_dir,
            parameters=built.verdict.parameters,
            trained_at=now,
            # Two trainings of the same data in one second must not get the same version.
            details=built.facts
            | {
                "passed": built.verdict.passed,
                "measures": built.verdict.measures,
                "run": token_hex(8),
            },
        )
        live = built.verdict.passed or next(release.to_serve(model_dir)) == version
        _record(version, built, seconds, live=live)
        if live:
            switch(version)
        warnings = _shared(report)
        prune(now=now)
    return Trained(version, live, built.verdict.note, built.verdict.measures, built.facts, warnings)


def switch(version: str) -> None:
    """Make a release live. Raises ReleaseGone, and ReleaseCorrupt if it is not whole."""
    model_dir = current().model_dir
    if version not in release.releases(model_dir):
        raise ReleaseGone(f"There is no release {version} in the model store.")
    with store.switching():
        release.set_live(model_dir, version)
        store.mark_live(version)


def prune(*, now: datetime) -> list[str]:
    """Delete releases that were not live for seven days; returns their versions.

    Those that were live last stay as a way back, however long ago that was.
    """
    model_dir = current().model_dir
    lived = release.lived(model_dir)
    oldest = (now - KEEP).strftime(STAMP)  # versions begin with their time
    kept = {*lived[:WAYS_BACK], *(one for newer, one in pairwise(lived) if newer >= oldest)}
    old = [one for one in release.releases(model_dir) if one not in kept and one < oldest]
    if not lived:
        return []  # the pointer is lost: whatever it named must not be
    for version in old:
        store.mark_pruned(version)
        release.remove(model_dir, version)
    return old


def releases() -> list[Release]:
    """All releases, newest first, with the record brought in line with the model store."""
    store.mark_live(release.live_version(current().model_dir))
    return store.releases()


def trouble() -> str:
    """Why the live release cannot be served, and what to do; empty if it can."""
    model_dir = current().model_dir
    version = release.live_version(model_dir)
    try:
        if version is not None:
            verify(release.release_path(model_dir, version))
        elif release.releases(model_dir):
            return "The pointer names no release: make one of these live."
    except ReleaseCorrupt as error:
        return f"{error}."
    return ""


def _tidy_up(model_dir: Path) -> None:
    """Remove what a killed training left behind, and finish what it did not come to record."""
    for left in model_dir.glob(f"{release.STAGED}*"):
        if left.is_dir():
            shutil.rmtree(left)
        elif time() - left.stat().st_mtime > ABANDONED_SECONDS:  # a pointer, never switched
            left.unlink()
    store.mark_live(release.live_version(model_dir))


@contextmanager
def _staged(model_dir: Path) -> Iterator[Path]:
    """A folder to train into. It goes if that fails: it may be what filled the disk."""
    _tidy_up(model_dir)
    folder = release.stage(model_dir)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # a release has another name by now


def _timed(report: Report, seconds: dict[str, float]) -> Report:
    """The same report, which also notes in `seconds` how long each step took."""
    began: dict[str, float] = {}

    def noted(step: str, done: int, total: int) -> None:
        started = began.setdefault(step, monotonic())
        if done == total:
            seconds[f"{step}{store.STEP_SECONDS}"] = round(monotonic() - started, 3)
        report(step, done, total)

    return noted


def _build(model_dir: Path, folder: Path, now: datetime, report: Report, *, tuned: bool) -> _Built:
    cut = days.cut()
    parquet = export.update(
        model_dir / export.FOLDER,
        until=cut,
        report=lambda done, total: report("exporting events", done, total),
    )
    report("reading catalogue and events", 0, 1)
    version = curation.clock_version()
    with dataset.opened(parquet, spark_master=current().spark_master) as run:
        item_ids = snapshot.write(
            folder, curation.all_products(), also=dataset.item_ids(run), version=version
        )
        log = dataset.whole(run, item_ids)
        live = _live(model_dir, item_ids)
        held = dataset.held_out(
            run,
            item_ids,
            log.began_us,
            part=gate.HELD_OUT,
            seen_until=gate.seen_until(live),
        )
    catalogue = _catalogue(snapshot.read(folder))
    report("reading catalogue and events", 1, 1)
    report("tuning on the newest sessions", 0, 1)
    verdict = gate.judge(held, catalogue, PARAMETERS, tuned=tuned, live=live)
    report("tuning on the newest sessions", 1, 1)
    report("building the index", 0, 1)
    index = build(log.counted, catalogue, verdict.parameters, now=now.timestamp())
    release.save(folder, index, item_ids)
    report("building the index", 1, 1)
    return _Built(verdict, _facts(log, index) | {"cut": cut})


def _live(model_dir: Path, item_ids: Sequence[str]) -> gate.Live | None:
    """The live release to compare with; none if there is none that can be opened."""
    version = release.live_version(model_dir)
    if version is None:
        return None
    try:
        model = open_release(release.release_path(model_dir, version))
    except ReleaseCorrupt:
        return None
    place = [model.items.get(item_id, -1) for item_id in item_ids]
    return gate.Live(model, np.array(place, np.int64))


def _catalogue(products: snapshot.Snapshot) -> Catalogue:
    """The first category of each product is taken for its finest."""
    category = np.full(len(products.price), -1, np.int32)
    known = np.flatnonzero(np.diff(products.category_start))
    category[known] = products.categories[products.category_start[known]]
    return Catalogue(
        category, products.published_at.astype(np.float64), descriptions.features(products)
    )


def _facts(log: Count, index: Index) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "events": log.events,
        "sessions": len(index.session_at),
        "items": len(index.idf),
    }
    if log.span:
        facts["span"] = [datetime.fromtimestamp(at, UTC).strftime(STAMP) for at in log.span]
    return facts


def _record(version: str, built: _Built, seconds: Mapping[str, float], *, live: bool) -> None:
    store.record(
        version=version,
        trained_at=datetime.strptime(version[:20], STAMP).replace(tzinfo=UTC),
        status=Release.Status.READY if live else Release.Status.REFUSED,
        note=built.verdict.note,
        measures=built.verdict.measures | built.facts | dict(seconds),
        parameters=to_dict(built.verdict.parameters),
    )


def _shared(report: Report) -> list[str]:
    try:
        sharing.share(report=report)
    except rest.Unavailable as error:
        return [f"Preferences and profiles stay as they were, and are tried hourly: {error}."]
    return []
