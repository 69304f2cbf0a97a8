"""How soon catalog serves what staff change in the admin: one process a role, embedded stores.

    python -m bench.projection

One product after the other is marked as out of stock in the admin's list; a change takes from the
moment at which it is sent, the admin's own page included, until catalog serves a newer version.
Then the read model is made anew beside all that.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx2
import numpy as np

from bench.intake import product_line, run
from runtime.local import stores
from runtime.local.processes import Processes, address_of, start_split, wait_until_ready
from runtime.local.servers import free_port

SECRET = "only-for-measurements-" + "x" * 40
STAFF, PASSWORD = "staff", "correct horse battery staple"
PRODUCTS = 2000
CHANGES = 100
MOST_SECONDS = 30
LOOK_SECONDS = 0.01


def measure() -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="multireco-projection-") as made:
        Path(made).chmod(0o755)
        with _shop(Path(made)) as (catalog, staff, beside):
            lags = [_lag(staff, catalog, f"p{number}") for number in range(CHANGES)]
            began = time.monotonic()
            run(beside, sys.executable, "manage.py", "rebuild_catalog")
            rebuilt = time.monotonic() - began
    return {
        "projection.changes": len(lags),
        "projection.lag_p50_seconds": float(np.percentile(lags, 50)),
        "projection.lag_p95_seconds": float(np.percentile(lags, 95)),
        "projection.lag_worst_seconds": max(lags),
        "projection.rebuild_products": PRODUCTS,
        "projection.rebuild_seconds": rebuilt,
    }


def _lag(staff: httpx2.Client, catalog: httpx2.Client, item_id: str) -> float:
    before = _version(catalog, item_id)
    form = {"action": "out_of_stock", "_selected_action": item_id}
    began = time.monotonic()
    page = staff.post("/admin/curation/product/", data=form | _token(staff))
    if page.status_code != 302:
        raise RuntimeError(f"the admin answered {page.status_code}")
    while _version(catalog, item_id) == before:
        if time.monotonic() > began + MOST_SECONDS:
            raise TimeoutError(f"catalog did not hear of {item_id}")
        time.sleep(LOOK_SECONDS)
    return time.monotonic() - began


def _version(catalog: httpx2.Client, item_id: str) -> int:
    told = catalog.get(f"/v1/products/{item_id}").raise_for_status().json()
    return int(told["version"])


@contextmanager
def _shop(folder: Path) -> Iterator[tuple[httpx2.Client, httpx2.Client, Mapping[str, str]]]:
    """A filled shop: a client of catalog, one that is logged in to the admin, and settings."""
    with stores.embedded(folder, given={}) as addresses:
        environment = {
            **addresses,
            "MULTIRECO_SECRET_KEY": SECRET,
            "MULTIRECO_MODEL_DIR": str(folder / "models"),
            "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
        }
        run(environment, "/bin/sh", "deploy/entrypoint.sh", "migrate")
        with Processes(environment, folder / "logs") as processes:
            ports = start_split(processes, port=free_port())
            wait_until_ready(processes)
            beside = {**environment, "MULTIRECO_CATALOG_URL": address_of(ports["catalog"])}
            with (
                httpx2.Client(base_url=address_of(ports["catalog"]), timeout=20) as catalog,
                httpx2.Client(base_url=address_of(ports["reco"]), timeout=20) as staff,
            ):
                _fill(beside, folder, catalog)
                _log_in(staff)
                yield catalog, staff, beside


def _fill(environment: Mapping[str, str], folder: Path, catalog: httpx2.Client) -> None:
    feed = folder / "products.jsonl"
    feed.write_text("".join(map(product_line, range(PRODUCTS))))
    manage = (sys.executable, "manage.py")
    run(environment, *manage, "import_products", str(feed))
    account = ("--noinput", "--username", STAFF, "--email", "")
    run(environment, *manage, "createsuperuser", *account)
    until = time.monotonic() + MOST_SECONDS
    while catalog.get("/v1/products?limit=1").json().get("total") != PRODUCTS:
        if time.monotonic() > until:
            raise TimeoutError("catalog was not told of the products")
        time.sleep(0.1)


def _log_in(staff: httpx2.Client) -> None:
    staff.get("/admin/login/")
    form = {"username": STAFF, "password": PASSWORD, "next": "/admin/"}
    page = staff.post("/admin/login/", data=form | _token(staff))
    if page.status_code != 302:
        raise RuntimeError(f"the admin answered {page.status_code}")


def _token(staff: httpx2.Client) -> dict[str, str]:
    return {"csrfmiddlewaretoken": staff.cookies["csrftoken"]}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(), indent=1) + "\n")
