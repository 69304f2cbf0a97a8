from collections.abc import Iterator

import pytest

from reco_app.curation.models import Product
from reco_app.events import writers


@pytest.fixture
def shop(transactional_db: None) -> Iterator[None]:
    """A catalogue of two products; the threads that write end with the test."""
    for version, item_id in enumerate(["22423", "85123A"], start=1):
        Product.objects.create(
            item_id=item_id, title=item_id, price="2.95", currency="GBP", version=version
        )
    yield
    writers.close()
