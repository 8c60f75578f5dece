"""failover-midstream: sources that break after k tokens; what the customer reads, is told and pays.

Every request has a model of its own, so that request, upstream call and usage row are known to belong together.
"""

import asyncio
from random import Random

import msgspec

from kyma.core.money import NANOS_PER_USD
from tests.accept.client import Client, Reply, question
from tests.accept.stage import UsageLine, audit, gateway_on, pending_holds, read_usage
from tests.accept.suite import Figure, Run, Suite, told, zero
from tests.gateway_catalog import ModelSpec, ProviderSpec, RouteSpec
from tests.upstream.process import UpstreamProcess

PER_ROUND = 500
WORKERS = 16
TOKENS = 16
ALLOWED_GAP = 1


class Case(msgspec.Struct, frozen=True):
    """One request. The first source says `a…` words and breaks after `k`; the second, if any, says `b…` words."""

    model: str
    breakage: str
    k: int
    has_second: bool
    is_streaming: bool

    @property
    def is_told(self) -> bool:
        """The customer has read something, so the break must be told."""
        return self.is_streaming and self.k > 0

    def words(self, stem: str, count: int) -> list[str]:
        return [f"{stem}{self.model}x{number}" for number in range(count)]


class Broken(msgspec.Struct):
    """What went wrong, by figure."""

    text: list[str] = []
    error: list[str] = []
    bill: list[str] = []
    fallback: list[str] = []
    failed: list[str] = []


def run(run: Run) -> list[Figure]:
    """Rounds of requests, each on a new gateway."""
    broken, counted, faults = Broken(), {"told": 0, "replaced": 0, "failed": 0}, []
    with UpstreamProcess() as upstream:
        for start in range(0, run.size, PER_ROUND):
            dice = run.dice(start)
            cases = [_case(number, dice) for number in range(min(PER_ROUND, run.size - start))]
            upstream.reset()
            faults += _round(run, start, upstream, cases, broken, counted)
    return [
        zero("texts with a duplicated, foreign or missing word", broken.text),
        zero("breaks without exactly one error event", broken.error),
        zero(f"bills off by more than {ALLOWED_GAP} token", broken.bill),
        zero("breaks before the first token that were seen", broken.fallback),
        zero("requests without any source not free or not 503", broken.failed),
        zero("violations of the books and leases left", faults),
        told("requests", run.size),
        told("told, replaced in silence, failed", ", ".join(str(count) for count in counted.values())),
    ]


def _round(
    run: Run, start: int, upstream: UpstreamProcess, cases: list[Case], broken: Broken, counted: dict[str, int]
) -> list[str]:
    providers = [ProviderSpec("first", upstream.base_url), ProviderSpec("second", upstream.base_url)]
    models = [ModelSpec(case.model, _routes(case)) for case in cases]
    folder = run.folder / str(start)
    with gateway_on(folder, providers, models, balances=[1000 * NANOS_PER_USD]) as (gateway, (person,)):
        gateway.start()
        replies = asyncio.run(_ask_all(gateway.port, person.api_key, cases))
        gateway.terminate()
        rows = {row.model: row for row in read_usage(gateway.db_path)}
        for case, reply in zip(cases, replies, strict=True):
            _check(case, reply, rows.get(case.model), broken, counted)
        left = pending_holds(gateway.db_path)
        return audit(gateway.db_path) + ([f"{left} leases left"] if left else [])


def _case(number: int, dice: Random) -> Case:
    breakage = dice.choice(("cut:k={k}", "cut:k={k},mode=rst", "garbage-chunk:k={k}", "error-in-stream:k={k}"))
    k = dice.choice((0, 1, 1, 2, dice.randrange(3, TOKENS)))
    return Case(f"m{number}", breakage, k, has_second=dice.random() < 0.7, is_streaming=dice.random() < 0.8)


def _routes(case: Case) -> list[RouteSpec]:
    broken = "script:" + case.breakage.format(k=case.k) + f",tokens={TOKENS},word=a{case.model}x"
    second = RouteSpec("second", f"script:ok:tokens={TOKENS},word=b{case.model}x")
    return [RouteSpec("first", broken), *([second] if case.has_second else [])]


async def _ask_all(port: int, key: str, cases: list[Case]) -> list[Reply]:
    replies: dict[str, Reply] = {}
    waiting = iter(cases)

    async def work() -> None:
        client = Client(port, key)
        for case in waiting:
            replies[case.model] = await client.chat(question(case.model, is_streaming=case.is_streaming))
        client.leave()

    await asyncio.gather(*(work() for _ in range(WORKERS)))
    return [replies[case.model] for case in cases]


def _check(case: Case, reply: Reply, row: UsageLine | None, broken: Broken, counted: dict[str, int]) -> None:
    what = f"{case} {reply.status} {reply.words} {reply.errors} {row}"
    if row is None:
        broken.bill.append(what)
    elif case.is_told:
        counted["told"] += 1
        _check_told(case, reply, row, what, broken)
    elif case.has_second:
        counted["replaced"] += 1
        _check_replaced(case, reply, row, what, broken)
    else:
        counted["failed"] += 1
        if reply.status != 503 or reply.words or row.cost or row.charges:
            broken.failed.append(what)


def _check_told(case: Case, reply: Reply, row: UsageLine, what: str, broken: Broken) -> None:
    if reply.words != case.words("a", case.k):
        broken.text.append(what)
    if len(reply.errors) != 1 or reply.has_done or reply.events_after_end or not reply.is_whole:
        broken.error.append(what)
    is_paid = row.status == "cut" and row.is_estimated and sum(row.charges) == row.cost > 0
    if not is_paid or abs(row.output_tokens - len(reply.words)) > ALLOWED_GAP:
        broken.bill.append(what)


def _check_replaced(case: Case, reply: Reply, row: UsageLine, what: str, broken: Broken) -> None:
    if reply.words != case.words("b", TOKENS):
        broken.text.append(what)
    if not reply.is_complete or reply.headers.get("x-kyma-fallback-layer") != "1" or row.layer != 1:
        broken.fallback.append(what)
    if row.output_tokens != TOKENS or row.is_estimated or sum(row.charges) != row.cost:
        broken.bill.append(what)


SUITE = Suite("failover-midstream", "requests", quick=500, full=5_000, for_mutants=100, run=run)
