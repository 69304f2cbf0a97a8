"""The only door to MongoDB: products as documents, and the order in which they changed.

A product's document is its newest state: `_id`, `version`, `sequence`, `generation`, `deleted`,
and unless it is deleted the fields of the wire, with `attributes` as pairs, since a field name
of MongoDB may not be just any text. Money is stored as sent, beside `price_units`, an integer
that sorts.

One document, the clock, numbers the changes. Writers are transactions that begin by moving it,
so they take turns and their numbers become visible in order: who has read up to n has missed
nothing up to n. Transactions need a replica set; a set of one is enough.

It also names the generation, which a rebuild begins: what was written in an earlier one is out of
date whatever its version, and is replaced while it is still read.
"""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import pymongo
from pymongo import AsyncMongoClient, InsertOne, ReplaceOne, ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import ConnectionFailure, DuplicateKeyError, ExecutionTimeout, PyMongoError

from runtime import metrics, tracing
from runtime.breakers import breaker

ANSWER_SECONDS = 1.0
CHANGES_SECONDS = 5.0
WRITE_SECONDS = 8.0
PREPARE_SECONDS = 60.0
# Unless the address says otherwise.
LIMITS: dict[str, Any] = {
    "timeoutMS": int(ANSWER_SECONDS * 1000),
    "serverSelectionTimeoutMS": int(ANSWER_SECONDS * 1000),
    "connectTimeoutMS": int(ANSWER_SECONDS * 1000),
    "maxPoolSize": 32,
}

Document = dict[str, Any]
# name: definition, as index_information tells it
INDEXES: dict[str, Document] = {"sequence": {"key": [("sequence", 1)], "unique": True}}
_CLOCK = {"_id": "products"}
_REFUSED = {13, 18}  # Unauthorized, AuthenticationFailed

log = logging.getLogger(__name__)


class Unavailable(Exception):
    """MongoDB is away, or did not answer in time."""


class GenerationOver(Exception):
    """This is not, or no longer, the generation that is being written."""


class Clock(NamedTuple):
    """`sequence`: the number of the newest change. `epoch` differs once the store is rebuilt."""

    epoch: str
    sequence: int


class Changed(NamedTuple):
    documents: list[Document]
    next: int


class Store:
    """The products of one database; safe to share between tasks of one event loop."""

    def __init__(self, client: AsyncMongoClient[Document]) -> None:
        self._client = client
        self._database: AsyncDatabase[Document] = client.get_default_database("catalog")
        self._products = self._database["products"]
        self._clocks = self._database["clocks"]
        # Named by its servers: another one's failures say nothing about these.
        self._breaker = breaker(
            f"mongodb {sorted(client.topology_description.server_descriptions())}"
        )

    @contextmanager
    def _asking(self, seconds: float = ANSWER_SECONDS) -> Iterator[None]:
        """Bound whatever is asked inside, and tell trouble by one name."""
        if not self._breaker.admits():
            raise Unavailable("MongoDB failed repeatedly and is being spared")
        with self._breaker, metrics.timed("mongodb"), tracing.calling("mongodb", "ask"):
            try:
                with pymongo.timeout(seconds):
                    yield
            except (ConnectionFailure, ExecutionTimeout) as trouble:
                raise Unavailable(str(trouble)[:200]) from trouble
            except PyMongoError as trouble:
                if getattr(trouble, "code", None) in _REFUSED:
                    raise Unavailable("MongoDB refuses this user or password") from trouble
                # A writer has it that waited for the others until its time was over.
                if not (trouble.timeout or trouble.has_error_label("TransientTransactionError")):
                    raise
                raise Unavailable("MongoDB did not answer in time") from trouble

    async def prepare(self) -> None:
        """Make the indexes and the clock where they are missing. Raises: Unavailable."""
        with self._asking(PREPARE_SECONDS):
            await self._make_indexes()
            try:
                await self._clocks.update_one(
                    _CLOCK, {"$setOnInsert": {"epoch": uuid4().hex, "sequence": 0}}, upsert=True
                )
            except DuplicateKeyError:
                return  # another process made it in the same moment

    async def _make_indexes(self) -> None:
        """What stands in the way of ours, by its name or over the same keys, is dropped."""
        found = await self._products.index_information()
        for name, wanted in INDEXES.items():
            for other, told in found.items():
                known = {part: value for part, value in told.items() if part not in ("v", "ns")}
                in_the_way = other == name or known["key"] == wanted["key"]
                if in_the_way and (other, known) != (name, wanted):
                    log.warning("dropping the index %s, which is not as wanted: %s", other, known)
                    await self._products.drop_index(other)
            await self._products.create_index(
                name=name, keys=wanted["key"], unique=wanted["unique"]
            )

    async def clock(self) -> Clock:
        """Where the changes stand. Raises: Unavailable."""
        with self._asking():
            found = await self._clocks.find_one(_CLOCK)
        return Clock(found["epoch"], found["sequence"]) if found else Clock("", 0)

    async def products(self, ids: Sequence[str]) -> dict[str, Document]:
        """The offered ones of these products, by id. Raises: Unavailable."""
        with self._asking():
            found = self._products.find({"_id": {"$in": list(ids)}}, batch_size=len(ids) + 1)
            return {each["_id"]: each async for each in found if not each["deleted"]}

    async def everything(self, *, at_once: int) -> AsyncGenerator[list[Document], None]:
        """Each product and tombstone once, in no order. Raises: Unavailable.

        One scan, whole documents: on the embedded server it costs half of what windows of
        changes or a projection cost.
        """
        cursor = self._products.find({}, batch_size=at_once)
        async with cursor:
            while True:
                with self._asking(CHANGES_SECONDS):
                    documents = await cursor.to_list(at_once)
                if not documents:
                    return
                yield documents

    async def changed(self, *, after: int, limit: int, fields: Sequence[str]) -> Changed:
        """The newest states of the products that changed, oldest change first.

        Raises: Unavailable.
        """
        newest = (await self.clock()).sequence
        documents: list[Document] = []
        window = limit
        while after < newest and len(documents) < limit:
            # A window, since the embedded server reads all that matches before it sorts and
            # limits; it grows, since most numbers of an old catalogue belong to nothing now.
            last = min(after + window, newest)
            documents += await self._window(after, last, limit - len(documents), fields)
            after = documents[-1]["sequence"] if len(documents) == limit else last
            window *= 2
        return Changed(documents, after)

    async def _window(
        self, after: int, last: int, limit: int, fields: Sequence[str]
    ) -> list[Document]:
        with self._asking(CHANGES_SECONDS):
            found = self._products.find(
                {"sequence": {"$gt": after, "$lte": last}},
                dict.fromkeys(fields, 1),
                batch_size=limit + 1,
            )
            return await found.sort("sequence", 1).limit(limit).to_list()

    async def upsert(self, documents: Sequence[Document]) -> int:
        """Bring products to these states, unless theirs is as new; how many were newer.

        All or nothing. Raises: Unavailable.
        """
        newest: dict[str, Document] = {}
        for document in documents:
            known = newest.get(document["_id"])
            if known is None or known["version"] < document["version"]:
                newest[document["_id"]] = document

        async def write(session: AsyncClientSession) -> int:
            return await self._write(session, newest)

        with self._asking(WRITE_SECONDS):
            async with self._client.start_session() as session:
                return await session.with_transaction(write)

    async def _write(self, session: AsyncClientSession, newest: Mapping[str, Document]) -> int:
        sequence, generation = await self._take_numbers(session, len(newest))
        found = self._products.find(
            {"_id": {"$in": list(newest)}}, {"version": 1, "generation": 1}, session=session
        )
        versions = {
            each["_id"]: each["version"] if each.get("generation", 0) == generation else -1
            async for each in found
        }
        changes: list[InsertOne[Document] | ReplaceOne[Document]] = []
        for product_id, document in newest.items():
            if versions.get(product_id, -1) < document["version"]:
                sequence += 1
                numbered = {**document, "sequence": sequence, "generation": generation}
                changes.append(
                    ReplaceOne({"_id": product_id}, numbered)
                    if product_id in versions
                    else InsertOne(numbered)
                )
        if changes:
            await self._products.bulk_write(changes, ordered=False, session=session)
        return len(changes)

    async def begin_generation(self) -> int:
        """From now on all that was written is out of date, until it is written again.

        Raises: Unavailable.
        """
        with self._asking():
            clock = await self._clocks.find_one_and_update(
                _CLOCK, {"$inc": {"generation": 1}}, return_document=ReturnDocument.AFTER
            )
        if clock is None:
            raise Unavailable("the store is new and not prepared yet")
        return int(clock["generation"])

    async def withdraw_older(self, generation: int, *, limit: int) -> int:
        """Make tombstones of some products of earlier generations; of how many.

        Raises: GenerationOver, Unavailable.
        """

        async def write(session: AsyncClientSession) -> int | None:
            return await self._withdraw(session, generation, limit)

        with self._asking(WRITE_SECONDS):
            async with self._client.start_session() as session:
                withdrawn = await session.with_transaction(write)
        if withdrawn is None:  # told outside: MongoDB has not failed
            raise GenerationOver
        return withdrawn

    async def _withdraw(
        self, session: AsyncClientSession, generation: int, limit: int
    ) -> int | None:
        sequence, current = await self._take_numbers(session, limit)
        if generation != current:
            return None
        older = {"generation": {"$ne": generation}, "deleted": False}
        found = self._products.find(older, {"_id": 1}, session=session).limit(limit)
        ids = [each["_id"] async for each in found]
        # Of version 0: whenever the product comes again, that is newer.
        tombstone = {"version": 0, "deleted": True, "generation": generation}
        changes = [
            ReplaceOne({"_id": each}, {"_id": each, **tombstone, "sequence": sequence + place})
            for place, each in enumerate(ids, start=1)
        ]
        if changes:
            await self._products.bulk_write(changes, ordered=False, session=session)
        return len(changes)

    async def _take_numbers(self, session: AsyncClientSession, count: int) -> tuple[int, int]:
        """The number before the first of `count` new ones, and the generation; other writers
        wait from here on."""
        clock = await self._clocks.find_one_and_update(
            _CLOCK,
            {"$inc": {"sequence": count}},
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        if clock is None:
            raise Unavailable("the store is new and not prepared yet")
        return int(clock["sequence"]) - count, int(clock.get("generation", 0))


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Store]:
    """The store at this address; made inside the event loop that will use it."""
    given = {name.lower() for name, _ in parse_qsl(urlsplit(url).query)}
    client: AsyncMongoClient[Document] = AsyncMongoClient(
        url,
        **{name: value for name, value in LIMITS.items() if name.lower() not in given},
        # What was acknowledged or read stays, whichever server is lost.
        w="majority",
        readConcernLevel="majority",
        appname="multireco-catalog",
    )
    async with client:
        yield Store(client)
