from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
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
    assert "Recall@20" in page
    assert "_save" not in page
    assert first in question
    assert asked == second
    assert release.live_version(model_dir) == first


def test_who_made_a_release_live_is_told(shop: Shop, model_dir: Path, admin_client: Client) -> None:
    number = Release.objects.get(version=train(NOW)).pk

    admin_client.post(f"{LIST}{number}/make-live/")

    page = admin_client.get(f"{LIST}{number}/change/").content.decode()
    assert "made live by" in page.lower()
    assert "<div>admin, 20" in page


def test_a_live_release_that_is_damaged_is_told_on_the_list(
    shop: Shop, model_dir: Path, admin_client: Client
) -> None:
    version = train(NOW)
    (release.release_path(model_dir, version) / "idf.npy").unlink()

    assert "idf.npy: No such file" in admin_client.get(LIST).content.decode()


def test_who_may_only_look_is_not_offered_to_switch(
    shop: Shop, model_dir: Path, client: Client, django_user_model: Any
) -> None:
    number = Release.objects.get(version=train(NOW)).pk
    analyst = django_user_model.objects.create_user("ann", password="x", is_staff=True)
    analyst.user_permissions.add(Permission.objects.get(codename="view_release"))
    client.force_login(analyst)

    assert "make-live" not in client.get(f"{LIST}{number}/change/").content.decode()
    assert client.post(f"{LIST}{number}/make-live/").status_code == 403


@pytest.mark.parametrize("number", ["999", "none"])
def test_a_release_that_is_not_there_is_not_found(
    shop: Shop, admin_client: Client, number: str
) -> None:
    assert admin_client.get(f"{LIST}{number}/make-live/").status_code == 404
