"""NGINX with the routes of deploy/nginx, from the machine's own package."""

import os
import re
import shutil
import string
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from runtime.local.packages import NotInstalled
from runtime.local.processes import ROOT
from runtime.local.servers import Server, accepts


class Listening(NamedTuple):
    """Where the gateway listens: without TLS, for those who measure it, and with TLS."""

    plain: int
    status: int
    secured: int | None = None


class Shown(NamedTuple):
    """Folders of certificates: what browsers are shown, and what components are."""

    browsers: Path
    components: Path


def gateway(
    folder: Path,
    addresses: Mapping[str, str],
    listening: Listening,
    *,
    shown: Shown | None = None,
    trusting: str = "",
) -> Server:
    """Start NGINX in `folder` before these; `addresses`: role → host:port, several with spaces.

    With `shown`, TLS ends in it and mutual TLS goes on to the components. `trusting`: whom it
    believes that a request comes from another network. Errors: NotInstalled.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder, addresses, listening, shown=shown, trusting=trusting)
    return Server(
        "NGINX",
        [
            program(),
            *("-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "main")),
            *("-g", f"daemon off; {'user root;' if os.geteuid() == 0 else ''}"),
        ],
        log=folder / "output.log",
        ready=lambda: accepts(listening.secured or listening.plain),
    )


def _write(
    folder: Path,
    addresses: Mapping[str, str],
    listening: Listening,
    *,
    shown: Shown | None = None,
    trusting: str = "",
) -> None:
    """Write its configuration."""
    variables = {
        "GATEWAY_LISTEN": f"127.0.0.1:{listening.plain}",
        "GATEWAY_STATUS_LISTEN": f"127.0.0.1:{listening.status}",
        "GATEWAY_CACHE": str(folder / "cache"),
        "RECO_MOST_AT_ONCE": "48",
        "NGINX_LOCAL_RESOLVERS": "127.0.0.1",
        "GATEWAY_TLS_LISTEN": f"127.0.0.1:{listening.secured}",
        "COMPONENTS_SCHEME": "https" if shown else "http",
    }
    _fill("gateway.conf", folder, variables, addresses)
    if shown:
        _fill("tls.conf", folder / "conf.d/tls", variables)
        _fill("components.conf", folder / "conf.d/tls", variables)
        _link(folder / "tls", shown.browsers)
        _link(folder / "components", shown.components)
    believed = f"set_real_ip_from {trusting}; real_ip_header X-Forwarded-For;" if trusting else ""
    (folder / "believed.conf").write_text(believed)
    main = (ROOT / "deploy/nginx/nginx.conf").read_text()
    for there, here in (
        ("/tmp", folder),
        ("/etc/nginx/conf.d", folder),
        ("processes 2", "processes 1"),
    ):
        main = main.replace(there, str(here))
    (folder / "main").write_text(main)


def program() -> str:
    """Where NGINX is. Errors: NotInstalled."""
    for place in (shutil.which("nginx"), "/usr/sbin/nginx"):
        if place and Path(place).exists():
            return place
    raise NotInstalled("NGINX is missing; on Debian: apt install nginx-light libnginx-mod-http-js")


def _fill(
    name: str,
    folder: Path,
    variables: Mapping[str, str],
    addresses: Mapping[str, str] = MappingProxyType({}),
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = (ROOT / f"deploy/nginx/{name}.template").read_text()

    def each(server: re.Match[str]) -> str:
        found = addresses[server[1].lower()].split()
        return "".join(f"server {address} {server[2]};" for address in found)

    # As NGINX itself does with what a name stands for.
    text = re.sub(r"server \$\{(\w+)_ADDRESS\} (.*);", each, text)
    (folder / name).write_text(string.Template(text).safe_substitute(variables))


def _link(link: Path, folder: Path) -> None:
    link.unlink(missing_ok=True)
    link.symlink_to(folder)
