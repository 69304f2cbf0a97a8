"""`python -m bench.train`: how long training takes, and how much memory.

`measure` runs the whole of `manage.py train` as a shop does, from PostgreSQL to a live release and
the profile service, on a million events: clicks of a web shop (where its log is present) and
groceries with their catalogue of 92,331 products; the figures are those of the slower and of the
larger. `measure_full` leaves PostgreSQL, catalogue and profiles out, for ten million events would
take it longer to load than to train on: exported Parquet files to a published release.
"""

import json
import math
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np
import psycopg2

from bench import grown
from reco_app.engine import release
from reco_app.engine.index import build, uncatalogued
from reco_app.engine.parameters import Parameters
from reco_app.training import dataset, gate
from runtime.local import groceries, stores
from runtime.local.processes import ROOT, Processes, address_of, wait_until_ready
from runtime.local.servers import free_port

MILLION = 1_000_000
SIZES = (MILLION // 10, MILLION, 10 * MILLION)
DATA = Path(os.environ.get("DATA", ROOT.parent / "shared" / "data"))
CLICKS = "clicks_train.csv.gz"
MEBIBYTE_KB = 1024


def measure() -> dict[str, float]:
    """Seconds and mebibytes of a training on a million events."""
    _compile()
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="multireco-train-") as made:
        folder = Path(made)
        folder.chmod(0o755)  # PostgreSQL runs as another user where this runs as root
        shop = groceries.write(folder / "groceries", now=datetime.now(UTC))
        figures |= _trained("groceries", folder, log=shop.events, products=shop.products)
        if (DATA / CLICKS).exists():
            figures |= _trained("clicks", folder, log=DATA / CLICKS, products=None)
    worst = {"seconds_per_million_tuned", "seconds_per_million", "peak_mb_per_million"}
    return figures | {
        f"train.{name}": max(value for key, value in figures.items() if key.endswith(f".{name}"))
        for name in sorted(worst)
    }


def measure_full() -> dict[str, float]:
    """Seconds and mebibytes at three sizes, and how processor time grows: 1 is n log n."""
    _compile()
    figures, seconds = {}, []
    with tempfile.TemporaryDirectory(prefix="multireco-train-") as made:
        for events in SIZES:
            log = Path(made) / "log.parquet"
            grown.write(DATA / CLICKS, log, events=events)
            command = [sys.executable, "-m", "bench.train", str(log)]
            ran = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
            name = f"train.scaling.{events / MILLION:g}m"
            for figure, value in json.loads(ran.stdout).items():
                figures[f"{name}.{figure}"] = value
            seconds.append(figures[f"{name}.processor_seconds"])
    for name, first in (("exponent", 0), ("exponent_from_1m", 1)):
        work = [events * math.log(events) for events in SIZES[first:]]
        slope = np.polyfit(np.log(work), np.log(seconds[first:]), 1)[0]
        figures[f"train.scaling.{name}"] = float(slope)
    return figures


def _compile() -> None:
    subprocess.run([sys.executable, "-m", "reco_app.engine.warming"], cwd=ROOT, check=True)


def _trained(name: str, folder: Path, *, log: Path, products: Path | None) -> dict[str, float]:
    events = folder / f"{name}.parquet"
    grown.write(log, events, events=MILLION)
    with _shop(folder / f"{name}-shop") as environment:
        if products:
            _multireco(environment, "import_products", str(products))
        million = _load(environment["MULTIRECO_DATABASE_URL"], events) / MILLION
        plain, plain_mb = _train(environment, "--no-tuning")
        shutil.rmtree(environment["MULTIRECO_MODEL_DIR"])
        tuned, tuned_mb = _train(environment)
    return {
        f"train.{name}.seconds_per_million": plain / million,
        f"train.{name}.seconds_per_million_tuned": tuned / million,
        f"train.{name}.peak_mb_per_million": max(plain_mb, tuned_mb) / million,
    }


@contextmanager
def _shop(folder: Path) -> Iterator[dict[str, str]]:
    """PostgreSQL, Valkey and the profile service, all empty."""
    folder.mkdir()
    folder.chmod(0o755)
    port = free_port()
    own = {
        "MULTIRECO_SECRET_KEY": "only-for-measurements-" + "x" * 40,
        "MULTIRECO_MODEL_DIR": str(folder / "models"),
        "MULTIRECO_PROFILE_URL": address_of(port),
    }
    unused = {"MULTIRECO_MONGODB_URL": "mongodb://127.0.0.1:1/"}
    with stores.embedded(folder, given=unused) as addresses:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, **addresses, **own, "PATH": path}
        migrate = ["/bin/sh", str(ROOT / "deploy/entrypoint.sh"), "migrate"]
        with (folder / "migrate.log").open("wb") as output:
            subprocess.run(migrate, env=environment, stdout=output, stderr=output, check=True)
        with Processes(environment, folder / "logs") as processes:
            processes.start("profile", port=port)
            wait_until_ready(processes)
            yield environment


def _load(database_url: str, events: Path) -> int:
    """Copy the events into PostgreSQL as they are stored there; returns how many they are."""
    rows = events.with_suffix(".csv")
    duckdb.execute(
        "COPY (SELECT uuid(), session_hash, item_id, event_type, quantity, "
        f"make_timestamp(occurred_at_us) || 'Z' FROM '{events}') TO '{rows}' (HEADER false)"
    )
    columns = "event_id, session_hash, item_id, event_type, quantity, occurred_at"
    with psycopg2.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT events_make_days(%s::date[])",
            duckdb.execute(
                f"SELECT list(DISTINCT make_timestamp(occurred_at_us)::date) FROM '{events}'"
            ).fetchone(),
        )
        with rows.open() as file:
            cursor.copy_expert(f"COPY events_event ({columns}) FROM STDIN (FORMAT csv)", file)
        return int(cursor.rowcount)


def _train(environment: Mapping[str, str], *options: str) -> tuple[float, float]:
    """Seconds of the command, from start to exit, and the most mebibytes it held."""
    began = time.monotonic()
    process = subprocess.Popen(_command("train", *options), cwd=ROOT, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return time.monotonic() - began, usage.ru_maxrss / MEBIBYTE_KB


def _multireco(environment: Mapping[str, str], *arguments: str) -> None:
    subprocess.run(_command(*arguments), cwd=ROOT, env=environment, check=True)


def _command(*arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), *arguments]


def _from_parquet(log: Path) -> dict[str, float]:
    """What `train --no-tuning` does between its stores, in this process."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as made, dataset.opened([log], spark_master="") as run:
        item_ids = sorted(dataset.item_ids(run))
        whole = dataset.whole(run, item_ids)
        held = dataset.held_out(run, item_ids, whole.began_us, part=gate.HELD_OUT)
        catalogue = uncatalogued(len(item_ids))
        verdict = gate.judge(held, catalogue, Parameters(), tuned=False)
        now = datetime.now(UTC)
        index = build(whole.counted, catalogue, verdict.parameters, now=now.timestamp())
        folder = release.stage(Path(made))
        release.save(folder, index, item_ids)
        release.publish(
            folder, Path(made), parameters=verdict.parameters, trained_at=now, details={}
        )
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "events": whole.events,
        "seconds": time.monotonic() - began,
        "processor_seconds": usage.ru_utime + usage.ru_stime,
        "peak_mb": usage.ru_maxrss / MEBIBYTE_KB,
    }


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.stdout.write(json.dumps(_from_parquet(Path(sys.argv[1]))))
    else:
        sys.stdout.write(json.dumps(measure() | measure_full(), indent=1) + "\n")
