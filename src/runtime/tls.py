"""Mutual TLS between components, from a folder such as cert-manager's Secrets are mounted as.

It holds tls.crt, tls.key and ca.crt. Files that change are taken without a restart: whoever opens
or accepts a connection goes by what is there by then. But contexts forget no authority: one that
was withdrawn from ca.crt stays trusted by a process that has read it until its restart.
"""

import logging
import ssl
from functools import cache
from pathlib import Path
from weakref import WeakKeyDictionary

from runtime import settings

log = logging.getLogger(__name__)
_seen: WeakKeyDictionary[ssl.SSLContext, tuple[int, ...]] = WeakKeyDictionary()


def for_asking() -> ssl.SSLContext | bool:
    """What a client checks servers by and shows itself with; without the setting, the system's."""
    folder = _folder()
    if folder is None:
        return True
    context = _asking(folder)
    freshen(context)
    return context


def for_answering() -> ssl.SSLContext | None:
    """What a server shows itself with, and asks for; None where it speaks plain HTTP."""
    folder = _folder()
    if folder is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=folder / "ca.crt")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    return context


def freshen(context: ssl.SSLContext) -> None:
    """Load what the folder holds, if it has changed since this context last was here."""
    folder = _folder()
    if folder is None:
        return
    stamp = _stamp(folder)
    if _seen.get(context) == stamp:
        return
    _seen[context] = stamp
    try:
        # Aside first: a key and a certificate that do not fit would spoil the context in use.
        _load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), folder)
        _load(context, folder)
    except OSError as trouble:  # they are being written, and looked at again when they change
        log.warning(
            "the certificates in %s cannot be used, the last ones stay: %s", folder, trouble
        )


def _folder() -> Path | None:
    named = settings.current().tls_dir
    return Path(named) if named else None


@cache
def _asking(folder: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=folder / "ca.crt")
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    return context


def _stamp(folder: Path) -> tuple[int, ...]:
    try:
        return tuple(
            (folder / name).stat().st_mtime_ns for name in ("tls.crt", "tls.key", "ca.crt")
        )
    except OSError:  # while they are exchanged
        return ()


def _load(context: ssl.SSLContext, folder: Path) -> None:
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    context.load_verify_locations(folder / "ca.crt")
