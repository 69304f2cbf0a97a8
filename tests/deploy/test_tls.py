"""The gateway where TLS ends in it."""

import json
import ssl
import string
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from runtime.local.processes import ROOT
from runtime.local.servers import free_port
from tests import debian, servers

NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The gateway's own, with a certificate that the tests alone trust."""
    folder = tmp_path / "nginx"
    (folder / "tls").mkdir(parents=True)
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    files = ["-keyout", str(folder / "tls/tls.key"), "-out", str(folder / "tls/tls.crt")]
    command = ["openssl", "req", "-x509", *key, *files, "-days", "2", "-subj", "/CN=localhost"]
    subprocess.run([*command, "-addext", NAMES], check=True, capture_output=True)
    return folder


@pytest.fixture
def gateway(folder: Path) -> Iterator[tuple[str, str]]:
    """Its addresses without TLS and with it; its components are away."""
    servers.need("NGINX")
    port = free_port()
    template = string.Template((ROOT / "deploy/nginx/tls.conf.template").read_text())
    (folder / "conf.d/tls").mkdir(parents=True)
    made = template.safe_substitute(GATEWAY_TLS_LISTEN=f"127.0.0.1:{port}")
    (folder / "conf.d/tls/tls.conf").write_text(made)
    roles = ("router", "reco", "catalog", "profile")
    nobody = dict.fromkeys(roles, f"127.0.0.1:{free_port()}")
    with debian.gateway(folder, nobody) as address:
        yield address, f"https://localhost:{port}"


def trusting(folder: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(folder / "tls/tls.crt"))


def test_whoever_comes_without_tls_is_sent_to_it(gateway):
    plain, _ = gateway
    answer = httpx2.get(f"{plain}/v1/products?q=milk")
    assert answer.status_code == 308
    assert answer.headers["Location"].startswith("https://")
    assert answer.headers["Location"].endswith("/v1/products?q=milk")


def test_over_tls_browsers_are_told_to_stay_there(gateway, folder):
    _, secure = gateway
    answer = httpx2.get(f"{secure}/v1/products", verify=trusting(folder))
    assert answer.json()["code"] == "unavailable"
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_http_2_is_spoken(gateway, folder):
    _, secure = gateway
    asked = ["openssl", "s_client", "-alpn", "h2", "-connect", secure.removeprefix("https://")]
    told = subprocess.run(asked, input=b"", capture_output=True, check=False)
    assert b"ALPN protocol: h2" in told.stdout


def test_over_http_2_a_body_that_is_too_large_is_refused_in_the_gateways_own_words(gateway, folder):
    servers.need("curl")
    _, secure = gateway
    trusted = ["--cacert", str(folder / "tls/tls.crt")]
    asked = ["curl", "--silent", "--http2", *trusted, "--data-binary", "@-", f"{secure}/v1/events"]
    told = subprocess.run(asked, input=b"x" * 2_000_000, capture_output=True, check=False)
    assert json.loads(told.stdout)["code"] == "body-too-large"


def test_old_tls_is_refused(gateway, folder):
    _, secure = gateway
    old = trusting(folder)
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(httpx2.ConnectError, match="(?i)alert.protocol.version"):
        httpx2.get(f"{secure}/v1/products", verify=old)
