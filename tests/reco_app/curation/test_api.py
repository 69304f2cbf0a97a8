import pytest

from reco_app.curation.models import Product
from runtime import keys, settings

PATH = "/v1/imports/products"
GOOD = b"id,title,price\nmug,Blue mug,2.50\n"


@pytest.fixture
def post(client, db):
    secret = settings.current().secret_key.get_secret_value()

    def send(body, *, scope="import", media_type="text/csv", path=PATH):
        token = keys.issue(key_id="test", scopes=[scope], secret=secret)
        return client.post(
            path, body, content_type=media_type, headers={"Authorization": f"Bearer {token}"}
        )

    return send


def test_a_feed_is_stored_and_counted(post):
    answer = post(GOOD)

    assert answer.status_code == 200
    assert (answer.json()["created"], answer.json()["errors"]) == (1, [])
    assert Product.objects.get().history.get().history_change_reason.endswith("key test")


def test_bad_rows_are_named_and_the_others_stored(post):
    answer = post(GOOD + b"pan,Pan,cheap\n").json()

    assert (answer["created"], answer["rejected"]) == (1, 1)
    assert (answer["errors"][0]["line"], answer["errors"][0]["column"]) == (3, "price")


def test_without_a_key_nothing_is_read(client, db):
    answer = client.post(PATH, GOOD, content_type="text/csv")

    assert answer.status_code == 401
    assert answer.headers["Content-Type"].startswith("application/problem+json")


def test_a_key_without_the_scope_is_refused(post):
    assert post(GOOD, scope="events").status_code == 403


def test_another_media_type_is_refused_by_name(post):
    answer = post(GOOD, media_type="application/pdf")

    assert answer.status_code == 415
    assert "text/csv" in answer.json()["detail"]


def test_an_unknown_parameter_is_refused_by_name(post):
    answer = post(GOOD, path=PATH + "?ful=true")

    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"pointer": "?ful", "detail": "unknown"}]


def test_a_body_that_is_no_feed_is_unprocessable(post):
    answer = post(b"name\n")

    assert answer.status_code == 422
    assert "no column “id”" in answer.json()["detail"]


def test_a_dry_run_stores_nothing(post):
    assert post(GOOD, path=PATH + "?dry_run=true").json()["dry_run"] is True
    assert Product.objects.count() == 0


def test_a_feed_beyond_the_bound_is_refused_before_anything_is_stored(post, monkeypatch):
    monkeypatch.setattr("reco_app.curation.api.LARGEST_FEED", 10)

    assert post(GOOD).status_code == 413
    assert Product.objects.count() == 0
