"""Calls between components, against real servers, dead ports and sockets that hang."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from time import perf_counter

import pytest
import uvicorn

from runtime import context, keys, metrics, overload, rest
from runtime.asgi import Receive, Scope, Send, answer, answer_problem, header
from runtime.rest import Unavailable


class _Neighbour:
    """A small real application: answers with the statuses given it, the last again and again."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses) or [200]
        self.scopes: list[Scope] = []
        self.threads: set[int] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        self.threads.add(threading.get_ident())
        body = (await receive()).get("body", b"")
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        await answer(send, status=status, body=body or b'{"it": "works"}', media_type="a/b")


@pytest.fixture
def name(request) -> Iterator[str]:
    """A neighbour's name of its own for each test: breakers are kept by name."""
    yield request.node.name
    rest.unmount(request.node.name)


@pytest.fixture
def served() -> Iterator[tuple[_Neighbour, str]]:
    """A neighbour behind a real HTTP server."""
    neighbour = _Neighbour()
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(neighbour, lifespan="off", log_config=None, ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    yield neighbour, f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def hanging() -> Iterator[str]:
    """A socket that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
def dead() -> str:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return f"http://127.0.0.1:{listening.getsockname()[1]}"


async def test_a_mounted_neighbour_is_asked_in_memory(name):
    rest.mount(name, _Neighbour())
    reply = await rest.connect(name, "").get("/v1/things")
    assert (reply.status, reply.json()) == (200, {"it": "works"})


async def test_a_neighbour_with_an_address_is_asked_over_http_even_if_one_is_mounted(name, served):
    _, url = served
    mounted = _Neighbour()
    rest.mount(name, mounted)
    assert (await rest.connect(name, url).get("/v1/things")).status == 200
    assert mounted.scopes == []


async def test_a_body_arrives_as_json_over_both_ways(name, served):
    _, url = served
    rest.mount(name, _Neighbour())
    for address in ("", url):
        reply = await rest.connect(name, address).post("/v1/things", json={"ids": [1, "ü"]})
        assert reply.json() == {"ids": [1, "ü"]}


async def test_parameters_reach_the_query(name):
    neighbour = _Neighbour()
    rest.mount(name, neighbour)
    await rest.connect(name, None).get("/v1/things", params={"after": 3, "id": ["a", "b"]})
    assert neighbour.scopes[0]["query_string"] == b"after=3&id=a&id=b"


async def test_a_connection_is_kept_for_the_next_call(name, served):
    neighbour, url = served
    connected = rest.connect(name, url)
    await connected.get("/first")
    await connected.get("/second")
    assert neighbour.scopes[0]["client"] == neighbour.scopes[1]["client"]


async def test_a_neighbour_without_address_or_mount_is_unavailable(name):
    with pytest.raises(Unavailable, match="not mounted here"):
        await rest.connect(name, "").get("/v1/things")


async def test_a_dead_port_is_unavailable(name, dead):
    with pytest.raises(Unavailable):
        await rest.connect(name, dead).get("/v1/things")


async def test_a_hanging_neighbour_is_given_up_at_the_deadline(name, hanging):
    started = perf_counter()
    with pytest.raises(Unavailable, match=r"no answer within 0\.2 s"):
        await rest.connect(name, hanging).get("/v1/things", deadline_seconds=0.2)
    assert perf_counter() - started < 0.6


async def test_a_mounted_neighbour_that_hangs_is_given_up_too(name):
    async def hang(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.Event().wait()

    rest.mount(name, hang)
    with pytest.raises(Unavailable):
        await rest.connect(name, "").get("/v1/things", deadline_seconds=0.1)


async def test_a_read_is_repeated_once_after_503(name):
    neighbour = _Neighbour(503, 200)
    rest.mount(name, neighbour)
    assert (await rest.connect(name, "").get("/v1/things")).status == 200
    assert len(neighbour.scopes) == 2


async def test_a_read_is_repeated_no_more_than_once(name):
    neighbour = _Neighbour(503)
    rest.mount(name, neighbour)
    with pytest.raises(Unavailable, match="it answered 503"):
        await rest.connect(name, "").get("/v1/things")
    assert len(neighbour.scopes) == 2


async def test_who_says_when_to_come_back_is_not_asked_again(name):
    asked = []

    async def full(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(scope)
        await answer_problem(send, scope, overload.refusal())

    rest.mount(name, full)
    with pytest.raises(Unavailable, match="it answered 503"):
        await rest.connect(name, "").get("/v1/things")
    assert len(asked) == 1


async def test_a_post_that_arrived_is_never_repeated(name):
    neighbour = _Neighbour(503, 200)
    rest.mount(name, neighbour)
    with pytest.raises(Unavailable):
        await rest.connect(name, "").post("/v1/things", json={})
    assert len(neighbour.scopes) == 1


async def test_a_refusal_is_an_answer_and_not_an_outage(name):
    rest.mount(name, _Neighbour(409))
    assert (await rest.connect(name, "").post("/v1/things", json={})).status == 409


async def test_a_neighbour_that_breaks_is_unavailable(name):
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("a fault of the neighbour")

    rest.mount(name, broken)
    with pytest.raises(Unavailable, match="it answered 500"):
        await rest.connect(name, "").get("/v1/things")


async def test_an_answer_that_is_not_json_is_as_good_as_none(name):
    rest.mount(name, _Neighbour())
    reply = await rest.connect(name, "").post("/v1/things", json="x")
    with pytest.raises(Unavailable, match="not JSON"):
        reply._replace(body=b"<html>").json()


async def test_after_repeated_failures_the_neighbour_is_spared(name):
    neighbour = _Neighbour(500)
    rest.mount(name, neighbour)
    for _ in range(8):
        with pytest.raises(Unavailable):
            await rest.connect(name, "").get("/v1/things")
    assert len(neighbour.scopes) == 5


async def test_a_healed_neighbour_is_asked_again_within_seconds(name):
    neighbour = _Neighbour(500, 500, 500, 500, 500, 200)
    rest.mount(name, neighbour)
    for _ in range(5):
        with pytest.raises(Unavailable):
            await rest.connect(name, "").get("/v1/things")
    await asyncio.sleep(1.1)
    assert (await rest.connect(name, "").get("/v1/things")).status == 200


async def test_of_many_callers_one_tries_whether_a_neighbour_is_back(name):
    neighbour = _Neighbour(500)
    rest.mount(name, neighbour)

    async def ask():
        with pytest.raises(Unavailable):
            await rest.connect(name, "").get("/v1/things")

    for _ in range(5):
        await ask()
    refused = len(neighbour.scopes)
    await asyncio.sleep(1.1)
    await asyncio.gather(*(ask() for _ in range(20)))
    tried = len(neighbour.scopes) - refused
    assert tried == refused / 5  # as one caller does, who asks once more


async def test_calls_given_up_by_their_caller_do_not_close_the_breaker(name):
    neighbour = _Neighbour(500)
    rest.mount(name, neighbour)
    for _ in range(4):
        with pytest.raises(Unavailable):
            await rest.connect(name, "").get("/v1/things")
    given_up = asyncio.create_task(rest.connect(name, "").get("/v1/things"))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await rest.connect(name, "").get("/v1/things")
    with pytest.raises(Unavailable, match="is being spared"):
        await rest.connect(name, "").get("/v1/things")


async def test_the_request_id_and_the_trace_travel_along(name):
    neighbour = _Neighbour()
    rest.mount(name, neighbour)
    token = context.begin(context.RequestContext(request_id="r" * 16, trace_id="a" * 32))
    await rest.connect(name, "").get("/v1/things")
    context.end(token)
    assert header(neighbour.scopes[0], b"x-request-id") == b"r" * 16
    assert header(neighbour.scopes[0], b"traceparent").startswith(b"00-" + b"a" * 32)


async def test_the_internal_key_is_shown_on_internal_paths_alone(name):
    neighbour = _Neighbour()
    rest.mount(name, neighbour)
    await rest.connect(name, "").get("/internal/catalog/v1/changes")
    await rest.connect(name, "").get("/v1/products")
    shown, hidden = (header(scope, b"authorization").decode() for scope in neighbour.scopes)
    assert keys.require(shown, "internal").id == "internal"
    assert hidden == ""


async def test_each_call_is_measured(name):
    rest.mount(name, _Neighbour())
    await rest.connect(name, "").get("/v1/things")
    assert f'dependency="{name}",outcome="ok"' in metrics.render().decode()


def test_code_that_is_not_async_asks_over_http_the_same_way(name, served):
    _, url = served
    connected = rest.connect(name, url)
    assert connected.get_sync("/v1/things").json() == {"it": "works"}
    assert connected.put_sync("/v1/things", json=[2]).json() == [2]
    assert connected.delete_sync("/v1/things").status == 200


def test_code_that_is_not_async_keeps_the_deadline(name, hanging):
    with pytest.raises(Unavailable):
        rest.connect(name, hanging).get_sync("/v1/things", deadline_seconds=0.2)


async def test_a_thread_asks_a_mounted_neighbour_on_the_loop_that_mounted_it(name):
    neighbour = _Neighbour()
    rest.mount(name, neighbour)
    reply = await asyncio.to_thread(rest.connect(name, "").get_sync, "/v1/things")
    assert reply.status == 200
    assert neighbour.threads == {threading.get_ident()}
