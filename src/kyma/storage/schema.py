"""Which schema this code speaks and which one a database has; cheap to ask, Alembic is not imported."""

from sqlalchemy import Connection, inspect

from kyma.storage.database import Database

HEAD = "0007"


def head_revision() -> str:
    """The revision this code was written for."""
    return HEAD


async def current(db: Database) -> str | None:
    """The revision the database is at; None if it was never migrated."""
    return await db.read(fetch_revision)


def fetch_revision(connection: Connection) -> str | None:
    """The same inside a transaction."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.exec_driver_sql("select version_num from alembic_version").scalar()
    return revision
