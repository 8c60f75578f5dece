"""The one place where a call's charge and its usage row meet, in one transaction of the group-committing writer."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from kyma.ledger import Settlement
from kyma.ledger.store import apply_settlements
from kyma.usage import UsageRow
from kyma.usage.store import insert_rows


class Settled(msgspec.Struct, frozen=True):
    """The end of one call: what it used and what it cost. `settlement` is None for calls that cost nothing."""

    row: UsageRow
    settlement: Settlement | None


def apply_settled(connection: Connection, items: Sequence[Settled]) -> list[bool]:
    """Write usage rows, transfers and balances together; a request id already written changes nothing.

    Returns for each item whether it was new.
    """
    new = insert_rows(connection, [item.row for item in items])
    fresh = items if len(new) == len(items) else [item for item in items if item.row.request_id in new]
    apply_settlements(connection, [item.settlement for item in fresh if item.settlement is not None])
    return [True] * len(items) if fresh is items else [item.row.request_id in new for item in items]
