"""What is wrong is refused as the contract says, in every shape, and the product goes on."""

import json

import httpx2
import pytest

from tests.shops import Shop

JSON = {"Content-Type": "application/json"}
ITEMS = [{"item_id": "pasta-3"}]


@pytest.fixture
def client(shop: Shop):
    with httpx2.Client(base_url=shop.address, timeout=20) as client:
        yield client
        healthy = client.post("/v1/recommendations", json={"items": ITEMS, "scenario": "basket"})
        assert len(healthy.json()["items"]) == 12


def assert_refused(answer, *, status: int, code: str, pointer: str | None = None) -> None:
    told = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, told["status"], told["code"]) == (status, status, code)
    assert told["type"] == f"/problems/{code}"
    assert told["request_id"]
    assert {"title", "detail", "instance"} <= told.keys()
    if pointer is not None:
        assert pointer in [error["pointer"] for error in told["errors"]]


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("recommendations", {"items": [{"item_id": 3}]}, "/items/0/item_id"),
        ("recommendations", {"items": ITEMS * 51}, "/items"),
        ("recommendations", {"items": ITEMS, "colour": "red"}, "/colour"),
        ("recommendations", {"items": [{"item_id": "a", "qty": 2}]}, "/items/0/qty"),
        ("recommendations", {"items": ITEMS, "scenario": "no-such-scenario"}, "/scenario"),
        ("recommendations", {"filter": {"price_min": 2.5}}, "/filter/price_min"),
        ("recommendations", [], ""),
        ("events", {"events": []}, "/events"),
        ("events", {"events": [{"event_id": "1", "event_type": "view"}]}, "/events/0/item_id"),
        ("products:batch", {"ids": "pasta-3"}, "/ids"),
        ("products:batch", {"ids": ["no id"]}, "/ids/0"),
        ("products:batch", {"ids": [], "fields": []}, "/fields"),
        ("profiles:match", {"item_ids": [1]}, "/item_ids/0"),
        ("profiles:match", {"weights": {}, "colour": 1}, "/colour"),
        ("batch", {"requests": [{"id": "a", "path": "/admin/"}]}, "/requests/0/path"),
        ("batch", {"requests": [{"id": "a", "path": "/v1/products"}] * 11}, "/requests"),
    ],
)
def test_a_wrong_field_is_pointed_at(client, path, body, pointer):
    answer = client.post(f"/v1/{path}", json=body)

    assert_refused(answer, status=422, code="invalid-fields", pointer=pointer)


@pytest.mark.parametrize("path", ["recommendations", "events", "products:batch", "profiles:match"])
@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b""])
def test_what_is_not_json_is_said_so(client, path, body):
    answer = client.post(f"/v1/{path}", content=body, headers=JSON)

    assert_refused(answer, status=400, code="malformed-json")


@pytest.mark.parametrize("path", ["recommendations", "events", "products:batch", "profiles:match"])
@pytest.mark.parametrize("opening", [b"[", b'{"items":[', b'{"ids":{"a":'])
def test_no_depth_of_nesting_breaks_the_process(client, path, opening):
    answer = client.post(f"/v1/{path}", content=opening * (60_000 // len(opening)), headers=JSON)

    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        ("recommendations?count=many", "?count"),
        ("recommendations?count=101", "?count"),
        ("recommendations?colour=red", "?colour"),
        ("recommendations?session_id=a", "?session_id"),
        ("recommendations?item=view:", "?item"),
        ("products?limit=0", "?limit"),
        ("products?colour=red", "?colour"),
        ("products?cursor=0", "?cursor"),
        ("profiles?limit=1000", "?limit"),
        ("profiles?colour=red", "?colour"),
    ],
)
def test_a_wrong_parameter_is_named(client, path, pointer):
    assert_refused(client.get(f"/v1/{path}"), status=422, code="invalid-fields", pointer=pointer)


@pytest.mark.parametrize(
    "path", ["recommendations", "events", "products:batch", "profiles:match", "batch"]
)
def test_ten_megabytes_are_refused_unread(client, path):
    answer = client.post(f"/v1/{path}", content=b" " * 10_000_000, headers=JSON)

    assert_refused(answer, status=413, code="body-too-large")


@pytest.mark.parametrize(
    "path", ["recommendations", "events", "products:batch", "profiles:match", "batch"]
)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_wrong_method_is_told_the_right_one(client, path, method):
    answer = client.request(method, f"/v1/{path}", json={})

    assert_refused(answer, status=405, code="method-not-allowed")
    assert "POST" in answer.headers["allow"]


@pytest.mark.parametrize("path", ["recommendations", "products:batch", "profiles:match", "batch"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/xml"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
def test_another_media_type_or_a_compressed_body_is_refused(client, path, headers):
    answer = client.post(f"/v1/{path}", content=b"{}", headers=headers)

    assert_refused(answer, status=415, code="unsupported-media-type")


def test_unknown_products_are_named_and_the_answer_is_full(client):
    items = [{"item_id": "unheard-of"}, *ITEMS]

    answer = client.post("/v1/recommendations", json={"items": items}).json()

    assert answer["missing_ids"] == ["unheard-of"]
    assert len(answer["items"]) == 12


@pytest.mark.parametrize(
    "path", ["products/no-such-product", "profiles/no-such-profile", "preferences/no-such-product"]
)
def test_what_is_unknown_is_not_found(client, path):
    assert_refused(client.get(f"/v1/{path}"), status=404, code="not-found")


@pytest.mark.parametrize("path", ["imports/products", "imports/events"])
def test_an_import_needs_a_key_for_imports(client, shop, path):
    feed = {"content": b"id\n", "headers": {"Content-Type": "text/csv"}}
    assert_refused(client.post(f"/v1/{path}", **feed), status=401, code="unauthenticated")

    feed["headers"] |= shop.key("events")
    assert_refused(client.post(f"/v1/{path}", **feed), status=403, code="forbidden")


def test_a_feed_with_bad_rows_in_the_middle_names_them_and_takes_the_others(client, shop):
    good = {"title": "Bad input", "price": "1.00", "categories": ["Tests"], "currency": "USD"}
    rows = [
        json.dumps({"id": "fed-1", **good}),
        json.dumps({"id": "fed-2", **good, "price": "cheap"}),
        '{"id": }',
        json.dumps({"id": "fed-4", **good, "availability": "hidden"}),
        json.dumps({"id": "fed-5", **good}),
    ]
    headers = shop.key("import") | {"Content-Type": "application/x-ndjson"}

    answer = client.post("/v1/imports/products", content="\n".join(rows), headers=headers)

    told = answer.json()
    assert answer.status_code == 200, told
    assert (told["rows"], told["rejected"]) == (5, 3)
    assert told["created"] + told["unchanged"] == 2
    bad = [(error["line"], error["column"]) for error in told["errors"]]
    assert bad == [(2, "price"), (3, "character 8"), (4, "availability")]


def test_an_event_log_with_bad_rows_in_the_middle_names_them_and_takes_the_others(client, shop):
    rows = [
        "session_id,item_id,timestamp,quantity",
        "fed,pasta-1,2026-01-01T10:00:00Z,1",
        "fed,pasta-2,yesterday,1",
        "fed,pasta-2,2026-01-01T10:01:00Z,-1",
        "fed,pasta-3,2026-01-01T10:02:00Z,1",
    ]
    headers = shop.key("import") | {"Content-Type": "text/csv"}

    told = client.post("/v1/imports/events", content="\n".join(rows), headers=headers).json()

    assert (told["rows"], told["rejected"]) == (4, 2)
    assert [bad["column"] for bad in told["bad_rows"]] == ["timestamp", "quantity"]


@pytest.mark.parametrize("path", ["/internal/catalog/v1/changes", "/metrics", "/livez", "/readyz"])
def test_the_gateway_hides_what_is_for_the_cluster(gateway, path):
    assert_refused(httpx2.get(gateway.url(f'{path}?q="')), status=404, code="not-found")
