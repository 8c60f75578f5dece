"""A real gateway before scripted upstreams, with accounts of a known balance; and a look into its books."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import msgspec

import kyma
from kyma.config import load_config
from kyma.core.ids import SystemClock
from kyma.core.money import Nanos
from kyma.gateway import ensure_schema, open_accounts, open_database
from kyma.identity import Registered, Registration
from kyma.ledger.verify import verify
from kyma.storage.sqlite import sqlite_engine
from tests.gateway_catalog import ModelSpec, ProviderSpec
from tests.gateway_process import GatewayProcess
from tests.upstream.process import ROOT

INPUT_NANOS, OUTPUT_NANOS = 1000, 2000
"""What a token costs at the prices a `ModelSpec` has by default: $1 and $2 per million."""

QUIET = {"KYMA_LIMITS_ENABLED": "false", "KYMA_LOG_LEVEL": "error"}


class UsageLine(msgspec.Struct, frozen=True, array_like=True):
    """The columns of a usage row that suites look at, and what the books charged for it, transfer by transfer."""

    request_id: str
    model: str
    input_tokens: int
    output_tokens: int
    cost: Nanos
    is_estimated: bool
    is_flagged: bool
    status: str
    layer: int
    account_id: str
    served: str
    charges: tuple[Nanos, ...]


@contextmanager
def gateway_on(
    folder: Path,
    providers: Sequence[ProviderSpec],
    models: Sequence[ModelSpec],
    *,
    balances: Sequence[Nanos],
    env: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
) -> Iterator[tuple[GatewayProcess, list[Registered]]]:
    """A gateway that is not started yet and one account for each balance. It is killed if it still runs at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    copy = {"PYTHONPATH": os.environ["PYTHONPATH"]} if "PYTHONPATH" in os.environ else {}
    gateway = GatewayProcess(folder, providers, models, env={**QUIET, **copy, **(env or {})}, cwd=cwd)
    _check_copy(gateway)
    people = asyncio.run(_open_accounts(gateway, balances))
    try:
        yield gateway, people
    finally:
        with suppress(AssertionError):  # it does not run
            gateway.kill()


def read_usage(path: Path) -> list[UsageLine]:
    """Every usage row with its charges, oldest first."""
    with closing(sqlite3.connect(path)) as connection:
        charges: dict[str, list[Nanos]] = {}
        for request_id, amount in connection.execute(
            "select ref_id, amount from transfer where ref_kind = 'request' order by rowid"
        ):
            charges.setdefault(request_id, []).append(amount)
        rows = connection.execute(
            "select request_id, requested_model, input_tokens, output_tokens, cost, estimated, flagged, status, layer,"
            " account_id, model from usage order by rowid"
        ).fetchall()
    return [msgspec.convert((*row, tuple(charges.get(row[0], ()))), UsageLine, strict=False) for row in rows]


def read_attempts(path: Path) -> list[int]:
    """How many sources were asked, for each request."""
    with closing(sqlite3.connect(path)) as connection:
        return [int(attempts) for (attempts,) in connection.execute("select attempts from usage")]


def pending_holds(path: Path) -> int:
    """Leases and holds that nobody has ended."""
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("select count(*) from hold where state = 'pending'").fetchone()[0])


def posted(path: Path, account_id: str) -> Nanos:
    """An account's balance in the books."""
    with closing(sqlite3.connect(path)) as connection:
        query = "select credits_posted - debits_posted from account where id = ?"
        return int(connection.execute(query, (account_id,)).fetchone()[0])


def audit(path: Path) -> list[str]:
    """What `kyma ledger verify` would print."""
    engine = sqlite_engine(path)
    try:
        with engine.connect().execution_options(kyma_read=True) as connection:
            return [str(violation) for violation in verify(connection)]
    finally:
        engine.dispose()


def _check_copy(gateway: GatewayProcess) -> None:
    """A planted bug must reach the gateway too: it has to import the very same files."""
    command = [sys.executable, "-c", "import kyma; print(kyma.__file__)"]
    theirs = subprocess.run(command, cwd=ROOT, env=gateway.env, capture_output=True, text=True, check=True).stdout
    assert theirs.strip() == kyma.__file__, f"the gateway runs {theirs.strip()}, this suite {kyma.__file__}"


async def _open_accounts(gateway: GatewayProcess, balances: Sequence[Nanos]) -> list[Registered]:
    config = load_config(gateway.env)
    database, clock = open_database(config), SystemClock()
    try:
        await ensure_schema(config, database)
        accounts = open_accounts(config, database, clock)
        people = [
            await Registration(database, clock, accounts, balance).register(f"person{number}@example.com")
            for number, balance in enumerate(balances)
        ]
        accounts.close()
        return people
    finally:
        await database.close()
