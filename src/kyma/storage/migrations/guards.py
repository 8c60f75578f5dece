"""Triggers that refuse to change what is already written in an append-only table.

SQLite's batch mode copies a table and loses its triggers without a word, so a guarded table is altered through
`rebuild` only. On SQLite `INSERT OR REPLACE` meets the delete guard because the engine sets `recursive_triggers`.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import op
from alembic.operations import BatchOperations


def refuse_update_delete(table: str, delete_if: str = "") -> None:
    """From here on rows of `table` can be added, and neither changed, removed nor truncated.

    But for rows for which `delete_if` is true, in SQL that names the row `old`: they may be deleted, one by one.
    """
    if _is_sqlite():
        for verb in ("update", "delete"):
            when = f"when not ({delete_if}) " if delete_if and verb == "delete" else ""
            op.execute(
                f"create trigger {table}_no_{verb} before {verb} on {table} {when}"
                f"begin select raise(abort, '{table} is append-only'); end"
            )
        return
    # Two conditions: none is evaluated that speaks of an old row where there is none, at a truncate.
    allowed = f"if tg_op = 'DELETE' then if {delete_if} then return old; end if; end if; " if delete_if else ""
    op.execute(
        f"create function {table}_append_only() returns trigger language plpgsql as "
        f"$guard$ begin {allowed}raise exception '{table} is append-only'; end $guard$"
    )
    for name, when in (("row", "update or delete"), ("all", "truncate")):
        scope = "row" if name == "row" else "statement"
        op.execute(
            f"create trigger {table}_no_change_{name} before {when} on {table} "
            f"for each {scope} execute function {table}_append_only()"
        )


def allow_update_delete(table: str) -> None:
    """Take the guard away, for a table that is about to be rebuilt or dropped."""
    if _is_sqlite():
        for verb in ("update", "delete"):
            op.execute(f"drop trigger {table}_no_{verb}")
        return
    op.execute(f"drop function {table}_append_only() cascade")


@contextmanager
def rebuild(table: str, delete_if: str = "") -> Iterator[BatchOperations]:
    """Alter a guarded table; the guard stands again afterwards, with the `delete_if` that it has at that revision."""
    allow_update_delete(table)
    with op.batch_alter_table(table) as batch:
        yield batch
    refuse_update_delete(table, delete_if)


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"
