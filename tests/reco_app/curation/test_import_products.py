import gzip
import json

import pytest
from django.core.management import CommandError, call_command

from reco_app.curation.models import Product

GOOD = b"id,title,price\nmug,Blue mug,2.50\n"


@pytest.fixture
def feed(tmp_path):
    def write(content, name="feed.csv"):
        path = tmp_path / name
        path.write_bytes(content)
        return str(path)

    return write


@pytest.mark.django_db
def test_a_good_feed_ends_well_and_prints_a_summary(feed, capsys):
    call_command("import_products", feed(GOOD), "--json")

    assert json.loads(capsys.readouterr().out)["created"] == 1


@pytest.mark.django_db
def test_a_compressed_feed_is_read_too(feed):
    call_command("import_products", feed(gzip.compress(GOOD), "feed.csv.gz"))

    assert Product.objects.get().title == "Blue mug"


@pytest.mark.django_db
def test_rejected_rows_are_named_on_stderr_and_end_with_1(feed, capsys):
    with pytest.raises(SystemExit) as ended:
        call_command("import_products", feed(GOOD + b"pan,Pan,cheap\n"))

    assert ended.value.code == 1
    assert "feed.csv:3: price: “cheap” is not a price" in capsys.readouterr().err


@pytest.mark.django_db
def test_a_feed_that_cannot_be_read_ends_with_2(feed, capsys):
    with pytest.raises(SystemExit) as ended:
        call_command("import_products", feed(b"name,price\n"))

    assert ended.value.code == 2
    assert "no column “id”" in capsys.readouterr().out


def test_a_file_that_is_not_there_ends_with_2():
    with pytest.raises(CommandError) as error:
        call_command("import_products", "/nowhere/feed.csv")

    assert error.value.returncode == 2


@pytest.mark.parametrize("start", [b"\x1f\x8b", b"\x1f\x8bnonsense that is no gzip"])
def test_a_file_that_only_starts_like_gzip_ends_with_2(feed, start):
    with pytest.raises(CommandError, match=r"feed\.csv: \w+ ") as ended:
        call_command("import_products", feed(start))

    assert ended.value.returncode == 2


@pytest.mark.django_db
def test_a_dry_run_changes_nothing(feed, capsys):
    call_command("import_products", feed(GOOD), "--dry-run")

    assert "Would bring in 1 new" in capsys.readouterr().out
    assert Product.objects.count() == 0
