import msgspec
import pytest

from reco_app.serving import answers, api
from reco_app.serving.contracts import Answer
from runtime import keys, settings
from tests.reco_app.serving.examples import placement

URL = "/v1/recommendations"


def staff_key():
    secret = settings.current().secret_key.get_secret_value()
    token = keys.issue(key_id="test", scopes=["staff"], secret=secret)
    return {"Authorization": f"Bearer {token}"}


async def post(client, body, url=URL, **headers):
    return await client.post(
        url,
        body if isinstance(body, bytes) else msgspec.json.encode(body),
        content_type="application/json",
        headers=headers,
    )


async def test_a_post_is_answered_in_the_shape_of_the_contract(shop, async_client):
    shop()
    body = {
        "scenario": "basket",
        "items": [
            {"item_id": "p01", "event_type": "view", "age_seconds": 40},
            {"item_id": "p02", "event_type": "add-to-cart", "quantity": 2},
        ],
        "count": 12,
        "filter": {"category": ["Home"], "brand": [], "price_min": "2.00", "in_stock": True},
        "budget": {"remaining": "25.00"},
        "exclude_ids": ["p09"],
        "diversity": 0.3,
        "fields": ["title", "price", "image_url"],
        "session_id": "opaque",
        "consent": True,
    }
    response = await post(async_client, body)
    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    answer = msgspec.json.decode(response.content)
    assert len(answer["items"]) == 12
    assert set(answer) == set(Answer.__struct_fields__)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"items": [{"item_id": "a", "event_type": "zoom"}]}, "/items/0/event_type"),
        ({"items": [{"item_id": "a b"}]}, "/items/0/item_id"),
        ({"items": [{"item_id": "a\n"}]}, "/items/0/item_id"),
        ({"items": [{"item_id": "a"}] * 51}, "/items"),
        ({"items": [{"item_id": "a", "colour": "red"}]}, "/items/0/colour"),
        ({"items": [{}]}, "/items/0/item_id"),
        ({"colour": "red"}, "/colour"),
        ({"count": 0}, "/count"),
        ({"count": 101}, "/count"),
        ({"count": "12"}, "/count"),
        ({"filter": {"price_min": 2.0}}, "/filter/price_min"),
        ({"filter": {"price_min": "2,00"}}, "/filter/price_min"),
        ({"filter": {"price_min": "5", "price_max": "4.99"}}, "/filter/price_min"),
        ({"count": 12.5}, "/count"),
        ({"budget": {}}, "/budget"),
        ({"budget": {"free_shipping_gap": "-1"}}, "/budget/free_shipping_gap"),
        ({"scenario": "psychic"}, "/scenario"),
        ({"fields": ["secret"]}, "/fields/0"),
        ({"fields": ["title"] * 15}, "/fields"),
    ],
)
async def test_a_wrong_field_is_pointed_at(shop, async_client, body, pointer):
    shop()
    response = await post(async_client, body)
    problem = msgspec.json.decode(response.content)
    assert response.status_code == 422
    assert response["Content-Type"] == "application/problem+json"
    assert problem["code"] == "invalid-fields"
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


@pytest.mark.parametrize("body", [b"{", b'{"a":', b"\xff", b'{"items": [{"item_id": "\xff"}]}'])
async def test_what_is_not_json_is_refused(shop, async_client, body):
    shop()
    response = await post(async_client, body)
    assert response.status_code == 400
    assert msgspec.json.decode(response.content)["code"] == "malformed-json"


async def test_another_media_type_is_refused(shop, async_client):
    shop()
    response = await async_client.post(URL, b"{}", content_type="text/plain")
    assert response.status_code == 415


async def test_another_method_is_refused_and_told_which_are_allowed(shop, async_client):
    shop()
    response = await async_client.delete(URL)
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD, POST")


async def test_get_and_post_give_the_same_products(shop, async_client):
    shop()
    got = await async_client.get(
        f"{URL}?item=p05&item=add-to-cart:p01*2&scenario=basket&count=5&category=Home&price_max=30"
    )
    posted = await post(
        async_client,
        {
            "scenario": "basket",
            "items": [
                {"item_id": "p05"},
                {"item_id": "p01", "event_type": "add-to-cart", "quantity": 2},
            ],
            "count": 5,
            "filter": {"category": ["Home"], "price_max": "30"},
        },
    )
    assert got.status_code == 200
    assert msgspec.json.decode(got.content)["items"] == msgspec.json.decode(posted.content)["items"]


async def test_what_is_found_at_once_is_what_the_view_finds(shop, async_client):
    shop()
    body = b'{"items": [{"item_id": "p01"}], "count": 2}'
    at_once = msgspec.json.decode(api.at_once(body))
    answers.forget()
    viewed = await post(async_client, body)
    assert at_once["items"] == msgspec.json.decode(viewed.content)["items"]


@pytest.mark.parametrize(
    "body",
    [b"{", b'{"count": 3.0}', b'{"scenario": "basket", "items": [{"item_id": "p05"}]}'],
)
def test_what_takes_longer_to_find_is_left_to_the_view(shop, body):
    shop()
    assert api.at_once(body) is None


async def test_a_whole_number_is_one_however_it_is_written(shop, async_client):
    shop()
    body = b'{"count": 3.0, "items": [{"item_id": "p05", "quantity": 2.0}]}'
    response = await post(async_client, body)
    assert response.status_code == 200
    assert len(msgspec.json.decode(response.content)["items"]) == 3


async def test_an_unchanged_answer_is_not_sent_again(shop, async_client):
    shop()
    first = await async_client.get(f"{URL}?item=p05")
    assert first["Cache-Control"] == "public, max-age=2, stale-if-error=600"
    second = await async_client.get(f"{URL}?item=p05", headers={"If-None-Match": first["ETag"]})
    assert (second.status_code, second.content) == (304, b"")


async def test_a_change_of_curation_changes_the_etag(shop, async_client):
    shop()
    first = await async_client.get(f"{URL}?item=p05")
    shop(version=101)
    second = await async_client.get(f"{URL}?item=p05", headers={"If-None-Match": first["ETag"]})
    assert second.status_code == 200


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("session_id=x", "?session_id"),
        ("colour=red", "?colour"),
        ("count=many", "?count"),
        ("count=101", "?count"),
        ("count=5&count=6", "?count"),
        ("item=zoom:p01", "?item"),
        ("item=p01*x", "?item"),
        ("price_min=cheap", "?price_min"),
        ("price_min=5&price_max=4", "?price_min"),
        ("free_shipping_gap=much", "?free_shipping_gap"),
        ("in_stock=maybe", "?in_stock"),
        ("fields=secret", "?fields"),
        ("scenario=psychic", "?scenario"),
    ],
)
async def test_a_wrong_parameter_is_named(shop, async_client, query, pointer):
    shop()
    response = await async_client.get(f"{URL}?{query}")
    assert response.status_code == 422
    assert msgspec.json.decode(response.content)["errors"][0]["pointer"] == pointer


async def test_why_tells_each_step_and_why_a_product_is_absent(shop, async_client):
    shop(placements=[placement()])
    request = {"scenario": "home-top", "filter": {"category": ["Home"]}}
    answer = msgspec.json.decode((await post(async_client, request)).content)
    asked = {
        "recommendation_id": answer["recommendation_id"],
        "item_id": "p25",
        "request": request,
    }
    response = await post(async_client, asked, f"{URL}/why", **staff_key())
    told = msgspec.json.decode(response.content)
    assert response.status_code == 200
    assert [step["item_id"] for step in told["steps"]] == [i["item_id"] for i in answer["items"]]
    assert [cause["code"] for cause in told["item"]["absent_because"]] == ["filter-category"]


async def test_why_refuses_another_request_than_the_one_answered(shop, async_client):
    shop()
    answer = msgspec.json.decode((await post(async_client, {"count": 3})).content)
    asked = {"recommendation_id": answer["recommendation_id"], "request": {"count": 4}}
    response = await post(async_client, asked, f"{URL}/why", **staff_key())
    assert response.status_code == 422
    assert msgspec.json.decode(response.content)["errors"][0]["pointer"] == "/request"


def test_why_is_for_staff_alone(shop, client, db):
    shop()
    response = client.post(f"{URL}/why", b"{}", content_type="application/json")
    assert response.status_code == 401


def test_staff_who_are_logged_in_need_no_key(shop, client, db, django_user_model):
    shop()
    client.force_login(django_user_model.objects.create(username="eve", is_staff=True))
    asked = {"count": 3}
    answer = client.post(URL, msgspec.json.encode(asked), content_type="application/json").json()
    why = {"recommendation_id": answer["recommendation_id"], "request": asked}
    response = client.post(f"{URL}/why", msgspec.json.encode(why), content_type="application/json")
    assert response.status_code == 200


def test_a_shopper_who_is_logged_in_is_no_staff(shop, client, db, django_user_model):
    shop()
    client.force_login(django_user_model.objects.create(username="bob"))
    response = client.post(f"{URL}/why", b"{}", content_type="application/json")
    assert response.status_code == 401


async def test_the_contract_is_an_openapi_document(async_client):
    response = await async_client.get("/openapi/reco.json")
    document = msgspec.json.decode(response.content)
    assert document["openapi"].startswith("3.1")
    assert "/v1/recommendations" in document["paths"]
