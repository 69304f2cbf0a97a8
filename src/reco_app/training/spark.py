"""Spark: counts events in a cluster, for logs that outgrow one machine. Needs the extra `spark`.

The executors read the exported events from the model store, so it must be mounted at the same path
on all of them. Memory, partitions and addresses are Spark's own settings: conf/spark-defaults.conf.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import sqlglot
from pyspark import SparkContext
from pyspark.sql import SparkSession
from sqlglot import exp

from reco_app.training.counting import Run, Tables


@contextmanager
def opened(master: str, *, parquet: Sequence[Path]) -> Iterator[Run]:
    """A session on this master (`spark://host:7077`, `local[2]`); its JVM ends with it."""
    session = (
        SparkSession.builder.appName("multireco train")
        .master(master)
        .config("spark.driver.maxResultSize", 0)  # the arrays come here whole, whatever their size
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )
    try:
        session.sparkContext.setLogLevel("ERROR")

        def run(text: str, tables: Tables) -> list[pa.Table]:
            if parquet:
                files = [path.resolve().as_uri() for path in parquet]
                session.read.parquet(*files).createOrReplaceTempView("events")
            for name, table in tables.items():
                session.createDataFrame(table).createOrReplaceTempView(name)
            return _run(session, text)

        yield run
    finally:
        _close(session)


def _run(session: SparkSession, text: str) -> list[pa.Table]:
    statements = [one for one in sqlglot.parse(text, read="duckdb") if one is not None]
    uses = Counter(table.name for one in statements for table in one.find_all(exp.Table))
    read, made = [], []
    for statement in statements:
        found = session.sql(statement.sql(dialect="spark", comments=False))
        if not isinstance(statement, exp.Create):
            read.append(found.toArrow())
            continue
        made.append(statement.this.name)
        if uses[made[-1]] > 2:  # where it is made, and more than one reader: do not make it twice
            session.catalog.cacheTable(made[-1])
    session.catalog.clearCache()
    for name in made:
        session.catalog.dropTempView(name)
    return read


def _close(session: SparkSession) -> None:
    """`stop` leaves the JVM running until Python ends; a worker goes on for days."""
    gateway = SparkContext._gateway
    session.stop()
    if gateway is not None:
        gateway.shutdown()
        gateway.proc.stdin.close()
        gateway.proc.wait()
        SparkContext._gateway = SparkContext._jvm = None
