"""/livez, /readyz and /metrics of a process that serves nothing else, from a thread of its own."""

import threading
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from runtime import health

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


def serve(host: str, port: int) -> ThreadingHTTPServer:
    """Answer probes until the process ends; port 0 is any that is free."""
    server = ThreadingHTTPServer((host, port), _Answer)
    threading.Thread(target=server.serve_forever, name="probes", daemon=True).start()
    return server
