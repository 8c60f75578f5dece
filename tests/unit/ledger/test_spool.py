"""What could not be committed survives in a file and is replayed once."""

from pathlib import Path

import msgspec
import pytest

from kyma.ledger import Ledger, Settlement
from kyma.ledger.spool import Spool
from kyma.storage.database import Database
from kyma.storage.writer import GroupWriter
from tests.books import ACCOUNT, apply, audit, open_account, posted
from tests.clock import ManualClock


def settlement(request_id: str) -> Settlement:
    return Settlement(request_id, ACCOUNT, "lease_1", 2**60, 2**60, 2**60 - 1, 1, 1_800_000_000_000)


@pytest.fixture
def spool(tmp_path: Path) -> Spool[Settlement]:
    return Spool(tmp_path / "spool.json", Settlement)


def test_an_absent_spool_is_empty(spool: Spool[Settlement]) -> None:
    assert spool.read() == []


def test_items_come_back_as_they_were_in_order(spool: Spool[Settlement]) -> None:
    spool.write([settlement("r1"), settlement("r2")])
    spool.write([settlement("r3")])
    assert spool.read() == [settlement("r1"), settlement("r2"), settlement("r3")]


def test_a_cleared_spool_is_empty(spool: Spool[Settlement]) -> None:
    spool.write([settlement("r1")])
    spool.clear()
    assert spool.read() == []


def test_writing_nothing_makes_no_file(spool: Spool[Settlement], tmp_path: Path) -> None:
    spool.write([])
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_a_spool_is_refused_and_kept(spool: Spool[Settlement], tmp_path: Path) -> None:
    (tmp_path / "spool.json").write_text("[{")
    with pytest.raises(msgspec.DecodeError):
        spool.write([settlement("r1")])
    assert (tmp_path / "spool.json").read_text() == "[{"


async def test_a_replay_before_the_take_over_charges_the_old_lease_once(
    sqlite_db: Database, clock: ManualClock, spool: Spool[Settlement]
) -> None:
    await open_account(sqlite_db, 1000)
    dying = Ledger(sqlite_db, clock, "gw_1")
    committed = dying.prepare(await dying.reserve(ACCOUNT, 100, "r1"), 60)
    lost = dying.prepare(await dying.reserve(ACCOUNT, 100, "r2"), 60)
    await sqlite_db.write(lambda connection: apply(connection, [committed]))
    spool.write([committed, lost])

    writer = GroupWriter(sqlite_db, apply)
    for item in spool.read():
        writer.submit(item)
    await writer.drain()
    spool.clear()
    assert await Ledger(sqlite_db, clock, "gw_2").take_over() == 1
    assert await posted(sqlite_db) == 880
    assert await audit(sqlite_db) == []
