"""hot-path: what billing adds to a request: admission, hold, settlement and its share of the group commit.

The product has no switch that turns billing off, so the same loop runs with and without the real classes. CPU and
counts decide; latencies through a real gateway are told, because a busy machine makes any limit on them a lottery.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import msgspec
from sqlalchemy import Connection

from kyma.calls.meter import Meter, Outcome, hold_bound, input_estimate
from kyma.calls.settle import Settled, apply_settled
from kyma.core.answer import UsageReport
from kyma.core.chat import Chat, ChatRequest, Native
from kyma.core.ids import SystemClock, new_id
from kyma.core.model import Price, Usage
from kyma.core.money import NANOS_PER_USD
from kyma.core.principal import Principal, Tier
from kyma.ledger import Ledger
from kyma.limits import Limits
from kyma.storage.database import Database
from kyma.storage.postgres import PostgresDatabase
from kyma.storage.sqlite import SqliteDatabase
from kyma.storage.writer import GroupWriter
from kyma.usage import UsageRow
from tests.accept.client import Client, question
from tests.accept.price_exact import model_at
from tests.accept.stage import gateway_on
from tests.accept.suite import Figure, Run, Suite, at_most, told, zero
from tests.books import BOOK, MODEL, audit, open_account
from tests.databases import TEMPLATE, command, make_postgres_template, make_sqlite_template
from tests.gateway_catalog import ModelSpec, ProviderSpec, RouteSpec
from tests.servers.postgres import PostgresServer, run_postgres
from tests.upstream.process import UpstreamProcess

CONCURRENCY = 64
CPU_US = 60.0
QUICK_MARGIN = 3.0
TRANSACTIONS_A_REQUEST = 0.25
PRICE = Price(1000, 1000, 1000, 1000, 1000)
PROBES = 200
T = TypeVar("T")


class Counted:
    """A database that counts the transactions asked of it."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.writes = 0
        self.reads = 0

    async def write(self, work: Callable[[Connection], T]) -> T:
        self.writes += 1
        return await self._db.write(work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        self.reads += 1
        return await self._db.read(work)

    async def close(self) -> None:
        await self._db.close()


class Cost(msgspec.Struct, frozen=True):
    """Of one request: CPU, transactions, and those that it had to wait for before anything could be sent."""

    cpu_us: float
    transactions: float
    before_first_byte: int
    p50_ms: float
    violations: list[str]


def run(run: Run) -> list[Figure]:
    """`size` requests on each store, 64 at a time; then some through a real gateway."""
    template = run.folder / "template.db"
    asyncio.run(make_sqlite_template(template))
    path = run.folder / "kyma.db"
    path.write_bytes(template.read_bytes())
    costs = {"sqlite": asyncio.run(_measure(SqliteDatabase(path), run.size))}
    with run_postgres(fsync=True) as server:
        costs["postgres"] = asyncio.run(_on_postgres(server, run.size))
    limit = CPU_US * (1 if run.is_full else QUICK_MARGIN)
    figures: list[Figure] = []
    for store, cost in costs.items():
        figures += [
            at_most(f"{store}: CPU a request", round(cost.cpu_us, 1), limit, " µs"),
            at_most(f"{store}: transactions a request", round(cost.transactions, 4), TRANSACTIONS_A_REQUEST),
            zero(f"{store}: transactions before a first byte", cost.before_first_byte),
            zero(f"{store}: violations of the books", cost.violations),
            told(f"{store}: added at the end of a reply, p50", f"{cost.p50_ms:.2f} ms"),
        ]
    return [*figures, *_through_a_gateway(run.folder)]


async def _on_postgres(server: PostgresServer, size: int) -> Cost:
    await make_postgres_template(server)
    name = server.new_name()
    await command(server, f"create database {name} template {TEMPLATE}")
    return await _measure(PostgresDatabase(server.url(name)), size)


async def _measure(plain: Database, size: int) -> Cost:
    db, clock = Counted(plain), SystemClock()
    account_id = await open_account(db, 10**6 * NANOS_PER_USD)
    limits, ledger = Limits(clock), Ledger(db, clock, new_id("gw"))
    writer: GroupWriter[Settled, bool] = GroupWriter(db, apply_settled)
    desk = _Desk(limits, ledger, writer, clock, account_id)
    ledger.release(await ledger.reserve(account_id, 1, new_id("req")))  # the account is warm
    db.writes = db.reads = 0
    off_s = await _cpu_s(size, desk.without_billing)
    on_s = await _cpu_s(size, desk.with_billing)
    cost = Cost(
        (on_s - off_s) / size * 1e6,
        (db.writes + db.reads) / size,
        desk.slow_holds,
        statistics.median(desk.waits_s) * 1000,
        await audit(db),
    )
    await writer.close()
    await ledger.return_all()
    await db.close()
    return cost


async def _cpu_s(size: int, handle: Callable[[], Awaitable[None]]) -> float:
    """CPU seconds of this process, writer thread included, for `size` requests."""
    began = time.process_time()

    async def work() -> None:
        for _ in range(size // CONCURRENCY):
            await handle()

    await asyncio.gather(*(work() for _ in range(CONCURRENCY)))
    return time.process_time() - began


class _Desk:
    """The billing of one request, as `Calls` puts it together."""

    def __init__(
        self, limits: Limits, ledger: Ledger, writer: GroupWriter[Settled, bool], clock: SystemClock, account_id: str
    ) -> None:
        self._limits, self._ledger, self._writer, self._clock = limits, ledger, writer, clock
        self._tier = Tier(4, "unlimited", 0, 2**40, 2**40, 2**40, 2**40)
        self._model = model_at(PRICE)
        self._principal = Principal("user_1", account_id, "a@b.c", "key_1", "key", 4, False, False)
        self._request = ChatRequest(
            model=MODEL,
            chat=lambda: Chat(messages=(), max_tokens=1),
            max_tokens=256,
            is_streaming=False,
            native=Native("openai_chat", {}),
            input_bytes=1024,
        )
        self._report = UsageReport(Usage(input=100, output=100))
        self.slow_holds = 0
        self.waits_s: list[float] = []

    async def without_billing(self) -> None:
        """Only the meeting with the upstream, which takes a turn of the loop."""
        await asyncio.sleep(0)

    async def with_billing(self) -> None:
        request, model = self._request, self._model
        tokens = input_estimate(request, model) + request.max_tokens
        admission = self._limits.admit(self._principal, self._tier, model.id, tokens)
        request_id, amount = new_id("req"), hold_bound(request, model).cost(model.price)
        hold = self._ledger.try_reserve(self._principal.account_id, amount, request_id)
        if hold is None:
            self.slow_holds += 1
            hold = await self._ledger.reserve(self._principal.account_id, amount, request_id)
        self._limits.headers(admission)
        await asyncio.sleep(0)
        meter = Meter(request, model)
        meter.see(self._report)
        bill = meter.bill(Outcome.FINISHED, model.price)
        settlement = self._ledger.prepare(hold, bill.cost)
        self._limits.correct(admission, bill.usage.total)
        row = self._row(request_id, bill.usage, bill.cost)
        began = time.perf_counter()
        await self._writer.submit(Settled(row, settlement))
        self.waits_s.append(time.perf_counter() - began)

    def _row(self, request_id: str, usage: Usage, cost: int) -> UsageRow:
        return UsageRow(  # by position, as `Calls` does
            request_id,
            self._principal.account_id,
            self._principal.user_id,
            self._principal.key_id,
            MODEL,
            MODEL,
            "provider/m",
            0,
            "openai_chat",
            usage.input,
            usage.cached_input,
            usage.cache_write,
            usage.output,
            usage.reasoning,
            BOOK,
            cost,
            False,
            False,
            "finished",
            200,
            False,
            None,
            1,
            1,
            self._clock.now_ms(),
        )


def _through_a_gateway(folder: Path) -> list[Figure]:
    """One request at a time, by the gateway and straight to the upstream: the whole of what Kyma adds."""
    with UpstreamProcess() as upstream:
        providers = [ProviderSpec("source", upstream.base_url)]
        models = [ModelSpec("quick", [RouteSpec("source", "script:ok")])]
        with gateway_on(folder / "gateway", providers, models, balances=[NANOS_PER_USD]) as (gateway, (person,)):
            gateway.start()
            through = asyncio.run(_p50_ms(gateway.port, person.api_key, "quick"))
            straight = asyncio.run(_p50_ms(upstream.port, "none", "script:ok"))
    return [told("gateway against bare upstream, p50", f"{through:.2f} ms, {straight:.2f} ms")]


async def _p50_ms(port: int, key: str, model: str) -> float:
    client, times = Client(port, key), []
    for _ in range(PROBES):
        began = time.perf_counter()
        reply = await client.chat(question(model))
        assert reply.status == 200, bytes(reply.body)
        times.append(time.perf_counter() - began)
    client.leave()
    return statistics.median(times) * 1000


SUITE = Suite("hot-path", "requests a store", quick=15_000, full=100_000, for_mutants=3_200, run=run)
