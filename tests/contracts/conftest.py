import os
from uuid import uuid4

import pytest
from pymongo import MongoClient


@pytest.fixture
def mongodb_url():
    """The address of a new database, dropped afterwards."""
    server, _, options = os.environ["MULTIRECO_MONGODB_URL"].partition("/?")
    name = f"contracts_{uuid4().hex[:12]}"
    yield f"{server}/{name}?{options}"
    with MongoClient(os.environ["MULTIRECO_MONGODB_URL"]) as client:
        client.drop_database(name)
