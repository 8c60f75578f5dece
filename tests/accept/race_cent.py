"""race-cent: 200 customers share one cent and all ask at once; what they spend and what was done for them."""

import asyncio
from random import Random

from kyma.core.money import NANOS_PER_CENT
from kyma.identity import Registered
from tests.accept.client import Client, Reply, question
from tests.accept.stage import INPUT_NANOS, audit, gateway_on, posted, read_usage
from tests.accept.suite import Figure, Run, Suite, at_least, at_most, told, zero
from tests.gateway_catalog import ModelSpec, ProviderSpec, RouteSpec
from tests.gateway_process import GatewayProcess
from tests.upstream.process import UpstreamProcess

CUSTOMERS = 200
PROMPT_WORDS = 4
MODEL = "slow"
OUTPUT_USD, OUTPUT_NANOS = "20", 20_000


def run(run: Run) -> list[Figure]:
    """One account with a cent for each repeat."""
    with UpstreamProcess() as upstream:
        models = [ModelSpec(MODEL, [RouteSpec("source", "script:ok:tokens=50,delay_ms=3")], output=OUTPUT_USD)]
        providers = [ProviderSpec("source", upstream.base_url)]
        balances = [NANOS_PER_CENT] * run.size
        with gateway_on(run.folder / "gateway", providers, models, balances=balances) as (gateway, people):
            gateway.start()
            replies = asyncio.run(_all_repeats(gateway, people, run))
            gateway.terminate()
            asked = upstream.stats()["requests"]
            return _figures(gateway, people, replies, asked)


async def _all_repeats(gateway: GatewayProcess, people: list[Registered], run: Run) -> list[Reply]:
    replies: list[Reply] = []
    for repeat, person in enumerate(people):
        replies += await _repeat(gateway.port, person.api_key, run.dice(repeat))
    return replies


async def _repeat(port: int, key: str, dice: Random) -> list[Reply]:
    """Everybody connects and asks at once; answers are 6 to 25 tokens long, a cent pays for 500."""
    clients = [Client(port, key) for _ in range(CUSTOMERS)]
    max_tokens = dice.randrange(6, 25)
    asks = [
        client.chat(
            question(MODEL, words=PROMPT_WORDS, max_tokens=max_tokens, is_streaming=dice.random() < 0.5),
        )
        for client in clients
    ]
    replies = await asyncio.gather(*asks)
    for client in clients:
        client.leave()
    return replies


def _figures(gateway: GatewayProcess, people: list[Registered], replies: list[Reply], asked: int) -> list[Figure]:
    rows = read_usage(gateway.db_path)
    overspent = {person.account_id: -posted(gateway.db_path, person.account_id) for person in people}
    dearest = max(row.cost for row in rows)
    served = [reply for reply in replies if reply.is_complete]
    refused = [reply for reply in replies if reply.status == 402]
    spent = sum(row.cost for row in rows)
    honest = sum(
        PROMPT_WORDS * INPUT_NANOS + len(reply.words) * OUTPUT_NANOS for reply in replies if reply.status == 200
    )
    return [
        at_most("largest overspend, in requests", max(0, *overspent.values()) / dearest, 1),
        zero("accounts below zero (strict)", [account for account, amount in overspent.items() if amount > 0]),
        zero("answers other than a whole 200 or a 402", len(replies) - len(served) - len(refused)),
        zero("upstream calls without a charge", asked - sum(row.cost > 0 for row in rows)),
        Figure("delivered, in nano-dollars", str(honest), f"charged {spent}", honest == spent),
        at_least("served of each cent", len(served) / len(people), 1),
        zero("violations of the books", audit(gateway.db_path)),
        told("repeats, customers each", f"{len(people)} x {CUSTOMERS}"),
        told("served and refused", f"{len(served)}, {len(refused)}"),
    ]


SUITE = Suite("race-cent", "repeats", quick=20, full=100, for_mutants=4, run=run)
