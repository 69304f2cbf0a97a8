"""Spark in local mode counts as DuckDB does: on the retail log where it is, or on one like it."""

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from reco_app.engine.index import build, uncatalogued
from reco_app.engine.parameters import Parameters
from reco_app.training import counting, dataset, eventlog
from reco_app.training.counting import Part
from runtime.local.processes import ROOT
from tests.reco_app.engine.logs import same
from tests.servers import need

RETAIL = Path(os.environ.get("DATA", ROOT.parent / "shared" / "data")) / "retail_events.csv.gz"
BORDER = 1_291_800_000_000_000  # a week into the log
DEFAULTS = """
spark.driver.bindAddress 127.0.0.1
spark.driver.host 127.0.0.1
spark.ui.enabled false
spark.ui.showConsoleProgress false
spark.sql.shuffle.partitions 1
spark.driver.extraJavaOptions -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
spark.local.dir {folder}
spark.sql.warehouse.dir {folder}
"""


@pytest.fixture
def spark_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "spark-defaults.conf").write_text(DEFAULTS.format(folder=tmp_path))
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path))
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    path = tmp_path / "events.parquet"
    parquet.write_table(_retail() if RETAIL.exists() else _like_retail(), path)
    return path


@pytest.mark.debian
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("spark_defaults")
def test_spark_and_duckdb_make_the_same_index(exported: Path) -> None:
    need("Java")
    counts, indices = [], []

    for master in ("local[1]", ""):
        with dataset.opened([exported], spark_master=master) as run:
            items = sorted(dataset.item_ids(run))
            counts.append(counting.count(run, items, Part(before_us=BORDER, since_us=BORDER)))
        catalogue = uncatalogued(len(items))
        indices.append(build(counts[-1].counted, catalogue, Parameters(), now=BORDER / 1e6))

    assert counts[0].events == counts[1].events > 5_000
    assert len(counts[0].given.at) > 1_000
    assert same(*indices)
    assert same(*(count.given for count in counts))


def _retail() -> pa.Table:
    log = eventlog.read(RETAIL)
    return _table(log.session, np.array(log.item_ids)[log.item], log.event_type, log.at)


def _like_retail() -> pa.Table:
    """Baskets of whole minutes, some lines twice, now and then a view or a line on its own."""
    rng = np.random.default_rng(5)
    baskets = np.repeat(np.arange(600), rng.integers(1, 40, 600))
    items = np.array([f"item-{place}" for place in range(300)])
    kinds = rng.choice([0, 3], len(baskets), p=[0.1, 0.9])
    at = 1_291_191_960.0 + 3_600.0 * (baskets // 3) + 60.0 * rng.integers(0, 5, len(baskets))
    chosen = items[(300 * rng.random(len(baskets)) ** 2).astype(int)]
    return _table(np.where(rng.random(len(baskets)) < 0.01, -1, baskets), chosen, kinds, at)


def _table(
    session: np.ndarray, item_id: np.ndarray, event_type: np.ndarray, at: np.ndarray
) -> pa.Table:
    """In the form of the export; session hashes in no order."""
    hashes = session.astype(np.int64) * 6_364_136_223_846_793_005
    return pa.table(
        {
            "session_hash": pa.array(hashes, mask=session < 0),
            "item_id": item_id.tolist(),
            "event_type": np.array(counting.EVENT_TYPES)[event_type].tolist(),
            "quantity": np.ones(len(at), np.int32),
            "occurred_at_us": np.round(at * counting.SECOND).astype(np.int64),
        }
    )
