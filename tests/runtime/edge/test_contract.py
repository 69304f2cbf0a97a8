"""One OpenAPI document of three, and the pages about it."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from runtime.edge import contract, own_contract
from runtime.edge.lifespans import running
from runtime.edge.router import router
from runtime.edge.settings import Settings
from runtime.problems import KINDS
from tests.runtime.edge import parts


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    app = router(Settings(), entries=parts.ENTRIES)
    transport = httpx2.ASGITransport(app)
    async with running(app), httpx2.AsyncClient(transport=transport, base_url="http://it") as made:
        yield made


def _document(item: dict[str, object], path: str) -> contract.Document:
    schemas = {
        "Item": item,
        "Page": {"type": "array", "items": {"$ref": "#/components/schemas/Item"}},
    }
    told = {"schema": {"$ref": "#/components/schemas/Page"}}
    answer = {"description": "A page.", "content": {"application/json": told}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {path: {"get": {"responses": {"200": answer}}}},
        "components": {"schemas": schemas},
    }


def _reference(merged: contract.Document, path: str) -> str:
    answer = merged["paths"][path]["get"]["responses"]["200"]
    return answer["content"]["application/json"]["schema"]["$ref"]


def test_equal_schemas_of_two_components_are_told_once():
    documents = {
        "catalog": _document({"type": "string"}, "/v1/a"),
        "reco": _document({"type": "string"}, "/v1/b"),
    }
    merged = contract.merged(own_contract.document(), documents)
    assert _reference(merged, "/v1/a") == _reference(merged, "/v1/b")


def test_schemas_of_one_name_that_differ_are_kept_apart_with_all_that_refers_to_them():
    documents = {
        "catalog": _document({"type": "string"}, "/v1/a"),
        "reco": _document({"type": "integer"}, "/v1/b"),
    }
    merged = contract.merged(own_contract.document(), documents)
    schemas = merged["components"]["schemas"]
    assert _reference(merged, "/v1/a") == "#/components/schemas/Page"
    assert _reference(merged, "/v1/b") == "#/components/schemas/RecoPage"
    assert schemas["Page"]["items"] == {"$ref": "#/components/schemas/Item"}
    assert schemas["RecoPage"]["items"] == {"$ref": "#/components/schemas/RecoItem"}
    assert schemas["RecoItem"] == {"type": "integer"}


def test_a_problem_is_told_once_however_each_component_words_it():
    documents = {"catalog": _document({}, "/v1/a"), "reco": _document({}, "/v1/b")}
    documents["catalog"]["components"]["schemas"]["Problem"] = {"description": "words"}
    documents["reco"]["components"]["schemas"]["Problem"] = {"description": "other words"}
    merged = contract.merged(own_contract.document(), documents)
    problems = [name for name in merged["components"]["schemas"] if "Problem" in name]
    assert problems == ["Problem"]


def test_shapes_of_internal_paths_are_not_told():
    documents = {"catalog": _document({"type": "string"}, "/internal/catalog/v1/changes")}
    merged = contract.merged(own_contract.document(), documents)
    assert not {"Page", "Item"} & set(merged["components"]["schemas"])


def test_tags_keep_the_order_of_the_components_and_the_routers_own_come_last():
    documents = {
        "reco": _document({"type": "string"}, "/v1/b"),
        "catalog": {**_document({}, "/v1/a"), "tags": [{"name": "catalog", "description": "x"}]},
    }
    merged = contract.merged(own_contract.document(), documents)
    assert [tag["name"] for tag in merged["tags"]] == ["reco", "catalog", "Batch", "About"]


def test_every_call_may_be_answered_by_a_problem():
    merged = contract.merged(
        own_contract.document(), {"reco": _document({"type": "string"}, "/v1/a")}
    )
    assert merged["paths"]["/v1/a"]["get"]["responses"]["default"] == contract.ANY_PROBLEM


async def test_the_document_tells_public_paths_alone(client):
    told = (await client.get("/openapi.json")).json()
    assert told["openapi"].startswith("3.1")
    assert {"/v1/batch", "/v1/products/{product_id}", "/v1/recommendations"} <= set(told["paths"])
    assert not any(path.startswith("/internal/") for path in told["paths"])


async def test_components_are_asked_for_their_documents_by_the_host_that_the_caller_names(client):
    told = (await client.get("/openapi.json")).json()
    assert "/v1/of/it" in told["paths"]


async def test_every_problem_has_a_page(client):
    index = (await client.get("/problems")).text
    for code, kind in KINDS.items():
        page = await client.get(f"/problems/{code}")
        assert page.status_code == 200
        assert kind.title in page.text
        assert f'href="/problems/{code}"' in index


async def test_an_unknown_problem_is_itself_a_problem(client):
    answered = await client.get("/problems/no-such-thing")
    assert (answered.status_code, answered.json()["code"]) == (404, "not-found")


@pytest.mark.parametrize("path", ["/docs", "/docs/docs.js", "/docs/pages.css", "/problems"])
async def test_pages_load_nothing_from_another_host(client, path):
    answered = await client.get(path)
    assert answered.status_code == 200
    assert "//" not in answered.text.replace("// ", "")
    assert "default-src 'none'" in answered.headers["Content-Security-Policy"]
