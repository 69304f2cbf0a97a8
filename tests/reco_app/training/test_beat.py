"""Celery's timetable as a process of its own."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from django.conf import settings as django_settings

from tests.faults.proxy import FaultProxy


@asynccontextmanager
async def beat(environment: dict[str, str], log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    command = ["-m", "celery", "--app", "reco_app.worker:app", "beat", "--pidfile="]
    with log.open("wb") as said:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *command,
            "--loglevel",
            "INFO",
            stdout=said,
            stderr=said,
            env=environment,
        )
        try:
            yield process
        finally:
            process.terminate()
            await process.wait()


async def said(log: Path, words: str) -> None:
    async with asyncio.timeout(120):
        while not log.exists() or words not in log.read_text():
            await asyncio.sleep(0.1)


async def test_it_starts_without_postgresql_and_reads_its_timetable_once_it_can(
    environment: dict[str, str], tmp_path: Path
) -> None:
    log, port = tmp_path / "beat.log", str(django_settings.DATABASES["default"]["PORT"])
    proxy = FaultProxy(int(port))
    between = await proxy.open()
    await proxy.close()
    address = environment["MULTIRECO_DATABASE_URL"].replace(f":{port}/", f":{between}/")
    own = {"MULTIRECO_DATABASE_URL": address, "TMPDIR": str(tmp_path)}

    async with beat(environment | own, log) as process:
        await said(log, "PostgreSQL is away, the timetable waits")
        await proxy.open(between)
        await said(log, "PostgreSQL is back, the timetable is read")

        await said(tmp_path / "alive-beat", "")
        assert process.returncode is None
    await proxy.close()
