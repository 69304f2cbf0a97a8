"""The index that this process answers from, and the task that keeps it up with the store."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any, ParamSpec, TypeVar

from catalog_app.documents import SEARCHED
from catalog_app.search import counting, listing
from catalog_app.search.index import Index
from catalog_app.search.ordering import Orders
from catalog_app.store import Clock, Document, Store, Unavailable

FOLLOW_SECONDS = 0.4
READ_AT_ONCE = 2000
WAIT_SECONDS = 1.0
MOST_WAITING = 64
STOP_SECONDS = 2.0

log = logging.getLogger(__name__)
Given = ParamSpec("Given")
Got = TypeVar("Got")


class NotRead(Exception):
    """The index cannot answer yet, or has too much to do; the message says which."""


class LiveIndex:
    """The products of `store`, searchable.

    Whatever touches the index runs in one thread of its own, one call after the other: the event
    loop is never held up, and no call sees a change half made.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="catalog-index")
        self._index = Index()
        self._orders = Orders(self._index)
        self._read = Clock("", 0)
        self._sequences: dict[str, int] = {}
        self._counted: tuple[tuple[Index, int], asyncio.Task[list[dict[str, Any]]]] | None = None
        self._ready = asyncio.Event()
        self._nudged = asyncio.Event()
        self._catching_up = asyncio.Lock()
        self._waiting = 0
        self._stopped = False

    @property
    def ready(self) -> bool:
        """Whether the catalogue has been read whole once."""
        return self._ready.is_set()

    async def page(self, asked: listing.PageWanted) -> listing.Page:
        """One page of a list. Raises: NotRead."""
        await self._until_ready()
        return await self._alone(listing.page, self._index, self._orders, asked)

    async def categories(self) -> list[dict[str, Any]]:
        """The tree, counted once for each state of the index. Raises: NotRead."""
        await self._until_ready()
        state = (self._index, self._index.generation)
        if self._counted is None or self._counted[0] != state:
            counting_it = asyncio.create_task(self._alone(counting.tree, self._index))
            self._counted = (state, counting_it)
        try:
            return await asyncio.shield(self._counted[1])
        except NotRead:
            self._counted = None
            raise

    def state(self, product_id: str) -> str:
        """The newest state of an offered product as far as it was read, by a name; else nothing."""
        sequence = self._sequences.get(product_id)
        return f"{self._read.epoch}-{sequence}" if sequence else ""

    def nudge(self) -> None:
        """Something has been written here: look now rather than soon."""
        self._nudged.set()

    async def catch_up(self) -> None:
        """Take in what has changed since the last time. Raises: store.Unavailable."""
        async with self._catching_up:
            await self._catch_up()

    async def _catch_up(self) -> None:
        clock = await self._store.clock()
        if not clock.epoch or not self._read.epoch:  # a new store, or a process that just began
            await self._store.prepare()
            clock = await self._store.clock()
        index, orders, after = self._index, self._orders, self._read.sequence
        sequences = self._sequences
        if clock.epoch != self._read.epoch or clock.sequence < after:
            index, after = Index(), 0  # the store is another one, or was rebuilt
            orders, sequences = Orders(index), {}
        if not after:
            async with aclosing(self._store.everything(at_once=READ_AT_ONCE)) as scan:
                async for documents in scan:
                    await self._in_thread(index.put, documents)
                    _note(sequences, documents)
            after = clock.sequence  # what changed during the scan has a higher number
        while after < clock.sequence:
            changed = await self._store.changed(after=after, limit=READ_AT_ONCE, fields=SEARCHED)
            after = changed.next
            if changed.documents:
                await self._in_thread(index.put, changed.documents)
                _note(sequences, changed.documents)
        self._index, self._orders, self._sequences = index, orders, sequences
        self._read = Clock(clock.epoch, after)
        self._ready.set()

    async def follow(self) -> None:
        """Catch up a few times a second, until `stop`."""
        away = False
        while not self._stopped:
            try:
                await self.catch_up()
            except Unavailable as trouble:
                if not away:
                    log.warning("the catalogue waits for MongoDB: %s", trouble)
                away = True
            except Exception:  # noqa: BLE001  # a task's edge: nobody above would see it
                log.exception("the catalogue could not take in what changed")
            else:
                if away:
                    log.info("MongoDB answers again")
                away = False
            with suppress(TimeoutError):
                async with asyncio.timeout(FOLLOW_SECONDS):
                    await self._nudged.wait()
            self._nudged.clear()

    def stop(self) -> None:
        """Let `follow` end at its next turn."""
        self._stopped = True
        self.nudge()

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _until_ready(self) -> None:
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._ready.wait()
        except TimeoutError:
            raise NotRead("The catalogue is being read; lists can be had when it is.") from None

    async def _alone(
        self, function: Callable[Given, Got], *given: Given.args, **named: Given.kwargs
    ) -> Got:
        """Run it in the index's thread, unless too many wait for that."""
        if self._waiting >= MOST_WAITING:
            raise NotRead("Too many lists are being asked for at once.")
        self._waiting += 1
        try:
            return await self._in_thread(function, *given, **named)
        finally:
            self._waiting -= 1

    async def _in_thread(
        self, function: Callable[Given, Got], *given: Given.args, **named: Given.kwargs
    ) -> Got:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: function(*given, **named))


def _note(sequences: dict[str, int], documents: Sequence[Document]) -> None:
    for document in documents:
        if document["deleted"]:
            sequences.pop(document["_id"], None)
        else:
            sequences[document["_id"]] = document["sequence"]


@asynccontextmanager
async def following(store: Store) -> AsyncIterator[LiveIndex]:
    """An index that follows the store until the block is left."""
    index = LiveIndex(store)
    task = asyncio.create_task(index.follow(), name="catalog-follow")
    try:
        yield index
    finally:
        # Asked first: the driver leaves a socket open where it is cancelled while connecting.
        index.stop()
        await asyncio.wait({task}, timeout=STOP_SECONDS)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        index.close()
