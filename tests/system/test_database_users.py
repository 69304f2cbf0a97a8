"""Each component's user of PostgreSQL owns its own database and can enter no other."""

from contextlib import closing
from urllib.parse import urlsplit

import psycopg2
import pytest

from tests.shops import Shop

VARIABLES = {"reco": "MULTIRECO_DATABASE_URL", "profile": "MULTIRECO_PROFILE_DATABASE_URL"}


@pytest.fixture(scope="session", params=["mounted", "split"])
def shop(request: pytest.FixtureRequest) -> Shop:
    """The two PostgreSQLs: the embedded one and Debian's."""
    started: Shop = request.getfixturevalue(request.param)
    return started


@pytest.mark.parametrize("database", ["profile", "postgres", "template1"])
def test_reco_cannot_enter_another_database(shop, database):
    with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
        psycopg2.connect(elsewhere(shop.environment[VARIABLES["reco"]], database))


@pytest.mark.parametrize("database", ["reco", "postgres", "template1"])
def test_profile_cannot_enter_another_database(shop, database):
    with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
        psycopg2.connect(elsewhere(shop.environment[VARIABLES["profile"]], database))


@pytest.mark.parametrize("component", ["reco", "profile"])
def test_a_component_may_do_nothing_to_the_server_itself(shop, component):
    with closing(psycopg2.connect(shop.environment[VARIABLES[component]])) as connection:
        cursor = connection.cursor()
        cursor.execute(
            "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls"
            " FROM pg_roles WHERE rolname = current_user"
        )
        assert cursor.fetchall() == [(False, False, False, False, False)]


def test_nobody_comes_in_without_the_password(shop):
    url = urlsplit(shop.environment[VARIABLES["profile"]])
    guessed = url._replace(netloc=f"profile:guessed@{url.hostname}:{url.port}").geturl()

    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(guessed)


def elsewhere(url: str, database: str) -> str:
    """Another database of the same server, as the same user."""
    return urlsplit(url)._replace(path=f"/{database}").geturl()
