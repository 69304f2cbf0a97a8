"""manage.py recommend ITEM…: an answer in the terminal, from the live release."""

import asyncio
import logging
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import msgspec
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from rich.console import Console
from rich.table import Column, Table

from reco_app.serving import follow, live, query, releases, service
from reco_app.serving.contracts import Answer, Result
from runtime.problems import Problem

log = logging.getLogger(__name__)
REPEATED = ("category", "brand", "exclude")
SINGLE = (
    *("scenario", "count", "profile", "price_min", "price_max"),
    *("budget", "free_shipping_gap", "diversity"),
)


class Command(BaseCommand):
    help = "Recommend what goes with ITEM…, each id, type:id or type:id*quantity, oldest first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("item", nargs="*", metavar="ITEM")
        for name in SINGLE:
            parser.add_argument(f"--{name.replace('_', '-')}")
        for name in REPEATED:
            parser.add_argument(f"--{name}", action="append", default=[])
        parser.add_argument("--any-stock", action="store_true", help="also what is out of stock")
        parser.add_argument("--json", action="store_true", help="print the answer of the API")

    def handle(self, *_: Any, **options: Any) -> None:
        _catch_up()
        try:
            request = query.request_of(_query_string(options))
            answer = asyncio.run(service.recommend(request, now=datetime.now(UTC)))
        except Problem as problem:
            raise CommandError(problem.detail) from problem
        if options["json"]:
            self.stdout.write(msgspec.json.encode(answer).decode())
        else:
            Console().print(_table(answer))
        for warning in answer.warnings:
            self.stderr.write(warning.detail)
        if answer.missing_ids:
            self.stderr.write(f"Unknown: {', '.join(answer.missing_ids)}")


def _catch_up() -> None:
    """What a serving process knows; without PostgreSQL, what the release remembers."""
    releases.follow_release()
    if live.current().model is None and releases.trouble():
        raise CommandError(releases.trouble())
    try:
        follow.follow_curation()
    except DatabaseError as error:
        log.warning("PostgreSQL is away, answering from the release's snapshot: %s", error)


def _query_string(options: dict[str, Any]) -> str:
    pairs = [("item", item) for item in options["item"]]
    pairs += [(name, options[name]) for name in SINGLE if options[name] is not None]
    for name in REPEATED:
        pairs += [("exclude_ids" if name == "exclude" else name, one) for one in options[name]]
    if options["any_stock"]:
        pairs.append(("in_stock", "false"))
    return urlencode(pairs)


def _table(answer: Answer) -> Table:
    version = answer.model.version if answer.model else "no release yet"
    because = Column("because", min_width=len("bought-together"))
    table = Table("", "id", "title", "price", "score", "source", because, title=version)
    for item in answer.items:
        card = msgspec.json.decode(item.product) if item.product else {}
        price = card.get("sale_price") or card.get("price", "")
        table.add_row(
            str(item.position),
            item.item_id,
            card.get("title", ""),
            f"{price} {card.get('currency', '')}",
            f"{item.score:.3f}",
            item.source,
            _because(item),
        )
    return table


def _because(item: Result) -> str:
    parts = [
        f"{reason.item_id or ''} {reason.evidence} {reason.count or ''}".strip()
        for reason in item.reasons
    ]
    return "; ".join(parts)
