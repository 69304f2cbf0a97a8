from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text
from werkzeug.http import parse_options_header

from tests.profile_app.conftest import Put
from tests.profile_app.examples import preferences, profile

KITCHEN = {"category": {"Kitchen": 1.0}, "brand": {}, "price_band": {}}
GARDEN = {"category": {"Garden": 1.0}, "brand": {}, "price_band": {}}


def test_a_profile_is_read_as_it_was_written(client: FlaskClient, put: Put) -> None:
    put("profiles", {"profiles": [profile("gift-buyer")]})

    told = client.get("/v1/profiles/gift-buyer").get_json()

    assert told.pop("updated_at").endswith("Z")
    assert told == {**profile("gift-buyer"), "version": 1}


def test_an_unknown_profile_is_a_404_that_says_what_to_do(client: FlaskClient) -> None:
    told = client.get("/v1/profiles/nobody")

    assert told.status_code == 404
    assert told.content_type == "application/problem+json"
    assert told.get_json()["code"] == "not-found"
    assert "/v1/profiles" in told.get_json()["detail"]


def test_pages_hold_every_profile_once_in_order_of_slugs(client: FlaskClient, put: Put) -> None:
    put("profiles", {"profiles": [profile(slug) for slug in ("c", "a-1", "b", "a1", "a")]})

    first = client.get("/v1/profiles?limit=2").get_json()
    second = client.get(f"/v1/profiles?limit=2&cursor={first['next']}").get_json()
    third = client.get(f"/v1/profiles?limit=2&cursor={second['next']}").get_json()

    slugs = [one["slug"] for page in (first, second, third) for one in page["profiles"]]
    assert slugs == ["a", "a-1", "a1", "b", "c"]
    assert third["next"] is None


def test_the_link_header_leads_to_the_next_page(client: FlaskClient, put: Put) -> None:
    put("profiles", {"profiles": [profile("a"), profile("b"), profile("c")]})

    address, options = parse_options_header(client.get("/v1/profiles?limit=2").headers["Link"])
    following = urlsplit(address.strip("<>"))

    assert options == {"rel": "next"}
    assert following.path == "/v1/profiles"
    assert parse_qs(following.query) == {"limit": ["2"], "cursor": ["b"]}


def test_the_last_page_has_no_link(client: FlaskClient, put: Put) -> None:
    put("profiles", {"profiles": [profile("a"), profile("b")]})

    assert "Link" not in client.get("/v1/profiles?limit=2").headers


@pytest.mark.parametrize("path", ["/v1/profiles", "/v1/profiles/gift-buyer", "/v1/preferences/7"])
def test_who_has_the_answer_already_gets_304_until_it_changes(
    client: FlaskClient, put: Put, path: str
) -> None:
    put("profiles", {"profiles": [profile("gift-buyer")]})
    put("preferences", {"preferences": [preferences("7")]})
    seen = client.get(path).headers["ETag"]

    again = client.get(path, headers={"If-None-Match": f'"other", W/{seen}'})
    put("profiles", {"profiles": [profile("gift-buyer", name="Gives a lot")]})
    put("preferences", {"preferences": [preferences("7", sessions=38)]})
    changed = client.get(path, headers={"If-None-Match": seen})

    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", seen)
    assert changed.status_code == 200
    assert changed.headers["ETag"] != seen


def test_preferences_are_read_as_they_were_written(client: FlaskClient, put: Put) -> None:
    put("preferences", {"preferences": [preferences("85123A")]})

    told = client.get("/v1/preferences/85123A").get_json()

    assert told.pop("updated_at").endswith("Z")
    assert told == preferences("85123A")


def test_a_product_without_enough_sessions_has_no_preferences(client: FlaskClient) -> None:
    told = client.get("/v1/preferences/unknown")

    assert told.status_code == 404
    assert "ten sessions" in told.get_json()["detail"]


def test_items_match_the_profile_that_their_shoppers_are_like(
    client: FlaskClient, put: Put
) -> None:
    put("profiles", {"profiles": [profile("cook", weights=KITCHEN)]})
    put("profiles", {"profiles": [profile("gardener", weights=GARDEN)]})
    liked = {"categories": {"Kitchen": 0.8, "Garden": 0.2}, "brands": {}, "price_bands": {}}
    put("preferences", {"preferences": [preferences("pan", **liked)]})

    told = client.post("/v1/profiles:match", json={"item_ids": ["pan", "pan", "no-such"]})

    assert [found["slug"] for found in told.get_json()["profiles"]] == ["cook", "gardener"]
    assert told.get_json()["missing_ids"] == ["no-such"]
    assert told.headers["Cache-Control"] == "no-store"


def test_the_same_taste_scores_one_and_strangers_are_left_out(
    client: FlaskClient, put: Put
) -> None:
    put("profiles", {"profiles": [profile("cook", weights=KITCHEN)]})
    put("profiles", {"profiles": [profile("gardener", weights=GARDEN)]})

    told = client.post("/v1/profiles:match", json={"weights": {"category": {"Kitchen": 9}}})

    assert told.get_json()["profiles"] == [{"slug": "cook", "name": "Gift buyer", "score": 1.0}]


def test_matching_stores_nothing(client: FlaskClient, put: Put) -> None:
    put("profiles", {"profiles": [profile("cook", weights=KITCHEN)]})
    before = client.get("/v1/profiles").data

    client.post("/v1/profiles:match", json={"weights": GARDEN})
    client.post("/v1/profiles:match", json={"item_ids": ["seen-by-somebody"]})

    assert client.get("/v1/profiles").data == before
    assert client.get("/v1/preferences/seen-by-somebody").status_code == 404


def test_a_stored_profile_that_breaks_the_contract_is_no_fault_of_its_reader(
    client: FlaskClient, put: Put, database: Engine
) -> None:
    put("profiles", {"profiles": [profile("a")]})
    with database.begin() as connection:
        connection.execute(text("UPDATE profile.profiles SET weights = '{}'"))

    told = client.get("/v1/profiles/a")

    assert (told.status_code, told.get_json()["code"]) == (500, "internal")
