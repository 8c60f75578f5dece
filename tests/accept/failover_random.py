"""failover-random: every attempt fails with probability 0.3, over three sources of a model and two substitutes.

One substitute is sold cheaper than the model, one dearer: nobody may pay more than for the model that was asked for.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator

import msgspec

from kyma.core.money import NANOS_PER_USD
from tests.accept.client import Client, Reply, question
from tests.accept.dialects import ALL, Dialect
from tests.accept.stage import audit, gateway_on, pending_holds, read_attempts, read_usage
from tests.accept.suite import Figure, Run, Suite, at_least, at_most, told, zero
from tests.gateway_catalog import ModelSpec, ProviderSpec, RouteSpec
from tests.upstream.process import UpstreamProcess

CUSTOMERS = 32
ASKED, CHEAPER, DEARER = "asked", "cheaper", "dearer"
SOURCES = ("first", "second", "third")
PRICES = {ASKED: (1000, 2000), CHEAPER: (800, 1900), DEARER: (1000, 2000)}
"""Nano-dollars a token that an answer of each may cost: the least of its own list price and that of the model asked."""

SCRIPT = "script:flaky:p=0.33,busy=0,tokens=3"
"""An attempt fails with 0.3: of eight failures one is a connection that ends before a byte, which is tried anew."""
FULL_LIMIT, QUICK_LIMIT = 0.001, 0.0013
"""0.3 to the sixth is 0.00073."""
ATTEMPTS = 1.6


class Wrong(msgspec.Struct):
    """What must not be, each with the first of its kind."""

    errors: list[str] = msgspec.field(default_factory=list)
    texts: list[str] = msgspec.field(default_factory=list)
    headers: list[str] = msgspec.field(default_factory=list)
    layers: Counter[str] = msgspec.field(default_factory=Counter)


def run(run: Run) -> list[Figure]:
    """So many requests of every dialect, streamed and whole by turns."""
    wrong = Wrong()
    with UpstreamProcess() as upstream:
        providers = [ProviderSpec(name, upstream.base_url) for name in (*SOURCES, CHEAPER, DEARER)]
        with gateway_on(run.folder, providers, _models(), balances=[100_000 * NANOS_PER_USD]) as (gateway, (person,)):
            gateway.start()
            asyncio.run(_ask_all(gateway.port, person.api_key, run, wrong))
            gateway.terminate()
            rows, attempts = read_usage(gateway.db_path), read_attempts(gateway.db_path)
            dear = [row for row in rows if row.cost != _cost(row.served, row.input_tokens, row.output_tokens)]
            limit = FULL_LIMIT if run.is_full else QUICK_LIMIT
            return [
                at_most("share of requests with an error before a byte", len(wrong.errors) / run.size, limit),
                zero("answers with another text", wrong.texts),
                zero("answers whose headers say otherwise than their model", wrong.headers),
                at_most("attempts a request", sum(attempts) / run.size, ATTEMPTS),
                zero("bills at another price than the least", dear),
                at_least("answers of substitutes", wrong.layers["3"], run.size // 100),
                zero("violations of the books", audit(gateway.db_path)),
                zero("leases left", pending_holds(gateway.db_path)),
                told("answers by layer", ", ".join(f"{layer}: {wrong.layers[layer]}" for layer in "0123")),
                told("requests", run.size),
            ]


def _models() -> list[ModelSpec]:
    spread = {"weight": 1.0}
    routes = [RouteSpec(source, SCRIPT, spread) for source in SOURCES]
    return [
        ModelSpec(ASKED, routes, fields={"substitutes": [CHEAPER, DEARER]}),
        ModelSpec(CHEAPER, [RouteSpec(CHEAPER, SCRIPT)], input="0.8", output="1.9"),
        ModelSpec(DEARER, [RouteSpec(DEARER, SCRIPT)], input="3", output="6"),
    ]


def _cost(model: str, input_tokens: int, output_tokens: int) -> int:
    input_nanos, output_nanos = PRICES[model]
    return input_tokens * input_nanos + output_tokens * output_nanos


async def _ask_all(port: int, key: str, run: Run, wrong: Wrong) -> None:
    turns = iter(range(run.size))
    await asyncio.gather(*(_customer(Client(port, key), turns, wrong) for _ in range(CUSTOMERS)))


async def _customer(client: Client, turns: Iterator[int], wrong: Wrong) -> None:
    for turn in turns:
        dialect: Dialect = ALL[turn % len(ALL)]
        reply = await client.chat(question(ASKED, dialect=dialect, is_streaming=turn // len(ALL) % 2 == 0))
        _check(reply, wrong)
    client.leave()


def _check(reply: Reply, wrong: Wrong) -> None:
    if not (reply.is_complete and reply.words):
        wrong.errors.append(f"{reply.status} {bytes(reply.body[:200])!r} {reply.errors} {reply.faults}")
        return
    if reply.words != ["w0", "w1", "w2"]:
        wrong.texts.append(" ".join(reply.words))
    layer, model = reply.headers.get("x-kyma-fallback-layer", "0"), reply.headers["x-kyma-model"]
    wrong.layers[layer] += 1
    if (model != ASKED) != (layer == "3") or ("x-kyma-fallback" in reply.headers) != (layer != "0"):
        wrong.headers.append(f"{model} by layer {layer}")


SUITE = Suite("failover-random", "requests", quick=20_000, full=100_000, for_mutants=4_000, run=run)
