"""Products as readers see them, encoded: from Redis, and where they are not there from MongoDB.

Each state of a product has a name of its own, so that what Redis holds is never out of date: what
changed is looked for under another name as soon as this process knows of the change.
"""

from collections.abc import Sequence

from orjson import Fragment

from catalog_app.documents import to_wire
from catalog_app.live import LiveIndex
from catalog_app.responses import encoded
from catalog_app.store import Store, Unavailable
from runtime.shared import Shared

KEPT_SECONDS = 3600.0
SEPARATOR = ":"  # in no id


class Cards:
    def __init__(self, store: Store, live: LiveIndex) -> None:
        self._store = store
        self._live = live
        self._shared = Shared(
            "product", self._read, fresh_seconds=KEPT_SECONDS, failure=Unavailable
        )

    async def of(self, ids: Sequence[str]) -> dict[str, Fragment]:
        """The offered ones of these products, by id. Raises: store.Unavailable."""
        states = {each: self._live.state(each) for each in ids}
        known = [SEPARATOR.join([state, each]) for each, state in states.items() if state]
        found = await self._shared.read(known)
        if found.trouble:
            raise found.trouble
        told = {_id(name): value.body for name, value in found.values.items()}
        # Not known here: made up, withdrawn, or newer than what this process has read.
        others = [each for each, state in states.items() if not state]
        if others:
            told |= await self._read(others)
        return {each: Fragment(told[each]) for each in ids if each in told}

    async def _read(self, names: Sequence[str]) -> dict[str, bytes]:
        by_id = {_id(name): name for name in names}
        found = await self._store.products(list(by_id))
        return {by_id[each]: encoded(to_wire(document)) for each, document in found.items()}


def _id(name: str) -> str:
    return name.rpartition(SEPARATOR)[2]
