"""The product as people meet it: its processes on stores of their own, filled with the market."""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx2

from runtime import keys
from runtime.local import secured
from runtime.local.certificates import Authority
from runtime.local.processes import ROOT, Processes, address_of, wait_until_ready
from runtime.local.servers import free_port
from tests import market

STAFF = "merchandiser"
PASSWORD = "correct horse battery staple"
ALL_PRODUCTS = len(market.MEALS) * 3 * market.KINDS


class Shop(NamedTuple):
    """Where a running shop is: what its users ask, its processes' ports, settings and logs."""

    address: str
    ports: Mapping[str, int]
    environment: Mapping[str, str]
    logs: Path
    authority: Authority | None = None

    def url(self, path: str) -> str:
        return f"{self.address}{path}"

    def key(self, *scopes: str) -> dict[str, str]:
        """Headers with a key of these scopes, as one made in the admin."""
        secret = self.environment["MULTIRECO_SECRET_KEY"]
        return {"Authorization": f"Bearer {keys.issue(key_id='t', scopes=scopes, secret=secret)}"}

    def run(self, *command: str) -> None:
        """Run a command of the product as an operator would beside it; it must succeed."""
        _run(self.environment, *command)


@contextmanager
def selling(
    addresses: Mapping[str, str],
    folder: Path,
    start: Callable[..., Mapping[str, int]],
    *,
    authority: Authority | None = None,
) -> Iterator[Shop]:
    """The processes that `start` starts on these stores, with the market loaded and learned.

    Where they have an `authority`, whoever asks over HTTP trusts it meanwhile.
    """
    port = free_port()
    environment = {
        "MULTIRECO_REQUESTS_PER_MINUTE": "1000000",  # a test asks more than any network
        **addresses,
        "MULTIRECO_SECRET_KEY": secrets.token_urlsafe(48),
        "MULTIRECO_MODEL_DIR": str(folder / "models"),
    }
    _run(environment, "/bin/sh", "deploy/entrypoint.sh", "migrate")
    with trusted(authority), Processes(environment, folder / "logs", authority) as processes:
        ports = start(processes, port=port)
        wait_until_ready(processes)
        beside = {**environment, **processes.beside(ports)}
        address = secured.address(port) if authority else address_of(port)
        shop = Shop(address, ports, beside, folder / "logs", authority)
        _fill(shop, folder / "feed")
        yield shop


@contextmanager
def trusted(authority: Authority | None) -> Iterator[None]:
    """Have clients of this process that are told nothing else trust it."""
    if authority is None:
        yield
        return
    os.environ["SSL_CERT_FILE"] = str(authority.certificate)
    try:
        yield
    finally:
        del os.environ["SSL_CERT_FILE"]


def wait_for_market(shop: Shop, seconds: float = 240) -> None:
    """Until every product is listed and answers come from a model, be it compiled first."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        listed = httpx2.get(shop.url("/v1/products"), params={"limit": 1}).json()
        answer = httpx2.get(shop.url("/v1/recommendations")).json()
        if listed.get("total") == ALL_PRODUCTS and answer.get("model"):
            return
        time.sleep(0.3)
    raise TimeoutError(f"the market did not come up in {seconds:g} s: {listed}, {answer}")


def restock(shop: Shop) -> None:
    """Bring back the products that a test has retired."""
    products, _ = market.write(shop.logs.parent / "feed")
    shop.run(sys.executable, "manage.py", "import_products", str(products))
    wait_for_market(shop)


@contextmanager
def in_admin(shop: Shop) -> Iterator[httpx2.Client]:
    """The admin, logged in."""
    referred = {"Referer": shop.url("/admin/")}  # as a browser tells; over TLS Django asks for it
    with httpx2.Client(
        base_url=shop.address, headers=referred, timeout=20, follow_redirects=True
    ) as staff:
        staff.get("/admin/login/")
        form = {"username": STAFF, "password": PASSWORD}
        page = staff.post("/admin/login/?next=/admin/", data=form | _token(staff))
        assert page.url.path == "/admin/", page.text
        yield staff


def choose(staff: httpx2.Client, action: str, item_id: str) -> None:
    """Choose an action of the admin's list of products for one of them."""
    form = {"action": action, "_selected_action": item_id}
    page = staff.post(f"/admin/curation/product/?q={item_id}", data=form | _token(staff))
    assert page.status_code == 200, page.text


def _token(staff: httpx2.Client) -> dict[str, str]:
    return {"csrfmiddlewaretoken": staff.cookies["csrftoken"]}


def _fill(shop: Shop, feed: Path) -> None:
    products, events = market.write(feed)
    manage = (sys.executable, "manage.py")
    shop.run(*manage, "import_products", str(products))
    shop.run(*manage, "import_events", str(events))
    shop.run(*manage, "train")
    account = (*manage, "createsuperuser", "--noinput", "--username", STAFF, "--email", "")
    _run({**shop.environment, "DJANGO_SUPERUSER_PASSWORD": PASSWORD}, *account)
    wait_for_market(shop)


def _run(environment: Mapping[str, str], *command: str) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command,
        env={**os.environ, **environment, "PATH": path},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}\n{done.stderr}"
