"""What stands for every component behind the gateway, where only the gateway is looked at."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

PUBLIC = "public, max-age=2, stale-if-error=600"
ROLES = ("router", "reco", "catalog", "profile")


class Component(ThreadingHTTPServer):
    """Stands for all of them: counts what it is asked, and tells it back."""

    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.asked: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.status = 200
        self.headers = {"Cache-Control": PUBLIC, "ETag": '"1"'}
        self.seconds = 0.0
        self.away = False


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Component

    def do_GET(self) -> None:
        if self.server.away:
            self.close_connection = True
            return
        self.server.asked.append({name.lower(): value for name, value in self.headers.items()})
        self.server.paths.append(self.path)
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        time.sleep(self.server.seconds)
        body = json.dumps({"number": len(self.server.asked), "path": self.path}).encode()
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Request-ID", "of-the-component")
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def answering() -> Iterator[Component]:
    """One, on a thread of its own."""
    with Component() as made:
        Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield made
        finally:
            made.shutdown()
