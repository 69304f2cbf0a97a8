"""/livez, /readyz and /metrics of a process that serves nothing else, from a thread of its own."""

import logging
import socket
import ssl
import sys
import threading
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from runtime import health, tls

log = logging.getLogger("multireco.fault")
_PROBES: dict[str, Callable[[], health.Probe]] = {
    "/livez": health.live,
    "/readyz": partial(health.ready, {}),
    "/metrics": health.measured,
}


class _Answer(BaseHTTPRequestHandler):
    timeout = 5  # seconds that a slow caller may hold its thread

    def do_GET(self) -> None:
        probe = _PROBES.get(self.path)
        if probe is None:
            self.send_error(404)
            return
        told = probe()
        self.send_response(told.status)
        self.send_header("Content-Type", told.media_type)
        self.send_header("Content-Length", str(len(told.body)))
        self.end_headers()
        self.wfile.write(told.body)

    def log_message(self, format: str, *args: object) -> None:
        """Probes are not logged; their lines would tell the caller's address."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who hangs up or cannot show a certificate is not logged; no caller's address ever is."""
        if not isinstance(sys.exception(), OSError):
            log.exception("a probe met a fault")


class _Secured(_Server):
    """Asks for certificates; hands are shaken in the caller's own thread, with its first word."""

    def __init__(self, address: tuple[str, int], context: ssl.SSLContext) -> None:
        super().__init__(address, _Answer)
        self._context = context

    def get_request(self) -> tuple[socket.socket, Any]:
        tls.freshen(self._context)
        accepted, caller = super().get_request()
        secured = self._context.wrap_socket(
            accepted, server_side=True, do_handshake_on_connect=False
        )
        return secured, caller


def serve(host: str, port: int) -> ThreadingHTTPServer:
    """Answer probes until the process ends; port 0 is any that is free."""
    context = tls.for_answering()
    server = _Secured((host, port), context) if context else _Server((host, port), _Answer)
    threading.Thread(target=server.serve_forever, name="probes", daemon=True).start()
    return server
