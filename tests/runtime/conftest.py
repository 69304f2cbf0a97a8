import pytest
import redis

from runtime import settings


@pytest.fixture(autouse=True)
def nothing_counted():
    """Redis is empty: what one test asked is not held against the next."""
    with redis.Redis.from_url(settings.current().redis_url) as client:
        client.flushdb()


@pytest.fixture
def fresh_settings():
    """Settings read anew inside the test, and again after it."""
    settings.current.cache_clear()
    yield
    settings.current.cache_clear()
