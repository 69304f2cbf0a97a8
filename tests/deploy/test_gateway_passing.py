"""What NGINX hands to a component, and what it keeps of its answers."""

import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from runtime.local.servers import free_port
from tests import debian, servers
from tests.components import ROLES, Component, answering

PATH = "/v1/products?q=milk"
FILE = "/static/v-0123456789ab/storefront/css/frame.css"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"


@pytest.fixture
def component() -> Iterator[Component]:
    with answering() as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "nginx"


@pytest.fixture
def status_port() -> int:
    return free_port()


@pytest.fixture
def client(component: Component, folder: Path, status_port: int) -> Iterator[httpx2.Client]:
    """A caller from a network that the gateway is told, at a gateway before the component."""
    servers.need("NGINX")
    address = f"127.0.0.1:{component.server_port}"
    roles = dict.fromkeys(ROLES, address)
    with (
        debian.gateway(folder, roles, status_port=status_port, trusting="127.0.0.1") as gateway,
        httpx2.Client(base_url=gateway, headers={"X-Forwarded-For": "203.0.113.9"}) as client,
    ):
        yield client


def kept(client: httpx2.Client, path: str = PATH) -> httpx2.Response:
    """The answer that is kept from the second time on."""
    client.get(path)
    return client.get(path)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/recommendations?item=a",
        "/v1/products/a",
        "/v1/categories",
        "/v1/profiles",
        "/v1/preferences/a",
    ],
)
def test_what_all_may_keep_is_kept_from_the_second_time_on(client, component, path):
    assert client.get(path).json()["number"] == 1
    assert [client.get(path).json()["number"] for _ in range(3)] == [2, 2, 2]


def test_it_is_kept_for_a_second_and_its_date_tells_how_old_it_is(client, component):
    first = kept(client)
    time.sleep(2.1)
    later = client.get(PATH)
    assert later.json()["number"] == 3
    assert later.headers["Date"] > first.headers["Date"]


def test_a_file_is_kept_for_minutes_and_given_to_those_who_are_logged_in_too(client, component):
    component.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    kept(client, FILE)
    time.sleep(2.1)
    later = client.get(FILE, headers={"Cookie": "sessionid=x"})
    assert later.json()["number"] == 2
    assert later.headers["Cache-Control"] == component.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (f"{FILE}?more", {}),
        (FILE.replace("/css/", "/%63ss/"), {}),
        (FILE, {"Host": "elsewhere.example"}),
    ],
)
def test_one_copy_of_a_file_is_kept_however_it_is_asked_for(client, component, path, headers):
    component.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    kept(client, FILE)
    assert client.get(path, headers=headers).json()["number"] == 2


def test_a_file_for_a_page_of_another_origin_comes_from_the_component(client, component):
    component.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    kept(client, FILE)
    elsewhere = {"Origin": "https://shop.example"}
    assert client.get(FILE, headers=elsewhere).json()["number"] == 3
    assert client.get(FILE).json()["number"] == 2


def test_a_file_whose_address_does_not_tell_what_is_in_it_is_asked_for_each_time(client, component):
    component.headers["Cache-Control"] = "no-cache"
    assert [client.get(FILE).json()["number"] for _ in range(3)] == [1, 2, 3]


def test_of_many_who_ask_at_once_few_reach_the_component(client, component):
    client.get(PATH)
    component.seconds = 0.01
    with ThreadPoolExecutor(20) as pool:
        told = list(pool.map(lambda _: client.get(PATH).json()["number"], range(20)))
    assert len(set(told)) < 10  # who has waited for 50 ms asks by themselves


@pytest.mark.parametrize(
    "cached", ["no-store", "private, max-age=2", "public, max-age=0", "no-cache", ""]
)
def test_what_not_all_may_keep_is_not_kept(client, component, cached):
    component.headers["Cache-Control"] = cached
    assert [client.get(PATH).json()["number"] for _ in range(3)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("header", "value"), [("Authorization", "Bearer x"), ("Cookie", "sessionid=x")]
)
def test_whoever_says_who_they_are_is_answered_apart(client, component, header, value):
    own = {header: value}
    assert [client.get(PATH, headers=own).json()["number"] for _ in range(3)] == [1, 2, 3]
    assert kept(client).json()["number"] == 5
    assert client.get(PATH, headers=own).json()["number"] == 6
    assert client.get(PATH).json()["number"] == 5


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/v1/products?q=Milk", {}),
        ("/v1/products?q=%6Dilk", {}),
        ("/v1/%70roducts?q=milk", {}),
        ("/v1//products?q=milk", {}),
        ("/v1/products%3Fq=milk", {}),
        (PATH, {"Host": "elsewhere.example"}),
        (PATH, {"Origin": "https://shop.example"}),
    ],
)
def test_what_a_component_could_tell_apart_is_kept_apart(client, component, path, headers):
    assert kept(client).json()["number"] == 2
    assert client.get(path, headers=headers).json() == {"number": 3, "path": path}


def test_a_body_that_comes_with_a_get_poisons_nothing(client, component):
    client.get(PATH)
    client.request("GET", PATH, content=b"{}")
    assert [client.get(PATH).json()["number"] for _ in range(2)] == [3, 3]


def test_a_reader_who_has_the_kept_answer_is_told_so(client, component):
    kept(client)
    assert client.get(PATH, headers={"If-None-Match": '"1"'}).status_code == 304
    assert len(component.asked) == 2


@pytest.mark.parametrize("status", [500, 503])
def test_a_kept_answer_stands_in_for_an_error(client, component, status):
    kept(client)
    time.sleep(2.1)
    component.status = status
    answer = client.get(PATH)
    assert (answer.status_code, answer.json()["number"]) == (200, 2)


def test_a_kept_answer_stands_in_for_a_component_that_is_away(client, component):
    kept(client)
    time.sleep(2.1)
    component.away = True
    assert client.get(PATH).json()["number"] == 2
    assert client.get("/v1/products?q=never-asked").status_code == 503


def test_two_processes_that_each_fail_once_are_asked_again_at_once(component, folder):
    servers.need("NGINX")
    address = f"127.0.0.1:{component.server_port}"
    roles = dict.fromkeys(ROLES, f"{address} {address}")
    with debian.gateway(folder, roles) as gateway:
        component.away = True
        assert httpx2.get(gateway + PATH).status_code == 503
        component.away = False
        assert httpx2.get(gateway + PATH).status_code == 200


def test_nothing_stands_in_for_what_is_gone(client, component):
    kept(client)
    time.sleep(2.1)
    component.status = 404
    assert client.get(PATH).status_code == 404


def test_each_answer_has_the_id_of_its_own_request(client, component):
    ids = [client.get(PATH).headers["X-Request-ID"] for _ in range(4)]
    assert len(set(ids)) == 4
    assert [asked["x-request-id"] for asked in component.asked] == ids[:2]


def test_a_callers_trace_goes_on_and_decides_nothing(client, component):
    told = {"traceparent": f"{TRACE}-01", "tracestate": "a=1", "baggage": "b=2"}
    client.get(PATH, headers=told)
    (asked,) = component.asked
    assert asked["traceparent"] == f"{TRACE}-00"
    assert asked["tracestate"] == "multireco=outside"
    assert "baggage" not in asked


@pytest.mark.parametrize("given", ["", "00-zz", f"00-{'0' * 32}-{'1' * 16}-01", f"ff-{TRACE}-01"])
def test_what_is_no_trace_is_not_handed_on_and_the_request_has_an_id_for_one(
    client, component, given
):
    answer = client.get(PATH, headers={"traceparent": given} if given else {})
    (asked,) = component.asked
    assert "traceparent" not in asked
    assert re.fullmatch(r"[0-9a-f]{32}", asked["x-request-id"])
    assert asked["x-request-id"] == answer.headers["X-Request-ID"]


def test_nobody_is_believed_about_names_and_ways_that_are_the_gateways(client, component):
    names = ("Host", "Port", "Prefix", "Protocol", "Ssl")
    told = {f"X-Forwarded-{name}": "evil" for name in names} | {"Forwarded": "host=evil"}
    client.get(PATH, headers=told)
    (asked,) = component.asked
    assert "evil" not in asked.values()
    assert "host=evil" not in asked.values()


@pytest.mark.parametrize("path", ["/admin/login/", "/v1/imports/products"])
def test_a_large_body_is_passed_on_while_it_arrives(client, component, path):
    began = []

    def body() -> Iterator[bytes]:
        yield b"a"
        until = time.monotonic() + 5
        while not component.paths and time.monotonic() < until:
            time.sleep(0.01)
        began.extend(component.paths)
        yield b"b"

    client.post(path, content=body(), headers={"Content-Length": "2"})
    assert began == [path]


def test_an_ordinary_answer_tells_the_limit(client, component):
    assert client.get(PATH).headers["RateLimit-Policy"] == '"read";q=2400;w=60'
    assert client.post("/v1/events").headers["RateLimit-Policy"] == '"write";q=600;w=60'


def test_a_limit_that_a_component_tells_is_not_contradicted(client, component):
    component.headers["RateLimit-Policy"] = '"key";q=60;w=60'
    assert client.post("/v1/events").headers.get_list("RateLimit-Policy") == ['"key";q=60;w=60']


@pytest.mark.parametrize(
    "addresses",
    [
        ("2001:db8::{:x}", "2001:db8:0:0:ffff::{:x}"),
        ("2001:db8:1:2::{:x}", "2001:db8:1:2:ffff::{:x}"),
        ("203.0.113.7", "::ffff:203.0.113.7"),
    ],
)
def test_a_network_is_one_however_its_addresses_are_written(client, component, addresses):
    statuses = [
        client.post(
            "/v1/sessions/", headers={"X-Forwarded-For": addresses[number % 2].format(number)}
        ).status_code
        for number in range(200)
    ]
    assert statuses.count(429) > 20


def test_other_networks_are_counted_apart(client, component):
    for number in range(150):
        told = {"X-Forwarded-For": f"2001:db8:0:{number:x}::1"}
        assert client.post("/v1/sessions/", headers=told).status_code == 200


REAL_IP = Path("k8s/components/gateway-api/real_ip.conf.template").read_text()
# Of several balancers, as the template tells it; and the one of the overlay.
EXAMPLES = [
    re.search(r"# of several: (.+)", REAL_IP)[1],
    re.search(
        r"BALANCER_NETWORKS, value: ([^}]+)}",
        Path("k8s/overlays/production/kustomization.yaml").read_text(),
    )[1],
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_behind_the_clusters_gateway_a_network_is_the_callers(component, folder, example):
    servers.need("NGINX")
    folder.mkdir()
    balancers = re.findall(r"[\d.]+(?=\.\d+/)", example)
    believed = f"{example}; set_real_ip_from 127.0.0.0/8"
    (folder / "real_ip.conf").write_text(REAL_IP.replace("${BALANCER_NETWORKS}", believed))
    roles = dict.fromkeys(ROLES, f"127.0.0.1:{component.server_port}")
    with debian.gateway(folder, roles) as gateway:
        for balancer in balancers:
            chain = f"192.0.2.1, 203.0.113.9, {balancer}.7"
            httpx2.get(f"{gateway}{PATH}&of={balancer}", headers={"X-Forwarded-For": chain})
    told = [asked["x-forwarded-for"] for asked in component.asked]
    assert told == ["203.0.113.9"] * len(balancers)


def test_who_came_to_the_balancer_over_tls_is_told_to_stay_there(client, component):
    answer = client.get(PATH, headers={"X-Forwarded-Proto": "https"})
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert component.asked[0]["x-forwarded-proto"] == "https"


@pytest.mark.parametrize("told", ["http", "gopher", "https, http"])
def test_who_came_to_the_balancer_without_tls_is_not(client, component, told):
    answer = client.get(PATH, headers={"X-Forwarded-Proto": told})
    assert "Strict-Transport-Security" not in answer.headers
    assert component.asked[0]["x-forwarded-proto"] == "http"


def test_nobody_else_is_believed_to_have_come_over_tls(component, folder):
    servers.need("NGINX")
    roles = dict.fromkeys(ROLES, f"127.0.0.1:{component.server_port}")
    told = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    with debian.gateway(folder, roles, trusting="192.0.2.1") as gateway:
        answer = httpx2.get(f"{gateway}{PATH}", headers=told)
    assert "Strict-Transport-Security" not in answer.headers
    assert component.asked[0]["x-forwarded-proto"] == "http"


def test_the_exporter_finds_its_figures_where_the_public_is_not(client, component, status_port):
    told = httpx2.get(f"http://127.0.0.1:{status_port}/stub_status").text
    assert told.startswith("Active connections: ")
    client.get("/stub_status")
    assert len(component.asked) == 1  # an unknown path like any other


def test_the_log_tells_what_came_from_the_cache_and_of_which_trace(client, component, folder):
    for _ in range(3):
        client.get(PATH, headers={"traceparent": f"{TRACE}-01"})
    client.get(PATH)  # by now the others have been logged
    lines = [json.loads(line) for line in (folder / "output.log").read_text().splitlines()]
    assert [line["cache"] for line in lines][:3] == ["MISS", "MISS", "HIT"]
    assert {line["trace_id"] for line in lines[:3]} == {TRACE.split("-")[1]}
