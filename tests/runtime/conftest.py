import pytest

from runtime import settings


@pytest.fixture
def fresh_settings():
    """Settings read anew inside the test, and again after it."""
    settings.current.cache_clear()
    yield
    settings.current.cache_clear()
