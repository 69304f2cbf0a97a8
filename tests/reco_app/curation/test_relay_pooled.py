"""The relay behind a pooler that hands out connections by transaction."""

import os
import shutil
import threading
import time
from decimal import Decimal

import pytest
from django.db import connection, connections

from reco_app.curation import relay, store
from reco_app.curation.models import OutboxEntry
from runtime.local.servers import Server, accepts, free_port
from tests import servers

PRODUCTS = 60


@pytest.fixture
def pooled(tmp_path, transactional_db, monkeypatch):
    """Connections that are made from here on go through PgBouncer, which has two of its own."""
    servers.need("PgBouncer")
    database, port = connections.settings["default"], free_port()
    shown = tmp_path / "pgbouncer.ini"
    shown.write_text(
        f"[databases]\n* = host={database['HOST']} port={database['PORT']} "
        f"user={database['USER']} password={database['PASSWORD']}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = any\n"
        "pool_mode = transaction\ndefault_pool_size = 2\nunix_socket_dir =\n"
    )
    for folder in (shown, *shown.parents[:3]):
        folder.chmod(folder.stat().st_mode | 0o055)  # it does not run as root
    server = Server(
        "PgBouncer",
        [shutil.which("pgbouncer", path="/usr/sbin:/usr/bin"), str(shown)],
        log=tmp_path / "output.log",
        ready=lambda: accepts(port),
        user="nobody" if os.geteuid() == 0 else None,
    )
    server.wait_until_ready()
    with monkeypatch.context() as patch:
        patch.setitem(database, "PORT", port)
        connection.close()
        yield
        connection.close()
    server.stop()


@pytest.mark.debian
def test_relays_that_share_two_connections_deliver_each_change_once(pooled, catalogue, monkeypatch):
    lamp = {"title": "Lamp", "price": Decimal(1), "currency": "USD"}
    store.upsert_products({f"lamp{n}": lamp for n in range(PRODUCTS)}, reason="t", user_id=None)
    monkeypatch.setattr(relay, "BATCH", 4)
    stop = threading.Event()
    relays = [
        threading.Thread(target=lambda: (relay.run(stop), connection.close())) for _ in range(5)
    ]
    for thread in relays:
        thread.start()
    deadline = time.monotonic() + 20
    while OutboxEntry.objects.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    stop.set()
    for thread in relays:
        thread.join(timeout=5)

    sent = [card["id"] for card in catalogue.cards]
    assert len(sent) == len(set(sent)) == PRODUCTS
