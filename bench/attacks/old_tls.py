"""TLS as it was: neither its versions nor its ciphers may be had."""

import subprocess

from bench.attacks.site import Site

WEAK = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"
OLD = (
    ["-tls1", "-cipher", WEAK],
    ["-tls1_1", "-cipher", WEAK],
    ["-tls1_2", "-cipher", "AES128-SHA256:AES256-GCM-SHA384:AES128-SHA:@SECLEVEL=0"],  # no secrecy
    ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA384:@SECLEVEL=0"],  # CBC
    ["-tls1_2", "-cipher", "aNULL:eNULL:@SECLEVEL=0"],
)


def attack(site: Site) -> dict[str, float]:
    """old_accepted: of OLD; Raises where today's TLS is refused, too."""
    if not all(_spoken(site.secure, [version]) for version in ("-tls1_2", "-tls1_3")):
        raise RuntimeError("the gateway speaks no TLS of today")
    return {"tls.old_accepted": float(sum(_spoken(site.secure, old) for old in OLD))}


def _spoken(port: int, options: list[str]) -> bool:
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *options]
    told = subprocess.run(command, input=b"", capture_output=True, check=False, timeout=20)
    return told.returncode == 0 and b"Cipher is (NONE)" not in told.stdout
