import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from profile_app import main, store
from tests.profile_app.conftest import Put
from tests.profile_app.examples import preferences, profile


@pytest.fixture
def cut_off(monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """The component with an address at which no database listens."""
    away = store.make_engine("postgresql://multireco@127.0.0.1:1/profile")
    monkeypatch.setattr(store, "engine", lambda: away)
    return main.make_app().test_client()


@pytest.fixture
def hung() -> Iterator[str]:
    """The address of a database that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"postgresql://multireco@127.0.0.1:{listening.getsockname()[1]}/profile"


@pytest.mark.parametrize("path", ["/v1/profiles", "/v1/profiles/a", "/v1/preferences/a"])
def test_without_its_database_reading_is_a_503_that_says_when_to_return(
    cut_off: FlaskClient, path: str
) -> None:
    told = cut_off.get(path)

    assert told.status_code == 503
    assert told.content_type == "application/problem+json"
    assert told.get_json()["code"] == "unavailable"
    assert int(told.headers["Retry-After"]) > 0


def test_without_its_database_matching_is_a_503(cut_off: FlaskClient) -> None:
    told = cut_off.post("/v1/profiles:match", json={"item_ids": ["a"]})

    assert told.status_code == 503


def test_without_its_database_the_component_lives_and_is_not_ready(cut_off: FlaskClient) -> None:
    assert cut_off.get("/livez").status_code == 200
    assert cut_off.get("/openapi/profile.json").status_code == 200
    assert cut_off.get("/readyz").status_code == 503


def test_a_hung_database_holds_no_request_for_long(
    hung: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = store.make_engine(hung)
    monkeypatch.setattr(store, "engine", lambda: engine)
    started = perf_counter()

    told = main.make_app().test_client().get("/v1/profiles")

    assert told.status_code == 503
    assert perf_counter() - started < 5


def test_a_database_that_hangs_again_and_again_is_spared(
    hung: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = store.make_engine(hung)
    monkeypatch.setattr(store, "engine", lambda: engine)
    client = main.make_app().test_client()
    with ThreadPoolExecutor(5) as callers:
        list(callers.map(lambda _: client.application.test_client().get("/v1/profiles"), range(5)))
    started = perf_counter()

    told = client.get("/v1/profiles")

    assert told.status_code == 503
    assert perf_counter() - started < 0.5


def test_refused_versions_say_nothing_about_the_database(put: Put, client: FlaskClient) -> None:
    statuses = [
        put("profiles", {"profiles": [{**profile("a"), "version": 7}]}).status_code
        for _ in range(6)
    ]

    assert statuses == [409] * 6
    assert client.get("/v1/profiles").status_code == 200


def test_a_locked_table_is_a_503_and_not_a_hang(client: FlaskClient, database: Engine) -> None:
    with database.begin() as connection:
        connection.execute(text("LOCK TABLE profile.profiles IN ACCESS EXCLUSIVE MODE"))
        told = client.get("/v1/profiles")

    assert told.status_code == 503
    assert client.get("/v1/profiles").status_code == 200


def test_connections_lost_in_a_restart_are_felt_by_nobody(
    client: FlaskClient, database: Engine, put: Put
) -> None:
    put("profiles", {"profiles": [profile("a")]})
    with database.begin() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )

    assert client.get("/v1/profiles/a").status_code == 200


def test_a_write_that_fails_half_way_leaves_nothing(
    client: FlaskClient, database: Engine, put: Put
) -> None:
    put("preferences", {"preferences": [preferences("b")]})
    with database.begin() as connection:
        connection.execute(text("SELECT 1 FROM profile.preferences WHERE item_id = 'b' FOR UPDATE"))
        told = put("preferences", {"preferences": [preferences("a"), preferences("b")]})

    assert told.status_code == 503
    assert client.get("/v1/preferences/a").status_code == 404
