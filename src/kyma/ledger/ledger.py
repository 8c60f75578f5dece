"""Who may spend how much, decided in memory: reservations on leases, and what they turn into.

The tables are the truth; a lease is this process's share of an account. Nothing is awaited between a test and its
debit, so a reservation is atomic. Writing settlements (the group commit) is the caller's affair.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

import msgspec

from kyma.core.errors import KymaError, NotFound
from kyma.core.ids import Clock, new_id
from kyma.core.money import Hold, Nanos
from kyma.ledger import lease as leases
from kyma.ledger.answers import Balance, CreditShort, HoldClosed, LedgerAway
from kyma.ledger.lease import Lease, LeaseLost, LeaseRefused, LeaseShare, lease_size
from kyma.ledger.settlement import Settlement
from kyma.ledger.store import fetch_account
from kyma.storage.database import Database, Retry, is_transient

CLOCK_MARGIN_S = 5.0
TRIES = 5
CLOSED_AT_ONCE = 200

log = logging.getLogger(__name__)

Flight = asyncio.Task[LeaseRefused | KymaError | None]


class LedgerSettings(msgspec.Struct, frozen=True):
    """`lease_share` is `all` for a single process, `clamp` for one of `live_replicas`."""

    lease_share: LeaseShare = "all"
    live_replicas: int = 1
    lease_ttl_s: float = 30.0
    idle_return_s: float = 10.0
    tick_s: float = 5.0


class Ledger:
    """This process's view of the books. `owner` names the process and is never used twice."""

    def __init__(self, db: Database, clock: Clock, owner: str, settings: LedgerSettings | None = None) -> None:
        self._db = db
        self._clock = clock
        self._owner = owner
        self.settings = settings or LedgerSettings()
        self._leases: dict[str, Lease] = {}
        self._open: dict[str, Lease] = {}  # request id -> the lease its hold was taken from
        self._flights: dict[str, Flight] = {}  # account id -> the one trip to the books under way for its lease

    def try_reserve(self, account_id: str, amount: Nanos, request_id: str) -> Hold | None:
        """Set `amount` aside in memory; None if the lease at hand does not cover it. One hold a request id."""
        if amount < 0 or request_id in self._open:
            raise ValueError(f"cannot reserve {amount} for {request_id}: negative, or it has a hold")
        lease = self._leases.get(account_id)
        if lease is None or lease.amount - lease.used < amount:
            return None
        now = self._clock.monotonic()
        if now >= lease.valid_until:
            return None
        lease.used += amount
        lease.used_at = now
        lease.open_count += 1
        self._open[request_id] = lease
        return Hold(request_id, account_id, lease.id, amount)

    async def reserve(self, account_id: str, amount: Nanos, request_id: str) -> Hold:
        """Set `amount` aside, asking the books for a larger lease where needed.

        Raises: CreditShort, LedgerAway, NotFound for an unknown account.
        """
        while (hold := self.try_reserve(account_id, amount, request_id)) is None:
            flight = self._flights.get(account_id)
            if flight is None or flight.done():  # one that is done but not yet landed has nothing more to tell
                flight = self._start_flight([account_id], self._extend(account_id, amount))
            outcome = await asyncio.shield(flight)  # a caller that leaves must not undo what others wait for
            if isinstance(outcome, KymaError):
                raise outcome
            if outcome is not None and outcome.available < amount:
                raise CreditShort(amount, outcome.available, outcome.posted)
        return hold

    def release(self, hold: Hold) -> None:
        """Give a reservation back unused; does nothing for a hold that is closed."""
        lease = self._open.pop(hold.request_id, None)
        if lease is not None:
            lease.used -= hold.amount
            lease.open_count -= 1

    def prepare(self, hold: Hold, cost: Nanos) -> Settlement:
        """Close a hold for what the call cost, in memory; the settlement is to be committed by the caller.

        What was not used can be spent at once. A cost above the reservation takes from the lease what is there.
        Raises: HoldClosed if the hold was settled or released; ValueError for a negative cost.
        """
        if cost < 0:
            raise ValueError(f"{hold.request_id} cannot cost {cost}")
        lease = self._open.pop(hold.request_id, None)
        if lease is None:
            raise HoldClosed(hold.request_id)
        covered = cost
        if cost > hold.amount:
            covered = min(cost, hold.amount if lease.is_lost else hold.amount + max(lease.free, 0))
        lease.used += covered - hold.amount
        lease.open_count -= 1
        lease.spent_now += cost
        return Settlement(
            hold.request_id,
            hold.account_id,
            hold.lease_id,
            hold.amount,
            cost,
            covered,
            cost - covered,
            self._clock.now_ms(),
        )

    async def balance(self, account_id: str) -> Balance:
        """The account as the books have it, and what of it can still be spent here. Raises: NotFound."""
        row = await self._db.read(lambda connection: fetch_account(connection, account_id))
        lease = self._leases.get(account_id)
        free = max(lease.free, 0) if lease is not None else 0
        return Balance(
            posted=row.posted,
            pending=row.debits_pending,
            available=row.available,
            reserved=row.debits_pending - free,
            spendable=row.available + free,
            lifetime_purchased=row.purchased,
            lifetime_spent=row.debits_posted,
        )

    async def take_over(self) -> int:
        """End the leases of all other processes: for a start that knows itself alone, after replaying the spool."""
        return await self._db.write(lambda connection: leases.take_over(connection, self._owner))

    async def keep(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Tick for ever, through outages."""
        while True:
            await sleep(self.settings.tick_s)
            try:
                await self.tick()
            except Exception as error:  # the edge of the task: leases live on until they expire
                log.log(logging.WARNING if is_transient(error) else logging.ERROR, "leases not renewed: %s", error)

    async def tick(self) -> None:
        """Renew leases, give back those nobody used for a while, end those of dead processes."""
        await self._renew()
        cutoff = self._clock.monotonic() - self.settings.idle_return_s
        await self._return([lease for lease in self._leases.values() if lease.used_at <= cutoff])
        now = self._clock.now_ms()
        await self._db.write(lambda connection: leases.sweep(connection, now))
        for lease in self._leases.values():
            lease.spent_before, lease.spent_now = lease.spent_now, 0

    async def return_all(self) -> int:
        """Give every lease back, after the writer is closed; how many stay because charges on them are not settled."""
        while self._flights:
            await asyncio.wait(set(self._flights.values()))
        await self._return(list(self._leases.values()))
        return len(self._leases)

    def _start_flight(
        self, account_ids: list[str], trip: Coroutine[Any, Any, LeaseRefused | KymaError | None]
    ) -> Flight:
        flight = asyncio.get_running_loop().create_task(trip)
        self._flights.update(dict.fromkeys(account_ids, flight))

        def land(landed: Flight) -> None:
            for account_id in account_ids:
                if self._flights.get(account_id) is landed:
                    del self._flights[account_id]

        flight.add_done_callback(land)
        return flight

    async def _extend(self, account_id: str, amount: Nanos) -> LeaseRefused | KymaError | None:
        """Make the account's lease cover `amount` and be valid again; None if it does now, else why it does not."""
        for _ in range(TRIES):
            lease = self._leases.get(account_id)
            if lease is None:
                lease = self._leases[account_id] = Lease(new_id("lease"), account_id, self._clock.monotonic())
            try:
                await self._ask_for(lease, max(0, amount - lease.free))
                return None
            except LeaseRefused as refused:
                return LeaseRefused(refused.available + max(lease.free, 0), refused.posted)
            except LeaseLost:
                self._forget(lease)
            except Retry:
                continue
            except NotFound as error:
                return error
            except Exception as error:  # the edge of the task: callers get an error of ours
                if not is_transient(error):
                    raise
                log.warning("cannot extend a lease: %s", error)
                return LedgerAway("The ledger cannot be reached; nothing was charged.", retry_after_s=5)
        return LedgerAway("The ledger is too busy; nothing was charged.", retry_after_s=1)

    async def _ask_for(self, lease: Lease, needed: Nanos) -> None:
        def size(available: Nanos) -> Nanos:
            share, replicas = self.settings.lease_share, self.settings.live_replicas
            return lease_size(share, available, needed, lease.recent_spend, replicas)

        now, expires_at, valid_until = self._lifetime()
        account_id, owner = lease.account_id, self._owner
        work = partial(
            leases.extend,
            lease_id=lease.id,
            account_id=account_id,
            owner=owner,
            needed=needed,
            size=size,
            now=now,
            expires_at=expires_at,
        )
        lease.amount = await self._db.write(work)
        lease.valid_until = valid_until
        lease.used_at = self._clock.monotonic()

    async def _renew(self) -> None:
        _, expires_at, valid_until = self._lifetime()
        before = [(lease, lease.valid_until) for lease in self._leases.values() if not self._is_busy(lease)]
        held = await self._db.write(lambda connection: leases.renew_all(connection, self._owner, expires_at))
        for lease, was_valid_until in before:
            if self._is_busy(lease) or lease.valid_until != was_valid_until:
                continue  # a trip of its own has newer figures
            if lease.id in held:
                lease.amount = held[lease.id]
                lease.valid_until = valid_until
            else:
                self._forget(lease)

    async def _return(self, candidates: list[Lease]) -> None:
        idle = [lease for lease in candidates if lease.open_count == 0 and not self._is_busy(lease)]
        for start in range(0, len(idle), CLOSED_AT_ONCE):
            # Earlier trips of this loop were awaited: look again before taking a lease away.
            some = [x for x in idle[start : start + CLOSED_AT_ONCE] if x.open_count == 0 and not self._is_busy(x)]
            for lease in some:
                del self._leases[lease.account_id]
            if some:
                await asyncio.shield(self._start_flight([lease.account_id for lease in some], self._close(some)))

    async def _close(self, some: list[Lease]) -> None:
        # Charges still on their way to the books keep a lease open, but not for ever: one of them may be lost.
        given_up = self._clock.monotonic() - self.settings.lease_ttl_s
        ends = [(lease.id, 0 if lease.used_at <= given_up else lease.used) for lease in some]
        are_closed = [False] * len(some)
        try:
            are_closed = await self._db.write(lambda connection: [leases.close(connection, *end) for end in ends])
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning("cannot return leases: %s", error)
            for lease in some:
                lease.valid_until = 0.0  # it may be closed after all: ask before using it again
        finally:
            for lease, is_closed in zip(some, are_closed, strict=True):
                if is_closed:
                    lease.is_lost = True
                else:
                    self._leases[lease.account_id] = lease

    def _forget(self, lease: Lease) -> None:
        lease.is_lost = True
        if self._leases.get(lease.account_id) is lease:
            del self._leases[lease.account_id]

    def _is_busy(self, lease: Lease) -> bool:
        return lease.account_id in self._flights or self._leases.get(lease.account_id) is not lease

    def _lifetime(self) -> tuple[int, int, float]:
        """Now, and until when a lease taken now is good: in the books, and, sooner, in memory."""
        now, ttl_s = self._clock.now_ms(), self.settings.lease_ttl_s
        margin_s = min(CLOCK_MARGIN_S, ttl_s / 4)
        return now, now + int(ttl_s * 1000), self._clock.monotonic() + ttl_s - margin_s
