"""TLS as it was: neither its versions nor its ciphers may be had."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.attacks.site import Site
from runtime.local.servers import Server, accepts, free_port

ANY = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"
OLD = (
    ["-tls1", "-cipher", ANY],
    ["-tls1_1", "-cipher", ANY],
    ["-tls1_2", "-cipher", "AES128-SHA256:AES256-GCM-SHA384:AES128-SHA:@SECLEVEL=0"],  # no secrecy
    ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA384:@SECLEVEL=0"],  # CBC
    ["-tls1_2", "-cipher", "aNULL:eNULL:@SECLEVEL=0"],
)


def attack(site: Site) -> dict[str, float]:
    """old_accepted: of OLD; Raises where today's TLS is refused, too, and where one of OLD is not
    even spoken to a server that takes everything."""
    if not all(_spoken(site.secure, [version]) for version in ("-tls1_2", "-tls1_3")):
        raise RuntimeError("the gateway speaks no TLS of today")
    with _lenient() as port:
        unspoken = [old for old in OLD if not _spoken(port, old)]
    if unspoken:
        raise RuntimeError(f"OpenSSL does not speak {unspoken} itself")
    return {"tls.old_accepted": float(sum(_spoken(site.secure, old) for old in OLD))}


def _spoken(port: int, options: list[str]) -> bool:
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *options]
    told = subprocess.run(command, input=b"", capture_output=True, check=False, timeout=20)
    return told.returncode == 0 and b"Cipher is (NONE)" not in told.stdout


@contextmanager
def _lenient() -> Iterator[int]:
    """The port of a server that takes every version and cipher that OpenSSL has."""
    port = free_port()
    with TemporaryDirectory(prefix="multireco-old-tls-") as made:
        folder = Path(made)
        rsa, ec = _certificate(folder, "rsa:2048"), _certificate(folder, "ec")
        shown = ["-cert", rsa[0], "-key", rsa[1], "-dcert", ec[0], "-dkey", ec[1]]
        taken = ["-min_protocol", "TLSv1", "-cipher", ANY, "-quiet"]
        command = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", *shown, *taken]
        server = Server("OpenSSL", command, log=folder / "log", ready=lambda: accepts(port))
        try:
            server.wait_until_ready()
            yield port
        finally:
            server.stop()


def _certificate(folder: Path, kind: str) -> tuple[str, str]:
    made = str(folder / f"{kind[:2]}.crt"), str(folder / f"{kind[:2]}.key")
    key = ["-newkey", kind, *(["-pkeyopt", "ec_paramgen_curve:P-256"] if kind == "ec" else [])]
    files = ["-nodes", "-subj", "/CN=nobody", "-out", made[0], "-keyout", made[1]]
    subprocess.run(["openssl", "req", "-x509", *key, *files], check=True, capture_output=True)
    return made
