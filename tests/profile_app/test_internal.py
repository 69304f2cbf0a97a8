from concurrent.futures import ThreadPoolExecutor

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from profile_app.main import make_app
from runtime import keys, settings
from tests.profile_app.conftest import Put
from tests.profile_app.examples import preferences, profile


def test_a_written_profile_begins_at_version_one_and_grows_with_each_change(put: Put) -> None:
    first = put("profiles", {"profiles": [profile()]}).get_json()
    second = put("profiles", {"profiles": [profile(name="Gives gifts")]}).get_json()

    assert first["profiles"][0]["version"] == 1
    assert second["profiles"][0]["version"] == 2
    assert second["profiles"][0]["name"] == "Gives gifts"


def test_a_repeated_write_changes_nothing(put: Put) -> None:
    body = {"profiles": [profile(version=0)]}

    assert put("profiles", body).get_json() == put("profiles", body).get_json()


def test_a_change_from_an_old_version_is_refused_and_nothing_is_written(
    client: FlaskClient, put: Put
) -> None:
    put("profiles", {"profiles": [profile("a")]})
    put("profiles", {"profiles": [profile("a", name="Second")]})

    stale = profile("a", name="Third", version=1)
    told = put("profiles", {"profiles": [profile("new"), stale]})

    assert told.status_code == 409
    assert told.get_json()["errors"] == [
        {"pointer": "/profiles/1/version", "detail": "The profile is at version 2"}
    ]
    assert client.get("/v1/profiles/new").status_code == 404


def test_a_change_from_the_current_version_is_written(put: Put) -> None:
    put("profiles", {"profiles": [profile()]})

    told = put("profiles", {"profiles": [profile(name="Edited", source="staff", version=1)]})

    assert told.get_json()["profiles"][0]["version"] == 2


def test_what_is_mined_never_overwrites_what_staff_wrote(put: Put) -> None:
    put("profiles", {"profiles": [profile(name="By staff", source="staff")]})

    told = put("profiles", {"profiles": [profile(name="Mined")]}).get_json()

    assert told["profiles"][0]["name"] == "By staff"
    assert told["profiles"][0]["source"] == "staff"
    assert told["profiles"][0]["version"] == 1


def test_staff_overwrite_what_was_mined(put: Put) -> None:
    put("profiles", {"profiles": [profile(name="Mined")]})

    told = put("profiles", {"profiles": [profile(name="By staff", source="staff")]}).get_json()

    assert told["profiles"][0]["source"] == "staff"


def test_of_writers_at_the_same_time_one_wins_and_the_others_hear_of_it(
    database: Engine,
) -> None:
    app = make_app()

    def write(number: int) -> int:
        key = {"Authorization": keys.internal_authorization()}
        body = {"profiles": [profile("new", name=f"By {number}", version=0)]}
        answer = app.test_client().put("/internal/profile/v1/profiles", json=body, headers=key)
        return answer.status_code

    with ThreadPoolExecutor(6) as threads:
        statuses = sorted(threads.map(write, range(6)))

    assert statuses == [200, 409, 409, 409, 409, 409]


def test_a_deleted_profile_is_gone(client: FlaskClient, put: Put) -> None:
    put("profiles", {"profiles": [profile("a")]})
    key = {"Authorization": keys.internal_authorization()}

    first = client.delete("/internal/profile/v1/profiles/a", headers=key)
    second = client.delete("/internal/profile/v1/profiles/a", headers=key)

    assert (first.status_code, second.status_code) == (204, 404)
    assert client.get("/v1/profiles/a").status_code == 404


def test_preferences_replace_what_was_known_before(client: FlaskClient, put: Put) -> None:
    put("preferences", {"preferences": [preferences("7")]})

    told = put("preferences", {"preferences": [preferences("7", brands={"Iittala": 0.9})]})

    assert told.get_json() == {"applied": 1}
    assert client.get("/v1/preferences/7").get_json()["brands"] == {"Iittala": 0.9}


def test_a_thousand_preferences_are_written_in_one_call(client: FlaskClient, put: Put) -> None:
    body = {"preferences": [preferences(f"item-{n}") for n in range(1000)]}

    assert put("preferences", body).get_json() == {"applied": 1000}
    assert client.get("/v1/preferences/item-999").status_code == 200


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"sessions": 9}, "/preferences/1/sessions"),
        ({"counts": {"brands": {"Alessi": 9}}}, "/preferences/1/counts/brands/Alessi"),
        ({"counts": {"brands": {"Alessi": 10}}}, "/preferences/1"),
    ],
    ids=["all of it", "one figure", "a figure without a count"],
)
def test_figures_with_fewer_than_ten_sessions_are_refused_at_the_door(
    client: FlaskClient, put: Put, changed: dict[str, object], pointer: str
) -> None:
    told = put("preferences", {"preferences": [preferences("a"), preferences("b", **changed)]})

    assert told.status_code == 422
    assert told.get_json()["errors"][0]["pointer"] == pointer
    assert client.get("/v1/preferences/a").status_code == 404


def test_figures_that_ten_sessions_stand_behind_are_taken(put: Put) -> None:
    counts = {
        "categories": {"Home > Kitchen": 22},
        "brands": {"Alessi": 10},
        "price_bands": {"10-20": 37},
    }

    told = put("preferences", {"preferences": [preferences(counts=counts)]})

    assert told.status_code == 200


@pytest.mark.parametrize(
    ("what", "body", "pointer"),
    [
        ("profiles", {"profiles": []}, "/profiles"),
        ("profiles", {"profiles": [profile("a")] * 2}, "/profiles"),
        ("profiles", {"profiles": [profile(f"a{n}") for n in range(101)]}, "/profiles"),
        ("profiles", {"profiles": [profile("A")]}, "/profiles/0/slug"),
        ("profiles", {"profiles": [profile(source="guessed")]}, "/profiles/0/source"),
        ("profiles", {"profiles": [profile(description="\u0000")]}, "/profiles/0/description"),
        ("profiles", {"profiles": [profile(version=2**31)]}, "/profiles/0/version"),
        ("preferences", {"preferences": [preferences("a")] * 2}, "/preferences"),
        ("preferences", {"preferences": [preferences(sessions=2**31)]}, "/preferences/0/sessions"),
        ("preferences", {"preferences": [preferences(person="x")]}, "/preferences/0/person"),
    ],
)
def test_what_cannot_be_written_is_refused_by_name(
    put: Put, what: str, body: dict[str, object], pointer: str
) -> None:
    told = put(what, body)

    assert told.status_code == 422
    assert [error["pointer"] for error in told.get_json()["errors"]] == [pointer]


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("path", ["profiles", "profiles/a", "preferences"])
def test_nobody_writes_without_a_key(client: FlaskClient, method: str, path: str) -> None:
    told = client.open(f"/internal/profile/v1/{path}", method=method, json={})

    assert told.status_code in (401, 405)


def test_a_key_of_another_scope_opens_nothing(client: FlaskClient) -> None:
    secret = settings.current().secret_key.get_secret_value()
    token = keys.issue(key_id="shop", scopes=["staff", "import", "events"], secret=secret)

    told = client.put(
        "/internal/profile/v1/profiles",
        json={"profiles": [profile()]},
        headers={"Authorization": f"Bearer {token}"},
    )

    assert told.status_code == 403
