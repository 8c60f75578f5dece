"""What must be true of a request whose first source broke."""

import re

import msgspec

from tests.accept.breaks import TOKENS, Break
from tests.accept.client import Reply
from tests.accept.stage import UsageLine

ALLOWED_GAP = 1
TOLD_BILL = re.compile(r"(\d+) output tokens were delivered and billed")


class Broken(msgspec.Struct):
    """What went wrong, by figure, and how many of each kind there were."""

    text: list[str] = []
    error: list[str] = []
    finished: list[str] = []
    bill: list[str] = []
    told_bill: list[str] = []
    fallback: list[str] = []
    failed: list[str] = []
    pairs: set[tuple[str, str]] = set()
    counted: dict[str, int] = msgspec.field(default_factory=lambda: {"told": 0, "replaced": 0, "failed": 0})


def check(one: Break, reply: Reply, rows: list[UsageLine], broken: Broken) -> None:
    """Hold the reply and the request's usage rows against what should have come of it."""
    what = f"{one}: {reply.status} {reply.words} {reply.errors} {reply.faults} {rows}"
    broken.pairs.add((one.dialect.name, one.family))
    if len(rows) != 1:
        broken.bill.append(what)
    elif one.is_told:
        broken.counted["told"] += 1
        _check_told(one, reply, rows[0], what, broken)
    elif one.has_second:
        broken.counted["replaced"] += 1
        _check_replaced(one, reply, rows[0], what, broken)
    else:
        broken.counted["failed"] += 1
        _check_failed(reply, rows[0], what, broken)


def _check_told(one: Break, reply: Reply, row: UsageLine, what: str, broken: Broken) -> None:
    if reply.words != one.words("a", one.k):
        broken.text.append(what)
    if len(reply.errors) != 1 or reply.faults or reply.events_after_end or not reply.is_whole:
        broken.error.append(what)
    if reply.looks_finished:
        broken.finished.append(what)
    is_paid = row.status == "cut" and row.is_estimated and sum(row.charges) == row.cost > 0
    least, most = len(reply.words) - ALLOWED_GAP, len(reply.words) + one.unseen + ALLOWED_GAP
    if not is_paid or not least <= row.output_tokens <= most:
        broken.bill.append(what)
    bill = TOLD_BILL.search(reply.errors[0]["message"]) if reply.errors else None
    if bill is None or int(bill[1]) != row.output_tokens:
        broken.told_bill.append(what)


def _check_replaced(one: Break, reply: Reply, row: UsageLine, what: str, broken: Broken) -> None:
    if reply.words != one.words("b", TOKENS):
        broken.text.append(what)
    if not reply.is_complete or reply.headers.get("x-kyma-fallback-layer") != "1" or row.layer != 1:
        broken.fallback.append(what)
    if row.output_tokens != TOKENS or row.is_estimated or sum(row.charges) != row.cost:
        broken.bill.append(what)


def _check_failed(reply: Reply, row: UsageLine, what: str, broken: Broken) -> None:
    is_told = reply.status == 503 and len(reply.errors) == 1 and not reply.faults
    if not is_told or reply.words or row.cost or row.charges:
        broken.failed.append(what)
