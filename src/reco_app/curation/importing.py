"""Product feeds into the record: batch by batch, naming each bad row and going on.

Every batch is a transaction of its own and an unchanged row writes nothing, so that an import
that was interrupted is resumed by running it again, and running it twice does no harm.
"""

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import islice
from typing import Any, BinaryIO

from reco_app import settings
from reco_app.curation import feeds, fields, store
from reco_app.curation.feed_rows import BadRow, Row, Unreadable

MOST_TOLD = 100
MOST_RETIRED = 0.5  # of what is offered; a feed that lacks more is probably the wrong file

Write = Callable[[Mapping[str, Mapping[str, Any]]], store.Written]


@dataclass
class Summary:
    """What became of a feed.

    `errors` holds the first hundred bad rows; `stopped` says why the rest of the feed was not
    read, `kept` why nothing was retired although that was asked for.
    """

    rows: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0
    retired: int = 0
    dry_run: bool = False
    stopped: str = ""
    kept: str = ""
    errors: list[dict[str, Any]] = field(default_factory=list)

    @property
    def taken(self) -> int:
        return self.created + self.changed + self.unchanged

    @property
    def flawless(self) -> bool:
        return not (self.rejected or self.stopped or self.kept)

    def document(self) -> dict[str, Any]:
        return asdict(self)


class FeedImport:
    """One run over one feed: what it has counted, and which products it has seen."""

    def __init__(
        self,
        stream: BinaryIO,
        feed_format: feeds.Format,
        *,
        reason: str = "imported from a feed",
        user_id: int | None = None,
        on_bad_row: Callable[[BadRow], None] = lambda _: None,
        on_batch: Callable[[Summary], None] = lambda _: None,
    ) -> None:
        self.summary = Summary()
        self._feed = feeds.read(stream, feed_format)
        self._currency = settings.current().currency
        self._reason = reason
        self._user_id = user_id
        self._on_bad_row = on_bad_row
        self._on_batch = on_batch
        self._taken: dict[str, bool] = {}  # every id that was read, and whether its row was good
        self._unnamed = 0

    def store(self) -> None:
        """Write every good row."""
        self._run(partial(store.upsert_products, reason=self._reason, user_id=self._user_id))

    def check(self) -> None:
        """Find what `store` would do, and write nothing."""
        self.summary.dry_run = True
        self._run(store.compare_products)

    def retire_missing(self, *, at_most: float = MOST_RETIRED) -> None:
        """Retire the products that the feed no longer has, unless it was not read to its end,
        has rows whose product is unknown, or lacks more than the part `at_most` of them."""
        offered = store.ids_not_retired()
        missing = [item_id for item_id in offered if item_id not in self._taken]
        if self.summary.stopped:
            self.summary.kept = "nothing was retired: the feed was not read to its end"
        elif self._unnamed:
            self.summary.kept = (
                f"nothing was retired: {self._unnamed} rows could not be read, and may be "
                "about products that would be retired"
            )
        elif len(missing) > at_most * len(offered):
            self.summary.kept = (
                f"nothing was retired: the feed lacks {len(missing)} of {len(offered)} products; "
                "if that is right, use force"
            )
        elif self.summary.dry_run:
            self.summary.retired = len(missing)
        else:
            self.summary.retired = store.retire_products(
                missing, reason="no longer in the feed", user_id=self._user_id
            )

    def _run(self, write: Write) -> None:
        rows = self._good_rows()
        while batch := list(islice(rows, store.CHUNK)):
            lines = {item_id: line for line, item_id, _ in batch}
            written = write({item_id: given for _, item_id, given in batch})
            for item_id, missing in written.incomplete.items():
                for name in missing:
                    self._reject(BadRow(lines[item_id], name, "a new product needs it", item_id))
                self.summary.rejected += 1
            self.summary.created += written.created
            self.summary.changed += written.changed
            self.summary.unchanged += written.unchanged
            self._on_batch(self.summary)

    def _good_rows(self) -> Iterator[tuple[int, str, dict[str, Any]]]:
        try:
            for row in self._feed.rows:
                self.summary.rows += 1
                good = self._good_row(row)
                if good:
                    yield good
                else:
                    self.summary.rejected += 1
        except Unreadable as trouble:
            self.summary.stopped = str(trouble)
        except (EOFError, OSError, zlib.error) as trouble:  # gzip raises any of the three
            self.summary.stopped = f"the file breaks off: {trouble}"

    def _good_row(self, row: Row | BadRow) -> tuple[int, str, dict[str, Any]] | None:
        if isinstance(row, BadRow):
            self._unnamed += 1
            self._reject(row)
            return None
        item_id, given, problems = fields.parse(
            row.cells, google=self._feed.google, currency=self._currency
        )
        for problem in problems:
            self._reject(BadRow(row.line, *problem, item_id))
        if item_id and self._taken.get(item_id):
            self._reject(BadRow(row.line, "id", "on an earlier line too; that one counts", item_id))
            return None
        if item_id:
            self._taken[item_id] = not problems
        return None if problems or item_id is None else (row.line, item_id, given)

    def _reject(self, bad: BadRow) -> None:
        self._on_bad_row(bad)
        if len(self.summary.errors) < MOST_TOLD:
            self.summary.errors.append(bad._asdict())
