"""A certificate authority for one machine, in the place of cert-manager's."""

import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

LOOPBACK = ("localhost", "127.0.0.1")
OPERATOR = "operator"
DAYS = 90


class Authority:
    """Made anew with each start; its key never leaves the process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made = trustme.CA(key_type=trustme.KeyType.ECDSA)
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)  # stores that run as another user read theirs here

    @property
    def certificate(self) -> Path:
        """What browsers and curl may be told to trust."""
        return self.folder(OPERATOR) / "ca.crt"

    def folder(self, name: str) -> Path:
        """The folder of `name`'s certificate, issued if it has none of this authority yet."""
        folder = self._folder / name
        if not (folder / "tls.crt").exists() or not self._issued(folder):
            self.issue(name)
        return folder

    def issue(self, name: str) -> None:
        """A new key and certificate for `name`, in the place of the last."""
        issued = self._made.issue_cert(
            name,
            *LOOPBACK,
            common_name=name,
            not_after=datetime.now(UTC) + timedelta(days=DAYS),
            key_type=trustme.KeyType.ECDSA,
        )
        folder = self._folder / name
        folder.mkdir(exist_ok=True)
        chain = b"".join(part.bytes() for part in issued.cert_chain_pems)
        _write(folder / "ca.crt", self._made.cert_pem.bytes(), mode=0o644)
        _write(folder / "tls.key", issued.private_key_pem.bytes(), mode=0o600)
        _write(folder / "tls.crt", chain, mode=0o644)

    def asking(self, name: str = OPERATOR) -> ssl.SSLContext:
        """What a client that shows itself as `name` checks servers by."""
        folder = self.folder(name)
        context = ssl.create_default_context(cafile=folder / "ca.crt")
        context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
        return context

    def _issued(self, folder: Path) -> bool:
        authority = folder / "ca.crt"
        return authority.exists() and authority.read_bytes() == self._made.cert_pem.bytes()


def _write(path: Path, content: bytes, *, mode: int) -> None:
    aside = path.with_suffix(".new")
    aside.unlink(missing_ok=True)
    aside.touch(mode=mode)
    aside.write_bytes(content)
    os.replace(aside, path)
