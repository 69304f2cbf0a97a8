"""API keys: signed tokens that every component checks by itself, without a call."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

from itsdangerous import BadSignature, URLSafeSerializer

from runtime import revocations, settings
from runtime.problems import Problem

Scope = Literal["events", "import", "staff", "internal"]
SCOPES: tuple[Scope, ...] = ("events", "import", "staff", "internal")

_PREFIX = "mr_"
_LONGEST_TOKEN = 512
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="multireco"'}


class Key(NamedTuple):
    """Who is asking: the id under which the key was made, and what it allows."""

    id: str
    scopes: frozenset[str]


@lru_cache(maxsize=4)
def _serializer(secret: str) -> URLSafeSerializer:
    return URLSafeSerializer(
        secret,
        salt="multireco.key",
        signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
    )


def issue(*, key_id: str, scopes: Sequence[str], secret: str) -> str:
    """A new token for `key_id`; whoever holds it may do what `scopes` allow until revoked."""
    unknown = set(scopes) - set(SCOPES)
    if unknown:
        raise ValueError(f"unknown scopes: {', '.join(sorted(unknown))}")
    signed = _serializer(secret).dumps([key_id, sorted(scopes)])
    return _PREFIX + str(signed)


def verify(token: str, secret: str) -> Key:
    """The key that `token` carries; Problem unauthenticated if it was not issued with `secret`."""
    if not token.startswith(_PREFIX) or len(token) > _LONGEST_TOKEN:
        raise _unauthenticated("The Authorization header carries no key of this service.")
    try:
        key_id, scopes = _serializer(secret).loads(token.removeprefix(_PREFIX))
    except BadSignature:
        raise _unauthenticated("The key was not issued here, or was changed on its way.") from None
    return Key(id=key_id, scopes=frozenset(scopes))


def require(authorization: str | None, scope: Scope) -> Key:
    """The key of an Authorization header, if it is genuine, not revoked and carries `scope`.

    Problem unauthenticated (401) or forbidden (403) otherwise.
    """
    kind, _, token = (authorization or "").partition(" ")
    if kind.lower() != "bearer" or not token:
        raise _unauthenticated(f"This call needs a key with the scope {scope!r}.")
    key = verify(token.strip(), settings.current().secret_key.get_secret_value())
    if revocations.revoked(key.id):
        raise _unauthenticated("The key has been revoked.")
    if scope not in key.scopes:
        raise Problem("forbidden", f"The key does not carry the scope {scope!r}.")
    return key


@lru_cache(maxsize=4)
def _internal_token(secret: str) -> str:
    return issue(key_id="internal", scopes=("internal",), secret=secret)


def internal_authorization() -> str:
    """The Authorization header by which one component calls another's /internal paths."""
    return f"Bearer {_internal_token(settings.current().secret_key.get_secret_value())}"


def _unauthenticated(detail: str) -> Problem:
    return Problem("unauthenticated", detail, headers=_CHALLENGE)
