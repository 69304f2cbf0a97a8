"""A listener on the wire to MongoDB: every command that passes, as the server reads it."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import bson

CHUNK = 1 << 16
_HEAD = struct.Struct("<iiii")
_OP_MSG = 2013


class Tap:
    """`url` is the server's address by way of the tap; `commands` are those since `begin`."""

    def __init__(self, url: str, port: int) -> None:
        self.url = url
        self.port = port
        self.commands: list[dict[str, Any]] = []

    def begin(self) -> None:
        self.commands = []

    def heard(self, message: bytes) -> None:
        """Note one message on its way to the server."""
        if _HEAD.unpack_from(message)[3] == _OP_MSG:
            self.commands.extend(_documents(message))


@contextmanager
def tapped(url: str) -> Iterator[Tap]:
    """A tap before the server at `url`, on this machine."""
    target = int(url.partition("127.0.0.1:")[2].partition("/")[0])
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        # The driver would otherwise go on to where the server says that it is.
        tap = Tap(url.replace(f":{target}", f":{port}") + "&directConnection=true", target)
        threading.Thread(target=_accept, args=(listening, tap), daemon=True).start()
        yield tap


def _accept(listening: socket.socket, tap: Tap) -> None:
    with suppress(OSError):  # the end of the tap
        while True:
            caller, _ = listening.accept()
            server = socket.create_connection(("127.0.0.1", tap.port))
            for source, target, hear in ((caller, server, tap.heard), (server, caller, None)):
                threading.Thread(target=_pass, args=(source, target, hear), daemon=True).start()


def _pass(source: socket.socket, target: socket.socket, hear: Any) -> None:
    waiting = b""
    with suppress(OSError):
        while chunk := source.recv(CHUNK):
            target.sendall(chunk)
            waiting = _heard(waiting + chunk, hear) if hear else b""
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def _heard(waiting: bytes, hear: Any) -> bytes:
    """Tell the whole messages; returns what is left."""
    while len(waiting) >= 4 and len(waiting) >= (
        size := _HEAD.unpack_from(waiting + b"\0" * 16)[0]
    ):
        hear(waiting[:size])
        waiting = waiting[size:]
    return waiting


def _documents(message: bytes) -> Iterator[dict[str, Any]]:
    """The sections of an OP_MSG: one body, and sequences of documents."""
    checksum = struct.unpack_from("<I", message, 16)[0] & 1
    place, end = 20, len(message) - 4 * checksum
    while place < end:
        kind, place = message[place], place + 1
        size = struct.unpack_from("<i", message, place)[0]
        if kind == 0:
            yield bson.decode(message[place : place + size])
        else:
            first = message.index(b"\0", place + 4) + 1
            yield from bson.decode_all(message[first : place + size])
        place += size
