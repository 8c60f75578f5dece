"""The audit after a life: the books against their own equations, and against every word the dead had been told."""

import os
from pathlib import Path

from sqlalchemy import Connection, text

from kyma.ledger.verify import verify
from kyma.storage.database import Database

ENDED, FOUND, CRASHED = 0, 1, 77
VERBS = ("asked", "done", "granted", "spooled", "fault")


async def audit_all(db: Database, folder: Path, *, may_hold: bool) -> None:
    """Hold the books against their equations and against every word in the logs; exits with FOUND if they differ."""
    faults, totals = await db.read(lambda connection: _audit(connection, folder, may_hold))
    await db.close()
    (folder / "faults").write_text("\n".join(faults))
    (folder / "totals").write_text("\n".join(map(str, totals)))
    if faults:
        os._exit(FOUND)


def _audit(connection: Connection, folder: Path, may_hold: bool) -> tuple[list[str], tuple[int, int]]:
    said = [line.split(" ", 2) for path in sorted(folder.glob("life-*.log")) for line in lines_of(path)]
    told = {verb: {words[1]: words[2] for words in said if words[0] == verb} for verb in VERBS}
    usage = {id: str(cost) for id, cost in connection.execute(text("select request_id, cost from usage"))}
    grants = {
        id: str(amount)
        for id, amount in connection.execute(text("select ref_id, amount from transfer where kind = 'topup'"))
    }
    faults = [str(violation) for violation in verify(connection)]
    faults += [f"{id} {words}" for id, words in told["fault"].items()]
    faults += [f"{id} was done for {cost}, the books say {usage.get(id)}" for id, cost in _missing(told["done"], usage)]
    faults += [f"{id} costs {cost}, nobody asked for that" for id, cost in _missing(usage, told["asked"])]
    faults += [f"{id} was granted {amount}, it is lost" for id, amount in _missing(told["granted"], grants)]
    if not may_hold:
        faults += [f"{id} at {cost} is lost from the spool" for id, cost in _missing(told["spooled"], usage)]
        faults += [
            f"hold {id} is stuck" for (id,) in connection.execute(text("select id from hold where state = 'pending'"))
        ]
    counts = connection.execute(
        text(
            "select count(*), coalesce(sum(case when is_late then 1 else 0 end), 0) from transfer where kind = 'usage'"
        )
    ).one()
    return faults, (int(counts[0]), int(counts[1]))


def _missing(promised: dict[str, str], there: dict[str, str]) -> list[tuple[str, str]]:
    return [(id, figure) for id, figure in promised.items() if there.get(id) != figure]


def lines_of(path: Path) -> list[str]:
    """A file's lines; none if it is not there."""
    return path.read_text().splitlines() if path.exists() else []
