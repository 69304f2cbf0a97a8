"""Keys: who may call what, checked without a call."""

import time
from uuid import uuid4

import pytest

from runtime import keys, revocations, settings
from runtime.problems import Problem


def _bearer(*scopes: str, key_id: str = "shop-1") -> str:
    secret = settings.current().secret_key.get_secret_value()
    return f"Bearer {keys.issue(key_id=key_id, scopes=scopes, secret=secret)}"


def test_a_key_allows_what_it_was_issued_for():
    assert keys.require(_bearer("events", "import"), "import").id == "shop-1"


def test_a_key_without_the_scope_is_forbidden():
    with pytest.raises(Problem) as refusal:
        keys.require(_bearer("events"), "staff")
    assert refusal.value.code == "forbidden"


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Basic mr_abc", "Bearer mr_", "Bearer mr_abc.def", "Bearer é"],
)
def test_whatever_is_not_a_key_is_unauthenticated(authorization):
    with pytest.raises(Problem) as refusal:
        keys.require(authorization, "events")
    assert refusal.value.code == "unauthenticated"
    assert refusal.value.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_changed_key_is_refused():
    token = keys.issue(key_id="shop-1", scopes=["events"], secret="s" * 32)
    with pytest.raises(Problem, match="changed on its way"):
        keys.verify(token[:-1] + ("A" if token[-1] != "A" else "B"), "s" * 32)


def test_a_key_of_another_installation_is_refused():
    token = keys.issue(key_id="shop-1", scopes=["events"], secret="s" * 32)
    with pytest.raises(Problem, match="not issued here"):
        keys.verify(token, "t" * 32)


def test_an_unknown_scope_cannot_be_issued():
    with pytest.raises(ValueError, match="root"):
        keys.issue(key_id="shop-1", scopes=["root"], secret="s" * 32)


def test_a_revoked_key_is_refused_within_seconds():
    key_id = uuid4().hex
    authorization = _bearer("events", key_id=key_id)
    keys.require(authorization, "events")
    revocations.publish([key_id])
    time.sleep(2.3)
    with pytest.raises(Problem, match="revoked"):
        keys.require(authorization, "events")


def test_components_know_one_another():
    assert keys.require(keys.internal_authorization(), "internal").scopes == {"internal"}
