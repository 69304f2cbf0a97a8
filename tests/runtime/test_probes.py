"""Probes of a process that serves nothing else."""

from collections.abc import Iterator

import httpx2
import pytest

from runtime import probes


@pytest.fixture
def address() -> Iterator[str]:
    server = probes.serve("127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/livez", '"alive"'),
        ("/readyz", '"ready"'),
        ("/metrics", "multireco_process_resident_memory_bytes"),
    ],
)
def test_a_probe_is_answered(address, path, told):
    answer = httpx2.get(f"{address}{path}")

    assert answer.status_code == 200
    assert told in answer.text


def test_nothing_else_is_there(address):
    assert httpx2.get(f"{address}/v1/products").status_code == 404


def test_what_probes_ask_is_not_logged(address, capfd):
    httpx2.get(f"{address}/livez")

    assert capfd.readouterr() == ("", "")
