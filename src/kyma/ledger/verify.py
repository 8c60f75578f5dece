"""An audit of the books from the outside: nothing is trusted but the rows, and every figure is computed again.

The rules are I1-I9 of the design. `usage`, its sums and `price_book` belong to the sibling feature `usage`; an audit
crosses that border by nature, so it reads the tables by their names and imports nothing of their owner.

Of days whose rows are pruned the sums prove the money: each day of each account has to be charged what they say.
"""

from collections.abc import Iterator
from typing import Any, cast

import msgspec
from sqlalchemy import Connection, Row, text

from kyma.core.charge import Charged, PriceBook, charge_lines
from kyma.core.money import cost_nanos

PAGE = 2000


class Violation(msgspec.Struct, frozen=True):
    """A rule that does not hold for one row or account; `str()` is a line for people."""

    rule: str
    subject: str
    text: str

    def __str__(self) -> str:
        return f"{self.rule} {self.subject}: {self.text}"


def verify(connection: Connection) -> list[Violation]:
    """Every violation of the books' equations; an empty list means that they hold. Run it on one snapshot."""
    found = [
        Violation(rule, str(subject), message.format(*figures))
        for rule, message, query in _QUERIES
        for subject, *figures in connection.execute(text(query))
    ]
    found.extend(_verify_costs(connection))
    return found


# Each query answers (subject, figures…) for what is wrong. Sums are cast because Postgres makes them numeric.
_QUERIES: tuple[tuple[str, str, str], ...] = (
    (
        "I1",
        "debits {0} and credits {1} differ",
        """select 'all accounts', debits, credits from (
             select coalesce(cast(sum(debits_posted) as bigint), 0) as debits,
                    coalesce(cast(sum(credits_posted) as bigint), 0) as credits from account) as sums
           where debits <> credits""",
    ),
    (
        "I2",
        "debits_posted is {0}, its transfers sum to {1}",
        """select id, debits_posted, moved from (
             select a.id, a.debits_posted, coalesce(t.moved, 0) as moved from account a left join (
               select debit, cast(sum(amount) as bigint) as moved from transfer group by debit) t on t.debit = a.id
           ) as sums where debits_posted <> moved""",
    ),
    (
        "I2",
        "credits_posted is {0}, its transfers sum to {1}",
        """select id, credits_posted, moved from (
             select a.id, a.credits_posted, coalesce(t.moved, 0) as moved from account a left join (
               select credit, cast(sum(amount) as bigint) as moved from transfer group by credit) t on t.credit = a.id
           ) as sums where credits_posted <> moved""",
    ),
    (
        "I2",
        "debits_pending is {0}, its open holds sum to {1}",
        """select id, debits_pending, held from (
             select a.id, a.debits_pending, coalesce(h.held, 0) as held from account a left join (
               select account_id, cast(sum(amount - resolved) as bigint) as held from hold
               where state = 'pending' group by account_id) h on h.account_id = a.id
           ) as sums where debits_pending <> held""",
    ),
    (
        "I2",
        "credits_pending is {0}, nothing uses it yet",
        "select id, credits_pending from account where credits_pending <> 0",
    ),
    (
        "I2",
        "names account {0}, which does not exist",
        """select t.id, t.debit from transfer t where t.debit not in (select id from account)
           union all select t.id, t.credit from transfer t where t.credit not in (select id from account)
           union all select h.id, h.account_id from hold h where h.account_id not in (select id from account)""",
    ),
    (
        "I3",
        "available is {0}, and over-runs and late charges explain only {1}",
        """select id, available, excused from (
             select a.id, a.credits_posted - a.debits_posted - a.debits_pending as available,
                    coalesce(t.excused, 0) as excused
             from account a left join (
               select debit, cast(sum(amount) as bigint) as excused from transfer
               where kind = 'overrun' or is_late group by debit) t on t.debit = a.id
             where a.kind = 'credit'
           ) as sums where available + excused < 0""",
    ),
    (
        "I4",
        "{0} hold of {1}: resolved {2} and released {3}",
        """select id, state, amount, resolved, released from hold
           where case when state = 'pending' then resolved > amount or released <> 0
                      when state in ('posted', 'voided', 'expired') then resolved + released <> amount
                      else true end or (state = 'voided' and resolved <> 0) or (state = 'posted' and resolved = 0)""",
    ),
    (
        "I4",
        "resolved is {0}, the transfers it paid sum to {1}",
        """select id, resolved, paid from (
             select h.id, h.resolved, coalesce(t.paid, 0) as paid from hold h left join (
               select hold_id, cast(sum(amount) as bigint) as paid from transfer
               where hold_id is not null group by hold_id) t on t.hold_id = h.id
           ) as sums where resolved <> paid""",
    ),
    (
        "I4",
        "was paid by hold {0}, which belongs to another account or does not exist",
        """select t.id, t.hold_id from transfer t left join hold h on h.id = t.hold_id
           where t.hold_id is not null and (h.id is null or h.account_id <> t.debit)""",
    ),
    (
        "I5",
        "{0} transfers of kind {1} for one request",
        """select ref_id, count(*), kind from transfer where ref_kind = 'request' and kind in ('usage', 'overrun')
           group by kind, ref_id having count(*) > 1""",
    ),
    (
        "I7",
        "balance {0} is not available {1} and holds {2}",
        """select id, posted, available, held from (
             select a.id, a.credits_posted - a.debits_posted as posted,
                    a.credits_posted - a.debits_posted - a.debits_pending as available, coalesce(h.held, 0) as held
             from account a left join (
               select account_id, cast(sum(amount - resolved) as bigint) as held from hold
               where state = 'pending' group by account_id) h on h.account_id = a.id
             where a.kind = 'credit'
           ) as sums where posted <> available + held""",
    ),
    (
        "I8",
        "purchased is {0}, its top-ups sum to {1}",
        """select id, purchased, paid from (
             select a.id, a.purchased, coalesce(t.paid, 0) as paid from account a left join (
               select credit, cast(sum(amount) as bigint) as paid from transfer
               where kind = 'topup' group by credit) t on t.credit = a.id
           ) as sums where purchased <> paid""",
    ),
    (
        "I9",
        "usage says {0}, the charges sum to {1}",
        """select request_id, cost, charged from (
             select u.request_id, u.cost, coalesce(t.charged, 0) as charged from usage u left join (
               select ref_id, cast(sum(amount) as bigint) as charged from transfer
               where ref_kind = 'request' and kind in ('usage', 'overrun') group by ref_id) t on t.ref_id = u.request_id
           ) as sums where cost <> charged
           union all
           select t.ref_id, 0, t.amount from transfer t left join usage u on u.request_id = t.ref_id
           where t.ref_kind = 'request' and t.kind in ('usage', 'overrun') and u.request_id is null
             and t.created_at >= (select keep_from from usage_mark)""",
    ),
    (
        "I9",
        "the sums of usage say {0}, the charges sum to {1}",
        """select account_id || ', day ' || day, used, charged from (
             select account_id, day, cast(sum(used) as bigint) as used, cast(sum(charged) as bigint) as charged from (
               select account_id, start / 86400000 as day, cost as used, 0 as charged from usage_day
               union all
               select u.account_id, u.created_at / 86400000, u.cost, 0 from usage u
               where not exists (select 1 from usage_index i where i.account_id = u.account_id
                 and i.created_at = u.created_at and i.request_id = u.request_id)
               union all
               select debit, created_at / 86400000, 0, amount from transfer
               where ref_kind = 'request' and kind in ('usage', 'overrun')
             ) as parts group by account_id, day
           ) as days where used <> charged""",
    ),
    (
        "I9",
        "the sums of its hours and of its day differ by {0}",
        """select account_id || ', day ' || day, left_over from (
             select account_id, day, cast(sum(cost) as bigint) as left_over from (
               select account_id, start / 86400000 as day, cost from usage_day
               union all select account_id, start / 86400000, -cost from usage_hour
             ) as parts group by account_id, day
           ) as days where left_over <> 0""",
    ),
    (
        "I9",
        "account and day differ between usage ({0}, day {1}) and charge ({2}, day {3})",
        """select u.request_id, u.account_id, u.created_at / 86400000, t.debit, t.created_at / 86400000
           from usage u join transfer t on t.ref_id = u.request_id and t.ref_kind = 'request'
             and t.kind in ('usage', 'overrun')
           where u.account_id <> t.debit or u.created_at / 86400000 <> t.created_at / 86400000""",
    ),
)

_PRICE_BOOKS = text("select version, prices from price_book")
_USAGE_PAGE = text(
    "select request_id, model, price_version, cost, input_tokens, cached_input_tokens, cache_write_tokens,"
    " output_tokens, reasoning_tokens, cache_write_1h_tokens, searches, asked_model, price_share"
    " from usage where request_id > :after order by request_id limit :page"
)


def _verify_costs(connection: Connection) -> Iterator[Violation]:
    """Every charge, computed again from its units and the price book it names."""
    books = {version: PriceBook(prices) for version, prices in connection.execute(_PRICE_BOOKS)}
    empty = PriceBook("{}")
    for row in _usage_rows(connection):
        price = books.get(row.price_version, empty).price_of(cast(Charged, row))
        units = row[4:11]
        if min(row.cost, *units) < 0 or row.reasoning_tokens > row.output_tokens:
            yield Violation("units", row.request_id, f"negative, or more reasoning than output: {tuple(units)}")
        elif price is None:
            if row.cost or any(units):
                yield Violation("price", row.request_id, f"price book {row.price_version!r} has no {row.model!r}")
        elif row.cost != (cost := cost_nanos((n, each) for _, n, each in charge_lines(cast(Charged, row), price))):
            yield Violation("price", row.request_id, f"cost is {row.cost}, units at their prices make {cost}")


def _usage_rows(connection: Connection) -> Iterator[Row[*tuple[Any, ...]]]:
    after = ""
    while rows := connection.execute(_USAGE_PAGE, {"after": after, "page": PAGE}).all():
        yield from rows
        after = rows[-1].request_id
