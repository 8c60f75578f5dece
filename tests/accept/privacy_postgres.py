"""The same search where the books are kept in Postgres: every row of every table, and every file of the server."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.ext.asyncio import create_async_engine

from tests.accept.keeping import Kept
from tests.accept.marks import Marks, search, search_folder
from tests.databases import TEMPLATE, command, make_postgres_template
from tests.servers.postgres import PostgresServer, run_postgres

TABLES = "select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables where schemaname = 'public'"


@contextmanager
def books() -> Iterator[str]:
    """The address of an empty database at this version's schema, on a server of its own."""
    with run_postgres() as server:
        yield asyncio.run(_create(server))


def look_into_postgres(marks: Marks, control: Marks, url: str, found: Kept) -> None:
    """Search rows and files; what stands there on purpose must be found."""
    rows, folder = asyncio.run(_dump(url))
    found.hits += [str(hit) for hit in [*search(marks, "rows of Postgres", rows), *search_folder(marks, folder)]]
    found.searched_bytes += sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    found.missed += [] if search(control, "rows", rows) else ["the control in the rows of Postgres"]
    found.missed += [] if search_folder(control, folder) else ["the control in the files of Postgres"]


async def _create(server: PostgresServer) -> str:
    await make_postgres_template(server)
    name = server.new_name()
    await command(server, f"create database {name} template {TEMPLATE}")
    return server.url(name)


async def _dump(url: str) -> tuple[list[bytes], Path]:
    """Every row as text, and the folder of the server, with all of it on the disk."""
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            tables = (await connection.exec_driver_sql(TABLES)).scalars().all()
            rows = [
                str(row).encode()
                for table in tables
                for row in (await connection.exec_driver_sql(f"select t::text from {table} t")).scalars()
            ]
            await connection.exec_driver_sql("checkpoint")
            return rows, Path((await connection.exec_driver_sql("show data_directory")).scalar_one())
    finally:
        await engine.dispose()
