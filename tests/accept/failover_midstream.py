"""failover-midstream: sources that break before or after the first word; what customers read, are told and pay.

Customers of every dialect on sources of every family by turns, the second source of any. Every request has a model of
its own, so that request, upstream call and usage row are known to belong together.
"""

import asyncio

from kyma.core.money import NANOS_PER_USD
from tests.accept.breaks import PAIRS, Break, breaking, providers, routes
from tests.accept.client import Client, Reply, question
from tests.accept.stage import UsageLine, audit, gateway_on, pending_holds, read_usage
from tests.accept.suite import Figure, Run, Suite, at_least, told, zero
from tests.accept.verdicts import ALLOWED_GAP, Broken, check
from tests.gateway_catalog import ModelSpec
from tests.upstream.process import UpstreamProcess

PER_ROUND = 500
WORKERS = 24


def run(run: Run) -> list[Figure]:
    """Rounds of requests, each on a new gateway."""
    broken, faults = Broken(), []
    with UpstreamProcess() as upstream:
        for start in range(0, run.size, PER_ROUND):
            dice = run.dice(start)
            asked = [breaking(number, dice) for number in range(min(PER_ROUND, run.size - start))]
            upstream.reset()
            faults += _round(run, start, upstream, asked, broken)
    return [
        zero("texts with a duplicated, foreign or missing word", broken.text),
        zero("breaks without exactly one typed error event", broken.error),
        zero("broken streams that look finished", broken.finished),
        zero(f"bills off by more than {ALLOWED_GAP} token", broken.bill),
        zero("error events that tell another bill", broken.told_bill),
        zero("breaks before the first token that were seen", broken.fallback),
        zero("requests without any source not free or not 503", broken.failed),
        zero("violations of the books and leases left", faults),
        at_least("pairs of dialect and family", len(broken.pairs), len(PAIRS)),
        told("requests", run.size),
        told("told, replaced in silence, failed", ", ".join(str(count) for count in broken.counted.values())),
    ]


def _round(run: Run, start: int, upstream: UpstreamProcess, asked: list[Break], broken: Broken) -> list[str]:
    models = [ModelSpec(one.model, routes(one)) for one in asked]
    folder, balances = run.folder / str(start), [1000 * NANOS_PER_USD]
    with gateway_on(folder, providers(upstream.base_url), models, balances=balances) as (gateway, (person,)):
        gateway.start()
        replies = asyncio.run(_ask_all(gateway.port, person.api_key, asked))
        gateway.terminate()
        rows: dict[str, list[UsageLine]] = {}
        for row in read_usage(gateway.db_path):
            rows.setdefault(row.model, []).append(row)
        for one in asked:
            check(one, replies[one.model], rows.get(one.model, []), broken)
        left = pending_holds(gateway.db_path)
        return audit(gateway.db_path) + ([f"{left} leases left"] if left else [])


async def _ask_all(port: int, key: str, asked: list[Break]) -> dict[str, Reply]:
    replies: dict[str, Reply] = {}
    waiting = iter(asked)

    async def work() -> None:
        client = Client(port, key)
        for one in waiting:
            put = question(one.model, dialect=one.dialect, is_streaming=one.is_streaming)
            replies[one.model] = await client.chat(put)
        client.leave()

    await asyncio.gather(*(work() for _ in range(WORKERS)))
    return replies


SUITE = Suite("failover-midstream", "requests", quick=1_000, full=5_000, for_mutants=300, run=run)
