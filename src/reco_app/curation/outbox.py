"""What the catalogue service still has to be told: the part of the store that the relay uses."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Count, Min, Q

from reco_app.curation.models import OutboxEntry, Product


class Backlog(NamedTuple):
    waiting: int
    refused: int
    lag: timedelta


def take(*, limit: int) -> list[OutboxEntry]:
    """The next entries that no other relay holds, held until the end of the transaction."""
    next_ones = OutboxEntry.objects.filter(refused="").order_by("-urgent", "version")
    return list(next_ones.select_for_update(skip_locked=True)[:limit])


def newest_states(entries: Iterable[OutboxEntry]) -> list[Product]:
    """The products as they are now, each once, however often they changed since."""
    item_ids = {entry.product_id for entry in entries}
    return list(Product.objects.filter(pk__in=item_ids).order_by("version"))


def settle(entries: Iterable[OutboxEntry]) -> None:
    """Forget entries that arrived, and refusals of older states of the same products."""
    item_ids = {entry.product_id for entry in entries}
    arrived = Q(pk__in=[entry.pk for entry in entries])
    OutboxEntry.objects.filter(arrived | ~Q(refused="") & Q(product_id__in=item_ids)).delete()


def send_again(entries: Iterable[OutboxEntry]) -> int:
    """Give refused entries another try, once what was wrong has been mended."""
    return OutboxEntry.objects.filter(pk__in=[entry.pk for entry in entries]).update(refused="")


def refuse(entry: OutboxEntry, why: str) -> None:
    OutboxEntry.objects.filter(pk=entry.pk).update(refused=why or "without a reason")


def waiting(*, up_to: int) -> int:
    """How many changes up to this version the catalogue has not been told yet."""
    return OutboxEntry.objects.filter(refused="", version__lte=up_to).count()


def backlog(*, now: datetime) -> Backlog:
    """How many entries wait or were refused, and for how long the oldest has waited."""
    unsettled = OutboxEntry.objects.filter(refused="")
    figures = unsettled.aggregate(number=Count("pk"), oldest=Min("created_at"))
    lag = now - figures["oldest"] if figures["oldest"] else timedelta()
    refused = OutboxEntry.objects.exclude(refused="").count()
    return Backlog(figures["number"], refused, max(lag, timedelta()))
