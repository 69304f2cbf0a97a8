"""Mutual TLS: who is let in, who is asked, and what a new certificate changes without a restart."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
import pytest
import trustme
import uvicorn

from runtime import one_write, probes, rest, tls, transports
from runtime.asgi import Receive, Scope, Send, answer
from runtime.local.certificates import Authority


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    await answer(send, status=200, body=b'{"it": "works"}', media_type="application/json")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "tls")


@pytest.fixture
def own(authority: Authority, monkeypatch: pytest.MonkeyPatch, fresh_settings: None) -> Path:
    """The folder of this process, as client and as server."""
    folder = authority.folder("catalog")
    monkeypatch.setenv("MULTIRECO_TLS_DIR", str(folder))
    return folder


@pytest.fixture
def server(own: Path) -> Iterator[str]:
    """A component under uvicorn, with the options of deploy/entrypoint.sh."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        _app,
        http=one_write.Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        ssl_certfile=own / "tls.crt",
        ssl_keyfile=own / "tls.key",
        ssl_ca_certs=str(own / "ca.crt"),
        ssl_cert_reqs=ssl.CERT_REQUIRED,
    )
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, args=([listening],))
    thread.start()
    yield f"https://127.0.0.1:{listening.getsockname()[1]}"
    running.should_exit = True
    thread.join()


@contextmanager
def answering(context: ssl.SSLContext) -> Iterator[tuple[str, list[bytes | None]]]:
    """A server that answers each connection once, and notes what certificate it was shown."""
    told: list[bytes | None] = []

    def accept() -> None:
        with suppress(OSError):  # until it is closed
            while True:
                answer_once(listening.accept()[0])

    def answer_once(plain: socket.socket) -> None:
        with suppress(ssl.SSLError), context.wrap_socket(plain, server_side=True) as secured:
            secured.recv(65536)
            told.append(secured.getpeercert(binary_form=True))
            secured.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=accept)
        thread.start()
        yield f"https://127.0.0.1:{listening.getsockname()[1]}", told
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def shown(url: str, context: ssl.SSLContext) -> bytes:
    """The certificate with which a server answers."""
    port = int(url.rpartition(":")[2])
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as secured,
    ):
        told = secured.getpeercert(binary_form=True)
    assert told
    return told


async def test_neighbours_know_each_other(server):
    reply = await rest.connect("known", server).get("/it")
    await transports.client("known", server).aclose()  # or the server waits for its goodbye
    assert reply.json() == {"it": "works"}


def test_who_shows_no_certificate_is_not_answered(server, own):
    nobody = ssl.create_default_context(cafile=own / "ca.crt")
    with pytest.raises(httpx2.TransportError):
        httpx2.get(server, verify=nobody)


def test_who_shows_a_strangers_certificate_is_not_answered(server, own, tmp_path):
    stranger = Authority(tmp_path / "strange").asking()
    stranger.load_verify_locations(own / "ca.crt")
    with pytest.raises(httpx2.TransportError):
        httpx2.get(server, verify=stranger)


async def test_a_server_of_a_strange_authority_is_not_asked(own, tmp_path):
    strange = Authority(tmp_path / "strange").folder("catalog")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(strange / "tls.crt", strange / "tls.key")
    with answering(context) as (url, _), pytest.raises(rest.Unavailable, match="VERIFY_FAILED"):
        await rest.connect("strange", url).get("/it")


async def test_a_server_with_another_name_is_not_asked(own):
    other = trustme.CA()
    (own / "ca.crt").write_bytes(other.cert_pem.bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    other.issue_cert("profile").configure_cert(context)
    with answering(context) as (url, _), pytest.raises(rest.Unavailable, match="mismatch"):
        await rest.connect("misnamed", url).get("/it")


def test_a_server_shows_its_new_certificate_without_a_restart(server, authority):
    first = shown(server, authority.asking())
    authority.issue("catalog")
    assert shown(server, authority.asking()) != first


async def test_a_client_shows_its_new_certificate_without_a_restart(own, authority):
    context = tls.for_answering()
    assert context
    with answering(context) as (url, told):
        await rest.connect("listening", url).get("/it")
        authority.issue("catalog")
        await rest.connect("listening", url).get("/it")
    first, second = told
    assert None not in told
    assert first != second


def test_a_certificate_that_is_half_written_leaves_the_last(server, authority, own, caplog):
    first = shown(server, authority.asking())
    (own / "tls.crt").write_bytes(trustme.CA().issue_cert("catalog").cert_chain_pems[0].bytes())
    assert shown(server, authority.asking("operator")) == first
    assert "cannot be used, the last ones stay" in caplog.text


def test_probes_ask_for_a_certificate_too(own, authority):
    listening = probes.serve("127.0.0.1", 0)
    url = f"https://127.0.0.1:{listening.server_port}/livez"
    try:
        assert httpx2.get(url, verify=authority.asking("prometheus")).status_code == 200
        with pytest.raises(httpx2.TransportError):
            httpx2.get(url, verify=ssl.create_default_context(cafile=own / "ca.crt"))
    finally:
        listening.shutdown()
        listening.server_close()
