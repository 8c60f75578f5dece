"""negative-usage: an upstream reports negative, huge, fractional, missing and repeated usage through a real gateway."""

import asyncio
import json
import urllib.request
from itertools import pairwise

import msgspec

from kyma.core.money import NANOS_PER_USD
from tests.accept.client import Client, Reply, question
from tests.accept.hostile import CASES, WORDS, Case, hostile_upstream
from tests.accept.stage import INPUT_NANOS, OUTPUT_NANOS, UsageLine, audit, gateway_on, posted, read_usage
from tests.accept.suite import Figure, Run, Suite, told, zero
from tests.gateway_catalog import ModelSpec, ProviderSpec, RouteSpec
from tests.gateway_process import GatewayProcess

WORKERS = 8
BALANCE = 100_000 * NANOS_PER_USD
MODEL = "liar"
MAX_TOKENS = 100
WATCH_S = 0.02


class Asked(msgspec.Struct, frozen=True):
    """One request: what its reports come to, the reports themselves, and the reply."""

    kind: str
    reports: list[str]
    reply: Reply


def run(run: Run) -> list[Figure]:
    """Each request reports a random case, one in four several of them in a row."""
    with hostile_upstream() as port:
        providers = [ProviderSpec("source", f"http://127.0.0.1:{port}/v1")]
        models = [ModelSpec(MODEL, [RouteSpec("source", "liar")])]
        with gateway_on(run.folder / "gateway", providers, models, balances=[BALANCE]) as (gateway, (person,)):
            gateway.start()
            asked, balances = asyncio.run(_ask_all(gateway, person.api_key, run))
            gateway.terminate()
            rows = {row.request_id: row for row in read_usage(gateway.db_path)}
            faults = _faults(asked, rows)
            spent = BALANCE - posted(gateway.db_path, person.account_id)
            return [
                zero("times the balance rose", sum(after > before for before, after in pairwise(balances))),
                zero(
                    "charges below zero",
                    [row for row in rows.values() if row.cost < 0 or min(row.charges, default=0) < 0],
                ),
                zero("invalid reports not flagged", faults["not flagged"]),
                zero("honest or absent reports flagged", faults["wrongly flagged"]),
                zero("requests billed otherwise than specified", faults["billed"]),
                zero("requests without a whole 200 and one row", faults["lost"]),
                Figure("spent, in nano-dollars", str(spent), "the sum of all charges", spent == _sum(rows)),
                zero("violations of the books", audit(gateway.db_path)),
                told("requests, invalid among them", f"{len(asked)}, {sum(a.kind == 'invalid' for a in asked)}"),
                told("balances watched", len(balances)),
            ]


def _sum(rows: dict[str, UsageLine]) -> int:
    return sum(row.cost for row in rows.values())


async def _ask_all(gateway: GatewayProcess, key: str, run: Run) -> tuple[list[Asked], list[float]]:
    balances: list[float] = []
    watch = asyncio.create_task(_watch(gateway.base_url, key, balances))
    share = -(-run.size // WORKERS)
    parts = await asyncio.gather(*(_worker(gateway.port, key, run, number, share) for number in range(WORKERS)))
    watch.cancel()
    return [asked for part in parts for asked in part], balances


async def _worker(port: int, key: str, run: Run, number: int, count: int) -> list[Asked]:
    dice, client = run.dice(number), Client(port, key)
    done: list[Asked] = []
    for _ in range(count):
        cases = [dice.choice(CASES) for _ in range(dice.choice((1, 1, 1, dice.randrange(2, 5))))]
        reports = [case.make(dice).decode() for case in cases]
        is_streaming = dice.random() < 0.5
        report = {"report": "\n".join(reports)}
        asked = question(MODEL, max_tokens=MAX_TOKENS, is_streaming=is_streaming, metadata=report)
        reply = await client.chat(asked)
        done.append(Asked(_kind(cases, reports, is_streaming), reports, reply))
    client.leave()
    return done


async def _watch(base_url: str, key: str, balances: list[float]) -> None:
    """Ask for the balance over and over."""
    request = urllib.request.Request(f"{base_url}/v1/credits/balance", headers={"authorization": f"Bearer {key}"})

    def ask() -> float:
        with urllib.request.urlopen(request, timeout=10) as response:
            return float(json.load(response)["balance"])

    while True:
        balances.append(await asyncio.to_thread(ask))
        await asyncio.sleep(WATCH_S)


def _kind(cases: list[Case], reports: list[str], is_streaming: bool) -> str:
    """What several reports come to: in a stream nonsense stays on record, in a body the last key stands."""
    if is_streaming:
        if any(case.kind == "invalid" for case in cases):
            return "invalid"
        counted = [case.kind for case in cases if case.kind != "absent"]
    else:
        counted = [case.kind for case, report in zip(cases, reports, strict=True) if report]
    return counted[-1] if counted else "absent"


def _faults(asked: list[Asked], rows: dict[str, UsageLine]) -> dict[str, list[str]]:
    faults: dict[str, list[str]] = {"not flagged": [], "wrongly flagged": [], "billed": [], "lost": []}
    for one in asked:
        row = rows.get(one.reply.request_id)
        what = f"{one.kind} {one.reports} as {row}"
        if row is None or not one.reply.is_complete:
            faults["lost"].append(f"{what}: {one.reply.status} {bytes(one.reply.body[-200:])!r}")
            continue
        should_flag = one.kind in ("invalid", "overrun")
        if should_flag != row.is_flagged:
            faults["not flagged" if should_flag else "wrongly flagged"].append(what)
        if not _is_billed_right(one, row):
            faults["billed"].append(what)
    return faults


def _is_billed_right(asked: Asked, row: UsageLine) -> bool:
    if asked.kind in ("valid", "overrun"):
        report = next(json.loads(text) for text in reversed(asked.reports) if text not in ("", "null"))
        units_are_right = row.output_tokens == report["completion_tokens"] and not row.is_estimated
        return units_are_right and sum(row.charges) == row.cost
    own_count = {len(WORDS), -(-len("".join(WORDS)) // 4)}
    is_own = row.is_estimated and row.output_tokens in own_count
    at_list = row.input_tokens * INPUT_NANOS + row.output_tokens * OUTPUT_NANOS
    return is_own and row.cost == at_list == sum(row.charges)


SUITE = Suite("negative-usage", "requests", quick=1_000, full=10_000, for_mutants=1_000, run=run)
