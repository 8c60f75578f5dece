"""disconnect: customers leave at random points of streams and whole answers; every token they were given is billed.

Customers of every dialect on sources of every family by turns. Every request has a model of its own, so that request,
upstream call and usage row are known to belong together. One kind of provider stops its charge when it is cut off, the
other goes on counting and must be read to its end.
"""

import asyncio
import time
from pathlib import Path
from random import Random

from kyma.core.money import NANOS_PER_USD
from tests.accept.client import Client, question
from tests.accept.departures import DRAIN_S, KEEN, PAIRS, STUBBORN, Departure, Found, Left, check, departure
from tests.accept.stage import audit, gateway_on, pending_holds, read_usage
from tests.accept.suite import Figure, Run, Suite, at_least, told, zero
from tests.gateway_catalog import FAMILIES, ModelSpec, ProviderSpec, RouteSpec, in_family
from tests.gateway_process import GatewayProcess
from tests.upstream.process import UpstreamProcess

PER_ROUND = 250
WORKERS = 32
"""Few enough that no more than the 64 drains that a gateway allows are under way."""
SETTLED_WITHIN_S = 6.0
FAILURES_TO_SKIP = 8
ENV = {"KYMA_ABANDONED_DRAIN_S": str(DRAIN_S), "KYMA_SHUTDOWN_S": "8"}


def run(run: Run) -> list[Figure]:
    """Rounds of requests, each on a new gateway; then a crowd leaves one source at once."""
    found = Found()
    with UpstreamProcess() as upstream:
        for start in range(0, run.size, PER_ROUND):
            dice = run.dice(start)
            asked = [departure(number, dice) for number in range(min(PER_ROUND, run.size - start))]
            upstream.reset()
            _round(run.folder / str(start), upstream, asked, dice, found)
    return [
        zero("tokens delivered and not billed", found.unbilled_tokens),
        zero("tokens billed that the upstream never sent", found.overbilled_tokens),
        zero("requests without exactly one usage row", found.rows),
        zero("requests acted on before they were whole", found.unheard),
        zero("requests charged more than once or wrongly", found.charges),
        zero("cut-off sources not cancelled within 1 s", found.not_cancelled),
        zero("other sources not drained to their usage", found.not_drained),
        zero("drains without an end", found.endless),
        zero("calls and leases leaked", found.leaked),
        zero("sources blamed for customers who left", found.blamed),
        zero("violations of the books", found.violations),
        at_least("pairs of dialect and family", len(found.pairs), len(PAIRS)),
        told("requests, left early among them", f"{run.size}, {found.left_count}"),
        told("delivered tokens", found.delivered_tokens),
    ]


def _round(folder: Path, upstream: UpstreamProcess, asked: list[Departure], dice: Random, found: Found) -> None:
    kinds = {KEEN: True, STUBBORN: False}
    rows = [ProviderSpec(kind, upstream.base_url, {"cancel_stops_billing": stops}) for kind, stops in kinds.items()]
    providers = [in_family(row, family) for row in rows for family in FAMILIES]
    models = [ModelSpec(one.model, [RouteSpec(one.provider, one.script)]) for one in asked]
    crowd = [
        RouteSpec(KEEN, "script:slow-first-byte:s=0.3,head=1,tokens=60,delay_ms=20"),
        RouteSpec(STUBBORN, "script:ok:word=other"),
    ]
    models.append(ModelSpec("crowd", crowd))
    with gateway_on(folder, providers, models, balances=[1000 * NANOS_PER_USD] * 2, env=ENV) as (
        gateway,
        (person, other),
    ):
        gateway.start()
        lefts = asyncio.run(_ask_all(gateway.port, person.api_key, asked, dice))
        _wait_until_settled(gateway, upstream, lefts, found)
        found.blamed += asyncio.run(_crowd(gateway.port, other.api_key))
        began = time.monotonic()
        gateway.terminate()
        if time.monotonic() - began > 4.0:
            found.leaked.append("the gateway waited for calls that had ended")
        if left := pending_holds(gateway.db_path):
            found.leaked.append(f"{left} leases left")
        check(lefts, [row for row in read_usage(gateway.db_path) if row.model != "crowd"], upstream.log(), found)
        found.violations += audit(gateway.db_path)


async def _ask_all(port: int, key: str, asked: list[Departure], dice: Random) -> list[Left]:
    lefts: list[Left] = []
    waiting = iter(asked)

    async def work() -> None:
        for one in waiting:
            client = Client(port, key)
            lefts.append(await _ask(client, one, reset=dice.random() < 0.5))

    await asyncio.gather(*(work() for _ in range(WORKERS)))
    return lefts


async def _ask(client: Client, one: Departure, *, reset: bool) -> Left:
    """Ask, and leave where the departure says."""
    asked = question(one.model, dialect=one.dialect, max_tokens=one.max_tokens, is_streaming=one.is_streaming)
    until = (lambda reply: len(reply.words) >= one.after_words) if one.after_words else None
    over = await client.post(asked, until, share=one.share)
    await asyncio.wait((over,), timeout=one.after_s)
    reply = client.reply
    has_left = not reply.is_whole
    return Left(one, len(reply.words), has_left, client.leave(reset=reset))


def _wait_until_settled(gateway: GatewayProcess, upstream: UpstreamProcess, lefts: list[Left], found: Found) -> None:
    """Every upstream call over and every call that reached an upstream in the books."""
    deadline = time.monotonic() + SETTLED_WITHIN_S
    while True:
        reached = {entry.model for entry in upstream.log()}
        settled = {row.model for row in read_usage(gateway.db_path)}
        missing = [
            left.asked.model for left in lefts if left.asked.script in reached and left.asked.model not in settled
        ]
        open_count = upstream.stats()["open"]
        if not missing and not open_count:
            return
        if time.monotonic() > deadline:
            found.leaked.append(f"{open_count} upstream calls open, {len(missing)} calls not settled: {missing[:3]}")
            return
        time.sleep(0.05)


async def _crowd(port: int, key: str) -> list[str]:
    """Customers leave one source at once, before its first word and after; who comes next must still be sent there."""
    clients = [Client(port, key) for _ in range(2 * FAILURES_TO_SKIP)]
    asked = question("crowd", is_streaming=True)
    overs = [await client.post(asked, lambda reply: bool(reply.words)) for client in clients]
    await asyncio.sleep(0.1)
    for client in clients[FAILURES_TO_SKIP:]:
        client.leave()
    await asyncio.wait(overs[:FAILURES_TO_SKIP], timeout=5)
    for client in clients[:FAILURES_TO_SKIP]:
        client.leave()
    await asyncio.sleep(0.3)
    last = Client(port, key)
    reply = await last.chat(asked, lambda reply: bool(reply.words))
    last.leave()
    return ["a healthy source is skipped"] if "x-kyma-fallback" in reply.headers else []


SUITE = Suite("disconnect", "requests", quick=300, full=5_000, for_mutants=150, run=run)
