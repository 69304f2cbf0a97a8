"""The broker's address in Celery's words: RabbitMQ's parameters of TLS are not known to it."""

import ssl
from typing import Any
from urllib.parse import parse_qsl, urlsplit


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
