"""One way to run SQL on SQLite and on Postgres: synchronous store functions inside a transaction, awaited.

A store function takes a `Connection` and never waits for anything else, so it reads the same on both engines.
"""

from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection, MetaData
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout

T = TypeVar("T")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Primary result codes: busy, locked, out of memory, interrupted, I/O error, full, cannot open.
_SQLITE_TRANSIENT = frozenset({5, 6, 7, 9, 10, 13, 14})
# Classes: connection, transaction rollback (serialization, deadlock), resources, lock not available, operator, system.
_POSTGRES_TRANSIENT = ("08", "40", "53", "55P03", "57", "58")


class Database(Protocol):
    """Where tables live. Both calls run `work` inside one transaction and return what it returns."""

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Commit what `work` did, or roll all of it back if it raised."""
        ...

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on a consistent snapshot."""
        ...

    async def close(self) -> None:
        """Finish what runs and let go of every connection."""
        ...


class Retry(Exception):
    """Raised by a store function whose transaction lost a race: roll it back and run it again."""


def is_transient(error: BaseException) -> bool:
    """The database is away, locked, full or asks for another try: the same work may succeed later.

    False for everything that is the data's or the statement's fault, which would fail the same way for ever.
    """
    if isinstance(error, (Retry, OSError, PoolTimeout)):
        return True
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    if (code := getattr(cause, "sqlite_errorcode", None)) is not None:
        return code & 0xFF in _SQLITE_TRANSIENT
    if state := getattr(cause, "sqlstate", None):
        return str(state).startswith(_POSTGRES_TRANSIENT)
    # Without a code an interface error is a broken connection, unless the driver could not encode a value.
    return isinstance(error, InterfaceError) and not isinstance(getattr(cause, "__cause__", None), ValueError)
