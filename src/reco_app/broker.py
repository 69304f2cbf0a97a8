"""The broker in Celery's words: its address, with RabbitMQ's parameters of TLS, and patience."""

import ssl
from typing import Any
from urllib.parse import parse_qsl, urlsplit

LOOK_SECONDS = 1.0
EVERY_SECOND = {"interval_start": LOOK_SECONDS, "interval_step": 0, "interval_max": LOOK_SECONDS}
"""How often a broker that is away is looked for, in the words of `ensure_connection`.

By itself that waits 2 seconds longer each time, 30 in the end, and the events in the queue wait.
"""


def parted(url: str) -> tuple[str, dict[str, Any] | None]:
    """The address, and how TLS is spoken there; None where the address alone says so.

    Of an amqps:// address RabbitMQ's own parameters are taken: cacertfile, certfile, keyfile,
    server_name_indication. The server's certificate and name are always checked.
    """
    parts = urlsplit(url)
    if parts.scheme != "amqps":
        return url, None
    told = dict(parse_qsl(parts.query))
    return parts._replace(query="").geturl(), {
        "ca_certs": told.get("cacertfile"),
        "certfile": told.get("certfile"),
        "keyfile": told.get("keyfile"),
        "cert_reqs": ssl.CERT_REQUIRED,
        "server_hostname": told.get("server_name_indication", parts.hostname),
    }
