"""Traces of the running product behind its gateway, at a real receiver: to what a click causes."""

import uuid

import httpx2

from runtime.local.processes import Processes, address_of
from runtime.local.servers import accepts, free_port
from tests import debian, servers
from tests.shops import Shop

CANARIES = ("canary-session", "canary-agent", "canary-state", "canary-query", "127.0.0.1")
CALLER = {
    "User-Agent": "canary-agent",
    "tracestate": "shop=canary-state",
    "X-Forwarded-For": "203.0.113.77",
}
FORCED = {"traceparent": f"00-{'0' * 31}1-{'cd' * 8}-01", "tracestate": "multireco=outside"}


def click(gateway: Shop) -> str:
    """A click on a product, as a page sends it; its trace."""
    item = httpx2.get(gateway.url("/v1/products"), params={"limit": 1}).json()["products"][0]
    event = {
        "event_id": str(uuid.uuid4()),
        "event_type": "click",
        "item_id": item["id"],
        "session_id": "canary-session",
    }
    body = {"events": [event], "consent": True}
    answer = httpx2.post(gateway.url("/v1/events"), json=body, headers=CALLER)
    assert answer.status_code == 202, answer.text
    return answer.headers["X-Request-ID"]


def test_a_click_and_its_effect_on_answers_are_one_trace(gateway, receiver):
    trace_id = click(gateway)
    chain = ("POST /v1/events", "send events", "task events.store", "answers feel events")
    names = (*chain, "INSERT events_event")
    receiver.wait_for(lambda: receiver.of(trace_id).keys() >= set(names))
    spans = receiver.of(trace_id)
    server, sent, task, felt, stored = (spans[name] for name in names)
    assert server.parent_span_id == b""
    assert [sent.parent_span_id, task.parent_span_id] == [server.span_id, sent.span_id]
    assert {stored.parent_span_id, felt.parent_span_id} == {task.span_id}


def test_a_page_of_profiles_is_traced_into_their_database(gateway, receiver):
    trace_id = httpx2.get(gateway.url("/v1/profiles"), headers=CALLER).headers["X-Request-ID"]
    names = {"GET /v1/profiles", "SELECT profiles"}
    receiver.wait_for(lambda: names <= receiver.of(trace_id).keys())
    spans = receiver.of(trace_id)
    assert spans["SELECT profiles"].parent_span_id == spans["GET /v1/profiles"].span_id


def test_a_batch_is_one_trace_from_the_router_into_the_components(gateway, receiver):
    parts = [{"id": "a", "path": "/v1/recommendations?items=canary-query"}]
    parts.append({"id": "b", "path": "/v1/products?limit=1&q=canary-query"})
    answer = httpx2.post(gateway.url("/v1/batch"), json={"requests": parts}, headers=CALLER)
    trace_id = answer.headers["X-Request-ID"]
    names = {"POST /v1/batch", "GET /v1/recommendations", "GET /v1/products"}
    receiver.wait_for(lambda: names <= receiver.of(trace_id).keys())


def test_the_trace_of_a_caller_goes_on(gateway, receiver):
    begun = uuid.uuid4().hex
    told = {"traceparent": f"00-{begun}-{'cd' * 8}-00"}
    httpx2.get(gateway.url("/v1/recommendations"), headers=told)
    receiver.wait_for(lambda: "GET /v1/recommendations" in receiver.of(begun))
    assert receiver.of(begun)["GET /v1/recommendations"].parent_span_id.hex() == "cd" * 8


def test_what_the_relay_brings_to_the_catalogue_is_one_trace_into_mongodb(gateway, receiver):
    names = {"relay products", "PUT catalog", "PUT /internal/catalog/v1/products", "ask mongodb"}

    def is_whole() -> bool:
        traces = {span.trace_id.hex() for span in list(receiver.spans)}
        return any(names <= receiver.of(trace).keys() for trace in traces)

    receiver.wait_for(is_whole)


def test_no_span_tells_address_agent_session_or_query(gateway, receiver):
    trace_id = click(gateway)
    receiver.wait_for(lambda: "task events.store" in receiver.of(trace_id))
    told = "".join(str(span) for span in receiver.spans)
    assert not [word for word in (*CANARIES, "203.0.113.77") if word in told]


def test_nobody_outside_can_have_a_trace_kept(receiver, open_folder):
    """Where none is to be kept, none is, but those that another component has decided on."""
    servers.need("NGINX")
    environment = {
        "MULTIRECO_SECRET_KEY": "k" * 40,
        "MULTIRECO_MONGODB_URL": f"mongodb://127.0.0.1:{free_port()}/catalog",
        "MULTIRECO_RECO_URL": "http://127.0.0.1:1",
        "MULTIRECO_PROFILE_URL": "http://127.0.0.1:1",
        **receiver.settings(share=0),
    }
    catalog, router = free_port(), free_port()
    with Processes(environment, open_folder) as processes:
        urls = {"MULTIRECO_CATALOG_URL": address_of(catalog)}
        for role, port in (("catalog", catalog), ("router", router)):
            processes.start(role, port=port, urls=urls)
        receiver.wait_for(lambda: accepts(catalog) and accepts(router), seconds=90)
        addresses = dict.fromkeys(("reco", "profile", "catalog"), f"127.0.0.1:{catalog}")
        addresses["router"] = f"127.0.0.1:{router}"
        with debian.gateway(open_folder / "nginx", addresses) as gateway:
            for address in (gateway, address_of(router)):
                httpx2.get(f"{address}/docs", headers=FORCED)
                httpx2.get(f"{address}/v1/categories", headers=FORCED)
        inside = uuid.uuid4().hex
        decided = {"traceparent": f"00-{inside}-{'ab' * 8}-01"}
        httpx2.get(f"{address_of(catalog)}/v1/categories", headers=decided)
        receiver.wait_for(lambda: "GET /v1/categories" in receiver.of(inside))
    assert not receiver.of("0" * 31 + "1")
