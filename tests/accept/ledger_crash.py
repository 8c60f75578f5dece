"""ledger-crash: random operations on the books, hard exits before random statements, on SQLite and Postgres.

Lives follow each other on one database. Each is a forked process that writes down what it was told is done and dies
(`os._exit`) before a random statement reaches the database; then the books are audited against those words.
"""

import asyncio
import os
import random
import signal
import traceback
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from pathlib import Path

import msgspec
from sqlalchemy.engine import make_url

from kyma.storage.database import Database
from kyma.storage.postgres import PostgresDatabase
from kyma.storage.sqlite import SqliteDatabase
from tests.accept.life import Life, live
from tests.accept.promises import CRASHED, ENDED, audit_all
from tests.accept.suite import Figure, Run, Suite, at_least, told, zero
from tests.databases import TEMPLATE, command, make_postgres_template, make_sqlite_template
from tests.servers.postgres import PostgresServer, run_postgres

OPERATIONS_A_SEED = 10_000
OPERATIONS_A_LIFE = 60
"""At most; about half of it is done when the process dies."""
LONGEST_COUNTDOWN = 240
CLEAN_LIVES = 0.1
LIFE_WITHIN_S = 5
ENOUGH_BROKEN = 1
"""A life takes some 50 ms; one that hangs is ended by SIGALRM and counts as broken."""

Open = Callable[[], Database]


class Tally(msgspec.Struct):
    """Over all seeds of one store."""

    operations: int = 0
    crashes: int = 0
    lives: int = 0
    charges: int = 0
    late: int = 0
    faults: list[str] = []
    broken: list[str] = []


def run(run: Run) -> list[Figure]:
    """`size` operations on each store, in seeds of at most 10,000, each on an empty database."""
    tallies: dict[str, Tally] = {"sqlite": Tally(), "postgres": Tally()}
    with ExitStack() as stack:
        template = run.folder / "template.db"
        _fork(lambda: make_sqlite_template(template))
        server = stack.enter_context(run_postgres())
        _fork(lambda: make_postgres_template(server))
        for number, start in enumerate(range(0, run.size, OPERATIONS_A_SEED)):
            size = min(OPERATIONS_A_SEED, run.size - start)
            for store, tally in tallies.items():
                folder = run.folder / f"{store}-{number}"
                folder.mkdir()
                opened = _sqlite(template, folder) if store == "sqlite" else _postgres(server)
                _one_seed(opened, store == "sqlite", folder, size, run.dice(f"{store}:{number}"), tally)
    return [figure for store, tally in tallies.items() for figure in _figures(store, tally)]


def _figures(store: str, tally: Tally) -> list[Figure]:
    return [
        zero(f"{store}: violations of the books and of promises", tally.faults),
        zero(f"{store}: lives that ended otherwise", tally.broken),
        at_least(f"{store}: crashes", tally.crashes, tally.operations // 150),
        told(f"{store}: operations, lives", f"{tally.operations}, {tally.lives}"),
        told(f"{store}: charges, late among them", f"{tally.charges}, {tally.late}"),
    ]


def _sqlite(template: Path, folder: Path) -> Open:
    path = folder / "kyma.db"
    path.write_bytes(template.read_bytes())
    return lambda: SqliteDatabase(path, durability="normal")


def _postgres(server: PostgresServer) -> Open:
    name = server.new_name()
    _fork(lambda: command(server, f"create database {name} template {TEMPLATE}"))
    url = make_url(server.url(name)).render_as_string(hide_password=False)
    return lambda: PostgresDatabase(url)


def _one_seed(opened: Open, is_alone: bool, folder: Path, size: int, dice: random.Random, tally: Tally) -> None:
    """Lives until `size` operations were begun; a last, quiet one shows that nothing is stuck."""
    seed_operations = 0
    number = 0
    while seed_operations < size and len(tally.broken) < ENOUGH_BROKEN:
        countdown = 10**9 if dice.random() < CLEAN_LIVES else dice.randrange(1, LONGEST_COUNTDOWN)
        life = Life(folder, number, dice.getrandbits(32), OPERATIONS_A_LIFE, countdown, is_alone)
        _count_end(_fork(lambda life=life: live(opened(), life)), life, tally)  # type: ignore[misc]
        seed_operations += life.begun()
        tally.lives += 1
        number += 1
        if _fork(lambda: audit_all(opened(), folder, may_hold=True)) != ENDED:
            tally.faults += Life.faults(folder)
            break
    tally.operations += seed_operations
    _count_end(_fork(lambda: live(opened(), Life(folder, number, 0, 0, 10**9, is_alone))), None, tally)
    if _fork(lambda: audit_all(opened(), folder, may_hold=False)) != ENDED:
        tally.faults += Life.faults(folder)
    charges, late = Life.totals(folder)
    tally.charges += charges
    tally.late += late


def _count_end(code: int, life: Life | None, tally: Tally) -> None:
    if code == CRASHED:
        tally.crashes += 1
    elif code != ENDED:
        tally.broken.append(f"life {life and life.number} ended with code {code}")


def _fork(work: Callable[[], Coroutine[object, object, None]]) -> int:
    """Run `work` in a child of this process; its exit code. The child inherits everything that is imported."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status)
    code = 3
    signal.alarm(LIFE_WITHIN_S)
    try:
        asyncio.run(work())
        code = ENDED
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


SUITE = Suite("ledger-crash", "operations a store", quick=1_200, full=200_000, for_mutants=1_500, run=run)
