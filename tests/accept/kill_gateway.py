"""kill-gateway: SIGKILL of a real gateway under 32 customers; what they were given and what the books say of it."""

import asyncio
from random import Random

import msgspec

from kyma.core.money import NANOS_PER_USD
from kyma.identity import Registered
from tests.accept.client import Client, Reply, question
from tests.accept.stage import INPUT_NANOS, OUTPUT_NANOS, UsageLine, audit, gateway_on, pending_holds, read_usage
from tests.accept.suite import Figure, Run, Suite, at_least, told, zero
from tests.gateway_catalog import ModelSpec, ProviderSpec, RouteSpec
from tests.gateway_process import GatewayProcess
from tests.upstream.process import UpstreamProcess

CUSTOMERS = 32
THINKING_S = 0.06
"""Customers who never pause keep every core busy, and then a kill meets whole batches on their way out."""
ACCOUNTS = 4
BALANCE = 1_000_000 * NANOS_PER_USD
SCRIPTS = (
    "script:ok:tokens=4",
    "script:ok:tokens=9,delay_ms=1",
    "script:paced:interval_ms=4,events=20",
    "script:no-usage:tokens=6,word=long",
)
UNSEEN_SHARE = 0.001
UNSEEN_A_KILL = 4
"""A charge is in the file some milliseconds before its answer is out (the sync lies between), so each kill meets a few;
their share of all answers means something only in long lives, so a quick run counts them by kill."""
QUICK_LIFE_S, FULL_LIFE_S = (0.3, 0.9), (1.0, 4.0)


class Done(msgspec.Struct, frozen=True):
    """A request whose answer arrived to its last byte, and what it must have cost."""

    request_id: str
    cost_text: str
    cost: int | None
    """From the tokens asked for; None where the upstream does not count."""


def run(run: Run) -> list[Figure]:
    """So many lives of one gateway on one data folder, each ended by SIGKILL at a random moment."""
    done: list[Done] = []
    stuck: list[str] = []
    refused: list[str] = []
    with UpstreamProcess() as upstream:
        providers = [ProviderSpec("source", upstream.base_url)]
        models = [ModelSpec(f"m{number}", [RouteSpec("source", script)]) for number, script in enumerate(SCRIPTS)]
        folder, balances = run.folder / "gateway", [BALANCE] * ACCOUNTS
        with gateway_on(folder, providers, models, balances=balances) as (gateway, people):
            for kill in range(run.size):
                gateway.start()
                if left := pending_holds(gateway.db_path):
                    stuck.append(f"{left} after kill {kill}")
                asyncio.run(_one_life(gateway, people, run.dice(kill), run.is_full, done, refused))
            gateway.start()
            asyncio.run(_one_answer(gateway, people[0], done, refused))
            gateway.terminate()
            if left := pending_holds(gateway.db_path):
                stuck.append(f"{left} at the end")
            return [
                *_figures(done, read_usage(gateway.db_path), run),
                zero("stuck holds", stuck),
                zero("answers other than 200", refused),
                zero("violations of the books", audit(gateway.db_path)),
                Figure("kyma ledger verify", *_verified(gateway)),
                told("kills", run.size),
            ]


async def _one_life(
    gateway: GatewayProcess,
    people: list[Registered],
    dice: Random,
    is_full: bool,
    done: list[Done],
    refused: list[str],
) -> None:
    """Everybody asks one thing after the other until the gateway is shot."""
    seeds = [dice.random() for _ in range(CUSTOMERS)]
    shot = asyncio.Event()
    keys = [people[number % ACCOUNTS].api_key for number in range(CUSTOMERS)]
    customers = [
        asyncio.create_task(_customer(Client(gateway.port, key), Random(seed), shot, done, refused))
        for key, seed in zip(keys, seeds, strict=True)
    ]
    await asyncio.sleep(dice.uniform(*(FULL_LIFE_S if is_full else QUICK_LIFE_S)))
    gateway.kill()
    shot.set()
    await asyncio.gather(*customers)


async def _one_answer(gateway: GatewayProcess, person: Registered, done: list[Done], refused: list[str]) -> None:
    """Something to be settled and a lease to be given back."""
    client = Client(gateway.port, person.api_key)
    _note(await client.chat(question("m0", words=1)), 1, True, done, refused)
    client.leave()


async def _customer(client: Client, dice: Random, shot: asyncio.Event, done: list[Done], refused: list[str]) -> None:
    while not shot.is_set():
        words, max_tokens, number = dice.randrange(1, 9), dice.randrange(1, 30), dice.randrange(len(SCRIPTS))
        is_streaming = dice.random() < 0.5
        await asyncio.sleep(dice.uniform(0, 2 * THINKING_S))
        fields = question(f"m{number}", words=words, max_tokens=max_tokens, is_streaming=is_streaming)
        try:
            reply = await client.chat(fields)
        except OSError:
            return
        _note(reply, words, "no-usage" not in SCRIPTS[number], done, refused)
    client.leave()


def _note(reply: Reply, words: int, counts: bool, done: list[Done], refused: list[str]) -> None:
    """Write down an answer that came whole; one that was cut by the kill is none."""
    if reply.is_complete and reply.usage is not None:
        cost = words * INPUT_NANOS + len(reply.words) * OUTPUT_NANOS
        done.append(Done(reply.request_id, f"{reply.usage['cost']:.9f}", cost if counts else None))
    elif reply.is_whole:
        refused.append(f"{reply.status} {bytes(reply.body[:200])!r}")


def _figures(done: list[Done], rows: list[UsageLine], run: Run) -> list[Figure]:
    by_id = {row.request_id: row for row in rows}
    unbilled = [one for one in done if one.request_id not in by_id or not by_id[one.request_id].charges]
    doubled = [row for row in rows if len(row.charges) > 1 or sum(row.charges) > row.cost]
    wrong = [
        (one, row)
        for one in done
        if (row := by_id.get(one.request_id)) is not None
        and (one.cost_text != f"{row.cost / NANOS_PER_USD:.9f}" or (one.cost is not None and one.cost != row.cost))
    ]
    seen = {one.request_id for one in done}
    unseen = sum(row.cost > 0 for row in rows if row.request_id not in seen)
    allowed = UNSEEN_SHARE * len(done) if run.is_full else max(UNSEEN_SHARE * len(done), UNSEEN_A_KILL * run.size)
    return [
        zero("completed and not billed", unbilled),
        zero("billed twice", doubled),
        zero("billed wrongly", wrong),
        Figure("billed and not seen", str(unseen), f"at most {allowed:g}", unseen <= allowed),
        at_least("answers completed", len(done), CUSTOMERS * run.size),
    ]


def _verified(gateway: GatewayProcess) -> tuple[str, str, bool]:
    result = gateway.cli("ledger", "verify")
    return f"exit {result.returncode}", "must be 0", result.returncode == 0


SUITE = Suite("kill-gateway", "kills", quick=7, full=1_000, for_mutants=7, run=run)
