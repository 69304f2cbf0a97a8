"""The only door to the profiles and preferences in PostgreSQL."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Engine, ExceptionContext, create_engine, delete, event, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from profile_app import settings
from profile_app.internal_contracts import PreferencesGiven, ProfileGiven
from profile_app.models import SCHEMA, Preferences, Profile
from runtime import metrics, tracing
from runtime.breakers import breaker

CONNECTION = {
    "connect_timeout": 2,  # seconds
    "tcp_user_timeout": 3000,  # milliseconds; a host that is gone does not hold a thread
    "application_name": "multireco-profile",
}
LIMITS = (
    "-c statement_timeout=2000 -c lock_timeout=1000 -c idle_in_transaction_session_timeout=5000"
)


# Not migrated yet, and a server that is taking over and still read-only: both pass.
_PASSING = {"42P01", "25006"}


class Unavailable(Exception):
    """PostgreSQL is away, or so busy that it does not answer in time."""


class VersionConflict(Exception):
    """A profile is no longer at the version that its change was made from."""

    def __init__(self, conflicts: Sequence[tuple[int, int]]) -> None:
        super().__init__(conflicts)
        self.conflicts = conflicts  # (index in the call, current version; 0 where there is none)


class Taste(NamedTuple):
    """What is compared of a profile."""

    slug: str
    name: str
    weights: dict[str, dict[str, float]]


@cache
def engine() -> Engine:
    """The pool of connections of this process, opened at the first use."""
    return make_engine(settings.current().profile_database_url.get_secret_value())


def make_engine(url: str) -> Engine:
    """A pool that asks before it trusts a connection, and waits for nothing for long."""
    made = create_engine(
        url,
        pool_size=10,  # as many as threads of one process
        max_overflow=0,
        pool_timeout=1,
        pool_pre_ping=True,
        hide_parameters=True,  # what people ask for stays out of the logs
        connect_args={**CONNECTION, "options": LIMITS},
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
    )
    if tracing.enabled():
        event.listen(made, "before_cursor_execute", _begin_statement)
        event.listen(made, "after_cursor_execute", _end_statement)
        event.listen(made, "handle_error", _end_failed_statement)
    return made


def _begin_statement(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
    begun = ExitStack()
    begun.enter_context(tracing.stating(statement))
    connection.info["statement"] = begun


def _end_statement(connection: Any, *_: Any) -> None:
    connection.info.pop("statement").close()


def _end_failed_statement(failed: ExceptionContext) -> None:
    begun = failed.connection.info.pop("statement", None) if failed.connection else None
    if begun is not None:
        begun.__exit__(type(failed.original_exception), failed.original_exception, None)


@contextmanager
def _transaction() -> Iterator[Session]:
    # Named by its address: another database's failures say nothing about this one.
    spared = breaker(f"postgresql {engine().url.render_as_string()}", failure=Unavailable)
    if not spared.admits():
        raise Unavailable("PostgreSQL failed repeatedly and is being spared")
    with (
        spared,
        metrics.timed("postgresql"),
        _unavailability(),
        Session(engine(), expire_on_commit=False) as session,
        session.begin(),
    ):
        yield session


@contextmanager
def _unavailability() -> Iterator[None]:
    """Tell by one name that PostgreSQL is away."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout) as trouble:
        raise Unavailable(trouble) from trouble
    except DBAPIError as trouble:
        if trouble.connection_invalidated or getattr(trouble.orig, "pgcode", None) in _PASSING:
            raise Unavailable(trouble) from trouble
        raise


def revision() -> str | None:
    """The migration the database is at; None before the first. Raises Unavailable."""
    with _transaction() as session:
        if not session.scalar(text(f"SELECT to_regclass('{SCHEMA}.alembic_version') IS NOT NULL")):
            return None
        found: str | None = session.scalar(
            text(f"SELECT version_num FROM {SCHEMA}.alembic_version")
        )
        return found


def profiles(*, after: str, limit: int) -> Sequence[Profile]:
    """At most `limit` profiles whose slugs come after `after`, ordered by slug."""
    query = select(Profile).where(Profile.slug > after).order_by(Profile.slug).limit(limit)
    with _transaction() as session:
        return session.scalars(query).all()


def profile(slug: str) -> Profile | None:
    """The profile of that slug."""
    with _transaction() as session:
        return session.get(Profile, slug)


def tastes() -> Iterator[Taste]:
    """What is compared of every profile, read a few at a time, ordered by slug."""
    query = select(Profile.slug, Profile.name, Profile.weights).order_by(Profile.slug)
    with _transaction() as session:
        for row in session.execute(query.execution_options(yield_per=200)):
            yield Taste(*row)


def preferences(item_ids: Sequence[str]) -> Sequence[Preferences]:
    """The known preferences among these items, in no order."""
    query = select(Preferences).where(Preferences.item_id.in_(item_ids))
    with _transaction() as session:
        return session.scalars(query).all()


def put_profiles(given: Sequence[ProfileGiven], *, now: datetime) -> list[Profile]:
    """Write all these profiles or none, and return them as they are stored afterwards.

    What is mined never overwrites what staff wrote, and what is the same as before changes
    nothing, so that a repeated call does no harm. Raises VersionConflict and Unavailable.
    """
    with _transaction() as session:
        # Writers take turns: they are few, and new slugs have no row that could be locked.
        session.execute(text(f"LOCK TABLE {SCHEMA}.profiles IN SHARE ROW EXCLUSIVE MODE"))
        slugs = [profile.slug for profile in given]
        stored = session.scalars(select(Profile).where(Profile.slug.in_(slugs)))
        held = {profile.slug: profile for profile in stored}
        _refuse_stale(given, held)
        written = [_write(held.get(change.slug), change, now=now) for change in given]
        session.add_all(written)
    return written


def _refuse_stale(given: Sequence[ProfileGiven], held: dict[str, Profile]) -> None:
    conflicts = []
    for index, change in enumerate(given):
        stored = held.get(change.slug)
        current = stored.version if stored else 0
        if change.version not in (None, current) and not _same(stored, change):
            conflicts.append((index, current))
    if conflicts:
        raise VersionConflict(conflicts)


def _content(change: ProfileGiven) -> dict[str, Any]:
    return change.model_dump(exclude={"slug", "version"})


def _same(stored: Profile | None, change: ProfileGiven) -> bool:
    return stored is not None and all(
        getattr(stored, name) == value for name, value in _content(change).items()
    )


def _write(stored: Profile | None, change: ProfileGiven, *, now: datetime) -> Profile:
    if stored is None:
        return Profile(slug=change.slug, version=1, updated_at=now, **_content(change))
    edited_by_staff = stored.source == "staff" and change.source == "mined"
    if not edited_by_staff and not _same(stored, change):
        for name, value in _content(change).items():
            setattr(stored, name, value)
        stored.version += 1
        stored.updated_at = now
    return stored


def delete_profile(slug: str) -> bool:
    """Remove a profile; whether there was one."""
    with _transaction() as session:
        gone = session.scalar(delete(Profile).where(Profile.slug == slug).returning(Profile.slug))
        return gone is not None


def put_preferences(given: Sequence[PreferencesGiven], *, now: datetime) -> None:
    """Write the preferences of all these items or of none, over those known before."""
    rows = [{**one.model_dump(exclude={"counts"}), "updated_at": now} for one in given]
    upsert = insert(Preferences)
    fresh = {
        name: upsert.excluded[name]
        for name in ("sessions", "categories", "brands", "price_bands", "updated_at")
    }
    with _transaction() as session:
        session.execute(
            upsert.on_conflict_do_update(index_elements=[Preferences.item_id], set_=fresh),
            # In one order in every call, so that two calls cannot wait for each other.
            sorted(rows, key=lambda row: str(row["item_id"])),
        )
