import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from reco_app import settings
from reco_app.curation.models import Product
from reco_app.events import importing
from reco_app.events.rows import ImportedEvent

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
Shop = Callable[..., None]


@pytest.fixture
def model_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model store of this test alone."""
    own = settings.current().model_copy(update={"model_dir": tmp_path})
    for module in ("training.service.current", "training.sharing.current", "settings.current"):
        monkeypatch.setattr(f"reco_app.{module}", lambda: own)
    return tmp_path


@pytest.fixture
def shop(transactional_db: None) -> Shop:
    """Sixty products in six categories; call it to add sessions that keep to one category."""
    for number in range(60):
        Product.objects.create(
            item_id=f"p{number:02}",
            title=f"Product {number}",
            brand=["Acme", "Umbrella"][number % 2],
            categories=[f"Home > Room {number % 6} > Shelf"],
            price=f"{1 + number % 7}.50",
            currency="USD",
            version=number + 1,
        )
    return _sessions


@pytest.fixture
def environment(transactional_db: None, model_dir: Path) -> dict[str, str]:
    """For processes of their own, on this test's database and model store."""
    database = django_settings.DATABASES["default"]
    who = f"{database['USER']}:{database['PASSWORD']}"
    place = f"{database['HOST']}:{database['PORT']}/{database['NAME']}"
    return os.environ | {
        "PYTHONPATH": "src",
        "DJANGO_SETTINGS_MODULE": "reco_app.settings",
        "MULTIRECO_MODEL_DIR": str(model_dir),
        "MULTIRECO_DATABASE_URL": f"postgresql://{who}@{place}",
    }


def _sessions(count: int = 600, *, name: str = "s", ended_at: datetime = NOW) -> None:
    rows = []
    for session in range(count):
        at = ended_at - timedelta(minutes=10 * (count - session))
        rows += [
            ImportedEvent(
                session_id=f"{name}{session}",
                item_id=f"p{(session % 6 + 6 * ((session // 6 + step) % 10)):02}",
                occurred_at=at + timedelta(seconds=step),
                day=at.date(),
                event_type="view",
                quantity=1,
                price=None,
            )
            for step in range(4)
        ]
    importing.keep(rows)
