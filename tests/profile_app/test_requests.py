from typing import Any

import pytest
from flask.testing import FlaskClient


@pytest.mark.parametrize(
    ("address", "pointer"),
    [
        ("/v1/profiles?colour=red", "?colour"),
        ("/v1/profiles?limit=0", "?limit"),
        ("/v1/profiles?limit=101", "?limit"),
        ("/v1/profiles?limit=1_0", "?limit"),
        ("/v1/profiles?limit=%2B5", "?limit"),
        ("/v1/profiles?limit=1&limit=2", "?limit"),
        ("/v1/profiles?cursor=", "?cursor"),
        ("/v1/profiles?cursor=No%20Slug", "?cursor"),
        ("/v1/profiles/gift-buyer?full=1", "?full"),
        ("/v1/profiles/Gift_Buyer", "path: slug"),
        ("/v1/preferences/a%20b", "path: item_id"),
        ("/v1/preferences/" + "a" * 65, "path: item_id"),
        ("/v1/preferences/22423?limit=1", "?limit"),
    ],
)
def test_a_parameter_that_cannot_be_read_is_named(
    client: FlaskClient, address: str, pointer: str
) -> None:
    told = client.get(address)

    assert told.status_code == 422
    assert told.content_type == "application/problem+json"
    assert [error["pointer"] for error in told.get_json()["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ([], ""),
        ("text", ""),
        ({}, ""),
        ({"item_ids": ["a"], "weights": {}}, ""),
        ({"item_ids": []}, "/item_ids"),
        ({"item_ids": ["a"] * 51}, "/item_ids"),
        ({"item_ids": ["a", "b c"]}, "/item_ids/1"),
        ({"item_ids": ["a", 7]}, "/item_ids/1"),
        ({"item_ids": ["a"], "items": []}, "/items"),
        ({"weights": {"colour": {}}}, "/weights/colour"),
        ({"weights": {"brand": {"A/B": "1"}}}, "/weights/brand/A~1B"),
        ({"weights": {"brand": {"A": -1}}}, "/weights/brand/A"),
        ({"weights": {"brand": {"A": 1e999}}}, "/weights/brand/A"),
        ({"weights": {"brand": {"\u0000": 1}}}, "/weights/brand/\u0000"),
        ({"weights": {"brand": {f"brand {n}": 1 for n in range(201)}}}, "/weights/brand"),
        ({"weights": None}, "/weights"),
    ],
)
def test_a_field_that_cannot_be_read_is_named(client: FlaskClient, body: Any, pointer: str) -> None:
    told = client.post("/v1/profiles:match", json=body)

    assert told.status_code == 422
    assert [error["pointer"] for error in told.get_json()["errors"]] == [pointer]


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"weights": NaN}', b'{"item_ids": ["\xff"]}', b"[" * 60_000, b'{"a": 1'],
    ids=["empty", "cut", "NaN", "not UTF-8", "nested deeply", "cut in a member"],
)  # fmt: skip
def test_what_is_not_json_is_a_400(client: FlaskClient, body: bytes) -> None:
    told = client.post("/v1/profiles:match", data=body, content_type="application/json")

    assert told.status_code == 400
    assert told.get_json()["code"] == "malformed-json"


def test_another_media_type_is_refused(client: FlaskClient) -> None:
    told = client.post("/v1/profiles:match", data=b"item_ids=a", content_type="text/plain")

    assert told.status_code == 415
    assert told.get_json()["code"] == "unsupported-media-type"


def test_a_public_body_over_64_kib_is_refused(client: FlaskClient) -> None:
    told = client.post("/v1/profiles:match", data=b" " * 65_537, content_type="application/json")

    assert told.status_code == 413


def test_a_method_that_a_path_does_not_have_is_a_405_that_names_those_it_has(
    client: FlaskClient,
) -> None:
    told = client.delete("/v1/profiles/gift-buyer")

    assert told.status_code == 405
    assert "GET" in told.headers["Allow"]


def test_of_very_many_errors_a_hundred_are_told(client: FlaskClient) -> None:
    told = client.post("/v1/profiles:match", json={str(n): n for n in range(500)})

    assert len(told.get_json()["errors"]) == 100
