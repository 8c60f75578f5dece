"""The ledger under random histories: whatever happens in whatever order, the books hold after every step.

Several processes share two accounts: they reserve, settle, crash and sleep, charges commit late, twice or never, and
leases expire or are taken over. The model is one number an account: grants less each committed charge, once.
"""

import asyncio
from collections import defaultdict
from contextlib import AbstractAsyncContextManager
from typing import ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from kyma.core.money import Hold
from kyma.ledger import CreditShort, HoldClosed, Ledger, LedgerSettings, Settlement, store
from kyma.storage.database import Database
from tests.books import NOW, apply, audit, open_account, posted
from tests.clock import ManualClock
from tests.databases import OpenDatabase

ACCOUNTS = ("acct_1", "acct_2")
AMOUNTS = st.integers(0, 400)
PROCESSES = st.integers(0, 1)


class LedgerMachine(RuleBasedStateMachine):
    """Two processes; the settings of their ledgers are drawn once a history. `open_db` is set by a subclass."""

    open_db: ClassVar[OpenDatabase]

    holds: Bundle[tuple[Ledger, Hold]] = Bundle("holds")
    settled: Bundle[Settlement] = Bundle("settled")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.opened: AbstractAsyncContextManager[Database] = type(self).open_db()
        self.db = self.runner.run(self.opened.__aenter__())
        self.clock = ManualClock()
        self.starts = 0
        self.requests = 0
        self.expected: defaultdict[str, int] = defaultdict(int)
        self.committed: set[str] = set()

    @initialize(is_single=st.booleans())
    def start(self, is_single: bool) -> None:
        self.settings = LedgerSettings() if is_single else LedgerSettings(lease_share="clamp", live_replicas=2)
        self.processes = [self.new_process() for _ in range(2)]
        for id in ACCOUNTS:
            self.runner.run(open_account(self.db, 500, id))
            self.expected[id] = 500

    def new_process(self) -> Ledger:
        self.starts += 1
        return Ledger(self.db, self.clock, f"gw_{self.starts}", self.settings)

    @rule(id=st.sampled_from(ACCOUNTS), amount=st.integers(1, 500), kind=st.sampled_from(["grant", "topup"]))
    def grant(self, id: str, amount: int, kind: store.GrantKind) -> None:
        self.requests += 1
        for _ in range(2):
            self.runner.run(self.db.write(lambda c: store.grant(c, id, amount, kind, "test", str(self.requests), NOW)))
        self.expected[id] += amount

    @rule(target=holds, process=PROCESSES, id=st.sampled_from(ACCOUNTS), amount=AMOUNTS)
    def reserve(self, process: int, id: str, amount: int) -> tuple[Ledger, Hold] | MultipleResults[tuple[Ledger, Hold]]:
        ledger = self.processes[process]
        self.requests += 1
        try:
            hold = self.runner.run(ledger.reserve(id, amount, f"r{self.requests}"))
        except CreditShort as short:
            assert short.available < amount
            return multiple()
        return (ledger, hold)

    @rule(target=settled, pair=consumes(holds), cost=AMOUNTS)
    def settle(self, pair: tuple[Ledger, Hold], cost: int) -> Settlement | MultipleResults[Settlement]:
        ledger, hold = pair
        if ledger not in self.processes:
            return multiple()  # it died with its process
        settlement = ledger.prepare(hold, cost)
        assert settlement.covered + settlement.overrun == cost
        return settlement

    @rule(pair=consumes(holds))
    def release(self, pair: tuple[Ledger, Hold]) -> None:
        ledger, hold = pair
        ledger.release(hold)
        ledger.release(hold)
        try:
            ledger.prepare(hold, 1)
        except HoldClosed:
            return
        raise AssertionError("a released hold was settled")

    @rule(first=settled, second=settled)
    def commit(self, first: Settlement, second: Settlement) -> None:
        """Settlements are not consumed: each may come again, in any batch."""
        batch = [first, second, first]
        self.runner.run(self.db.write(lambda connection: apply(connection, batch)))
        for settlement in batch:
            if settlement.request_id not in self.committed:
                self.committed.add(settlement.request_id)
                self.expected[settlement.account_id] -= settlement.cost

    @rule(process=PROCESSES, seconds=st.sampled_from([0.0, 1.0, 6.0, 11.0, 26.0, 31.0]))
    def pass_time(self, process: int, seconds: float) -> None:
        """One process ticks, the other may be asleep."""
        self.clock.advance(seconds)
        self.runner.run(self.processes[process].tick())

    @rule(process=PROCESSES)
    def drain(self, process: int) -> None:
        self.runner.run(self.processes[process].return_all())

    @rule(process=PROCESSES, takes_over=st.booleans())
    def crash(self, process: int, takes_over: bool) -> None:
        self.processes[process] = self.new_process()
        if takes_over:
            self.runner.run(self.processes[process].take_over())

    @invariant()
    def the_books_hold(self) -> None:
        assert self.runner.run(audit(self.db)) == []

    @invariant()
    def each_balance_is_what_was_granted_less_what_was_charged(self) -> None:
        for id, amount in self.expected.items():
            assert self.runner.run(posted(self.db, id)) == amount

    def teardown(self) -> None:
        """However it went, when everybody is gone nothing stays set aside."""
        try:
            self.clock.advance(100)
            self.runner.run(self.new_process().tick())
            for id in self.expected:
                balance = self.runner.run(self.new_process().balance(id))
                assert balance.pending == 0 and balance.available == balance.posted == self.expected[id]
        finally:
            self.runner.run(self.opened.__aexit__(None, None, None))
            self.runner.close()


def run(open_db: OpenDatabase, examples: int, steps: int) -> None:
    class Machine(LedgerMachine):
        pass

    Machine.open_db = staticmethod(open_db)
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )


def test_the_books_hold_under_any_history_on_sqlite(open_sqlite: OpenDatabase) -> None:
    run(open_sqlite, examples=40, steps=40)


def test_the_books_hold_under_any_history_on_postgres(open_postgres: OpenDatabase) -> None:
    run(open_postgres, examples=5, steps=25)
