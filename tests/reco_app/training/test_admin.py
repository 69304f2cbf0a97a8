from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client

from reco_app.engine import release
from reco_app.training import service
from reco_app.training.models import Release

pytestmark = pytest.mark.urls("reco_app.urls")
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
Shop = Callable[..., None]
LIST = "/admin/training/release/"


def train(now: datetime) -> str:
    return service.train(now=now, report=lambda step, done, total: None).version


def test_staff_see_the_measures_and_roll_back_after_a_question(
    shop: Shop, model_dir: Path, admin_client: Client
) -> None:
    shop()
    first, second = train(NOW), train(NOW + timedelta(hours=1))
    number = Release.objects.get(version=first).pk

    listed = admin_client.get(LIST).content.decode()
    page = admin_client.get(f"{LIST}{number}/change/").content.decode()
    question = admin_client.get(f"{LIST}{number}/make-live/").content.decode()
    asked = release.live_version(model_dir)
    admin_client.post(f"{LIST}{number}/make-live/")

    assert first in listed
    assert second in listed
    assert "recall_at_20" in page
    assert first in question
    assert asked == second
    assert release.live_version(model_dir) == first


@pytest.mark.parametrize("number", ["999", "none"])
def test_a_release_that_is_not_there_is_not_found(
    shop: Shop, admin_client: Client, number: str
) -> None:
    assert admin_client.get(f"{LIST}{number}/make-live/").status_code == 404
