"""The door to curation's record: every write is one transaction of change, clock and outbox."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from reco_app.curation import bulk
from reco_app.curation.contracts import CuratedPlacement, CuratedRule
from reco_app.curation.models import CurationClock, OutboxEntry, Placement, Product, Rule

CHUNK = 1000  # rows a transaction: others wait for the clock no longer than some 100 ms
FACTORS = {"boost": 2.0, "bury": 0.5}
REQUIRED = ("title", "price")


class Written(NamedTuple):
    """What became of a batch; `incomplete` names the fields that new products lack, by id."""

    created: int
    changed: int
    unchanged: int
    incomplete: Mapping[str, Sequence[str]]


class _Merged(NamedTuple):
    """Whole rows to write, and what needs no writing or cannot be written."""

    created: list[dict[str, Any]]
    changed: list[dict[str, Any]]
    unchanged: int
    incomplete: dict[str, Sequence[str]]

    def counts(self) -> Written:
        return Written(len(self.created), len(self.changed), self.unchanged, self.incomplete)


def clock_version() -> int:
    """The version of the newest committed change."""
    return CurationClock.objects.values_list("version", flat=True).get()


def products_changed(*, after: int, limit: int) -> list[Product]:
    """Products whose version is above `after`, oldest change first.

    No two products share a version: go on after the last one's. Hidden and retired products
    are among them (`offered` is False).
    """
    return list(Product.objects.filter(version__gt=after).order_by("version")[:limit])


def all_products() -> Iterator[Product]:
    """Every product, hidden and retired ones too, by item id, without holding them all."""
    return Product.objects.order_by("item_id").iterator(chunk_size=2000)


def known_item_ids(item_ids: Collection[str]) -> set[str]:
    """Those of these ids that are products, hidden and retired ones too."""
    found = Product.objects.filter(item_id__in=item_ids)
    return set(found.order_by().values_list("item_id", flat=True))


def all_rules() -> list[CuratedRule]:
    """Every rule, those that are off or out of date too, in the order they were made."""
    rules = Rule.objects.select_related("placement").order_by("id")
    return [
        CuratedRule(
            id=rule.pk,
            kind=rule.kind,
            target_product=rule.target_product_id,
            target_category=rule.target_category or None,
            position=rule.position,
            factor=rule.factor or FACTORS.get(rule.kind, 1.0),
            placement=rule.placement.slug if rule.placement else None,
            context_category=rule.context_category or None,
            context_product=rule.context_product_id,
            starts_at=rule.starts_at,
            ends_at=rule.ends_at,
            active=rule.active,
            note=rule.note,
        )
        for rule in rules
    ]


def all_placements() -> list[CuratedPlacement]:
    return [
        CuratedPlacement(
            slug=placement.slug,
            name=placement.name,
            scenario=placement.scenario,
            count=placement.count,
            filter=placement.filter,
            active=placement.active,
        )
        for placement in Placement.objects.order_by("slug")
    ]


def ensure_clock() -> None:
    CurationClock.objects.get_or_create(id=1)


def lock_clock() -> int:
    """Take the writers' turn until the end of the transaction; the version before it."""
    return CurationClock.objects.select_for_update().values_list("version", flat=True).get()


@transaction.atomic
def save_product(product: Product, *, changed: Collection[str], user_id: int | None) -> None:
    """Store a new product, or the `changed` fields of one that others may have changed too."""
    version = lock_clock() + 1
    row = Product.objects.filter(pk=product.pk).first() or product
    for field in changed:
        setattr(row, field, getattr(product, field))
    row.version = version
    row.updated_at = timezone.now()
    _sign(row, user_id)
    row.save()
    OutboxEntry.objects.create(product_id=row.pk, version=version, urgent=True)
    CurationClock.objects.update(version=version)


def change_products(
    item_ids: Sequence[str],
    *,
    change: Callable[[dict[str, Any]], None],
    reason: str,
    user_id: int | None,
) -> int:
    """Let `change` edit the row of each product; the number of those that it did change."""
    changed = 0
    for start in range(0, len(item_ids), CHUNK):
        with transaction.atomic():
            version = lock_clock()
            before = _rows(item_ids[start : start + CHUNK])
            after = [_edited(row, change) for row in before.values()]
            differing = [row for row in after if row != before[row["item_id"]]]
            _write(differing, created=(), version=version, reason=reason, user_id=user_id)
        changed += len(differing)
    return changed


@transaction.atomic
def upsert_products(
    fields_by_id: Mapping[str, Mapping[str, Any]], *, reason: str, user_id: int | None
) -> Written:
    """Bring at most CHUNK products to the given fields: a product that is new or retired comes
    in, fields that are not given stay, and one that is already so is not written."""
    version = lock_clock()
    merged = _merged(fields_by_id)
    rows = [*merged.created, *merged.changed]
    created = [row["item_id"] for row in merged.created]
    _write(rows, created=created, version=version, reason=reason, user_id=user_id)
    return merged.counts()


def compare_products(fields_by_id: Mapping[str, Mapping[str, Any]]) -> Written:
    """What `upsert_products` would do."""
    return _merged(fields_by_id).counts()


def ids_not_retired() -> list[str]:
    return list(Product.objects.filter(retired_at=None).values_list("item_id", flat=True))


def retire_products(item_ids: Sequence[str], *, reason: str, user_id: int | None) -> int:
    """Take products out of the shop; their record and history stay."""
    now = timezone.now()

    def retire(row: dict[str, Any]) -> None:
        row["retired_at"] = row["retired_at"] or now

    return change_products(item_ids, change=retire, reason=reason, user_id=user_id)


@transaction.atomic
def save_curation(instance: Rule | Placement, *, user_id: int | None) -> None:
    version = lock_clock() + 1
    _sign(instance, user_id)
    instance.save()
    CurationClock.objects.update(version=version)


@transaction.atomic
def delete_curation(instance: Rule | Placement, *, user_id: int | None) -> None:
    version = lock_clock() + 1
    _sign(instance, user_id)
    instance.delete()
    CurationClock.objects.update(version=version)


def _sign(instance: Product | Rule | Placement, user_id: int | None) -> None:
    """Say who changes it, where simple-history looks."""
    user = User.objects.filter(pk=user_id).first() if user_id else None
    instance._history_user = user  # type: ignore[union-attr]


def _rows(item_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    products = Product.objects.filter(pk__in=item_ids).order_by("pk").values(*bulk.COLUMNS)
    return {row["item_id"]: row for row in products}


def _blank(item_id: str) -> dict[str, Any]:
    fields = Product._meta.concrete_fields
    return {field.attname: field.get_default() for field in fields} | {"item_id": item_id}


def _merged(fields_by_id: Mapping[str, Mapping[str, Any]]) -> _Merged:
    before = _rows(list(fields_by_id))
    merged = _Merged([], [], 0, {})
    for item_id, fields in fields_by_id.items():
        known = before.get(item_id)
        row = {**(known or _blank(item_id)), **fields, "retired_at": None}
        missing = [name for name in REQUIRED if not known and name not in fields]
        if missing:
            merged.incomplete[item_id] = missing
        elif known is None:
            merged.created.append(row)
        elif row != known:
            merged.changed.append(row)
    unchanged = (
        len(fields_by_id) - len(merged.created) - len(merged.changed) - len(merged.incomplete)
    )
    return merged._replace(unchanged=unchanged)


def _edited(row: dict[str, Any], change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    edited = {
        name: list(value) if isinstance(value, list) else value for name, value in row.items()
    }
    change(edited)
    return edited


def _write(
    rows: Sequence[dict[str, Any]],
    *,
    created: Collection[str],
    version: int,
    reason: str,
    user_id: int | None,
) -> None:
    if not rows:
        return
    now = timezone.now()
    for step, row in enumerate(rows, start=1):
        row["version"] = version + step
        row["updated_at"] = now
    bulk.write(rows, created=created, reason=reason, user_id=user_id)
    CurationClock.objects.update(version=version + len(rows))
