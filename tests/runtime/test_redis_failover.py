"""Redis with Sentinel behind an address that follows the master, as a Service does."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import ResponseError

from runtime import redis, settings
from runtime.local.servers import Server, accepts, free_port
from tests import debian, servers
from tests.faults.proxy import FaultProxy

LONGEST_SECONDS = 60


@contextmanager
def _sentinel(folder: Path, master_port: int) -> Iterator["Redis[bytes]"]:
    folder.mkdir()
    port = free_port()
    (folder / "sentinel.conf").write_text(
        f"port {port}\nbind 127.0.0.1\nsentinel monitor shop 127.0.0.1 {master_port} 1\n"
    )
    server = Server(
        "Sentinel",
        ["/usr/bin/redis-server", str(folder / "sentinel.conf"), "--sentinel"],
        log=folder / "output.log",
        ready=lambda: accepts(port),
    )
    try:
        server.wait_until_ready()
        with Redis(port=port) as told:
            yield told
    finally:
        server.stop()


async def _until(what: Any) -> None:
    async with asyncio.timeout(LONGEST_SECONDS):
        while not await what():
            await asyncio.sleep(0.2)


@pytest.mark.debian
async def test_processes_leave_a_master_that_sentinel_has_demoted(tmp_path, monkeypatch):
    servers.need("Redis")
    old, new = free_port(), free_port()
    with (
        debian.redis(tmp_path / "old", port=old),
        debian.redis(tmp_path / "new", port=new),
        _sentinel(tmp_path / "sentinel", old) as sentinel,
        Redis(port=old) as master,
        Redis(port=new) as replica,
    ):
        replica.replicaof("127.0.0.1", old)
        proxy = FaultProxy(old)
        address = f"redis://127.0.0.1:{await proxy.open()}/0"
        changed = settings.current().model_copy(update={"redis_url": address})
        monkeypatch.setattr(settings, "current", lambda: changed)
        await redis.keep({"before": b"1"}, seconds=600)
        assert await redis.read(["before"]) == {"before": b"1"}

        async def failing_over() -> bool:
            try:
                return bool(sentinel.execute_command("SENTINEL", "FAILOVER", "shop"))
            except ResponseError:  # it knows of no replica yet
                return False

        async def taken_over() -> bool:
            return replica.role()[0] == b"master"

        async def demoted() -> bool:
            return master.role()[0] == b"slave"

        async def kept() -> bool:
            await redis.keep({"after": b"2"}, seconds=600)
            return await redis.read(["after"]) == {"after": b"2"}

        await _until(failing_over)
        await _until(taken_over)
        proxy.target_port = new
        await _until(demoted)
        await _until(kept)
        assert replica.get("after") == b"2"
        await proxy.close()
