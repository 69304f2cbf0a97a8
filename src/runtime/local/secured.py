"""The split system as a cluster runs it: behind NGINX, with mutual TLS between all processes."""

from runtime.local.certificates import Authority
from runtime.local.gateway import Listening, Shown, gateway
from runtime.local.processes import Processes, start_split
from runtime.local.servers import free_port


def start_secured(processes: Processes, *, port: int) -> dict[str, int]:
    """One process a role, and the gateway, whose TLS browsers meet at `port`; role → port."""
    ports = start_split(processes, port=free_port())
    addresses = {role: f"127.0.0.1:{ports[role]}" for role in ports}
    processes.running["gateway"] = gateway(
        processes.logs.parent / "gateway",
        addresses,
        Listening(free_port(), free_port(), port),
        shown=shown(processes.authority),
    )
    return ports


def shown(authority: Authority | None) -> Shown | None:
    """The gateway's certificates, where the processes have some."""
    if authority is None:
        return None
    return Shown(browsers=authority.folder("browsers"), components=authority.folder("gateway"))


def address(port: int) -> str:
    """Where browsers find it."""
    return f"https://localhost:{port}"
