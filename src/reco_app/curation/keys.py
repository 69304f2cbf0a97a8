"""API keys: made, shown once, revoked."""

import logging

import redis
from django.utils import timezone
from ulid import ULID

from reco_app import settings
from reco_app.curation.models import ApiKey
from runtime import keys, revocations

log = logging.getLogger(__name__)


def make(key: ApiKey) -> str:
    """Store a new key and return its token, which nobody can be shown again."""
    key.key_id = str(ULID())
    key.save(force_insert=True)
    secret = settings.current().secret_key.get_secret_value()
    return keys.issue(key_id=key.key_id, scopes=key.scopes, secret=secret)


def revoke(key_ids: list[str]) -> int:
    """Mark the keys as revoked and tell every process; the number that were still good."""
    live = ApiKey.objects.filter(pk__in=key_ids, revoked_at__isnull=True)
    revoked = live.update(revoked_at=timezone.now())
    publish_revocations()
    return revoked


def publish_revocations() -> None:
    """Tell Redis every revoked id again; while it is away the relay's next round will."""
    revoked = ApiKey.objects.filter(revoked_at__isnull=False)
    try:
        revocations.publish(list(revoked.values_list("key_id", flat=True)))
    except redis.RedisError as trouble:
        log.warning("revoked keys cannot be published yet: %s", trouble)
