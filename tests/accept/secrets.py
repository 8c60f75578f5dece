"""secrets: keys of providers, of customers and of the gateway itself go everywhere they can go; none is ever shown.

Planted are keys in variables, in files and in the database, keys that customers brought, minted tokens, account keys
and the master key; vendors repeat the key they were asked with in words, codes, pages and headers. Searched are
answers, what commands print, files, rows, the log at debug, and what a crash leaves.
"""

import asyncio
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import msgspec

from kyma.core.money import NANOS_PER_USD
from kyma.identity import Registered
from tests.accept import dialects, moved, resting
from tests.accept.client import Client, Question, question
from tests.accept.commands import run_commands
from tests.accept.given_keys import Secrets, ask, bring, environment, mistakes
from tests.accept.keeping import Kept, allow_core_files, crash, look_elsewhere, plant_control, read_all, within
from tests.accept.marks import Marks, search_folder
from tests.accept.stage import gateway_on
from tests.accept.suite import Figure, Run, Suite, at_least, told, zero
from tests.gateway_catalog import FAMILIES, SUFFIXES, ModelSpec, ProviderSpec, RouteSpec, in_family, key_env
from tests.gateway_process import GatewayProcess
from tests.upstream.process import UpstreamProcess

WORKERS = 12
AWAY_S = 0.3
CUSTOMERS = 4
"""Two bring a key for every provider, one for those of the first family; the last one brings none."""

FATES: Mapping[str, str] = {
    "answered": "ok",
    "stalled": "stall",
    **{f"told-{code}": f"tells-key:code={code}" for code in (200, 400, 401, 402, 403, 404, 413, 422, 429, 500, 529)},
    "told-page": "tells-key:code=502,body=html",
    "told-page-in-200": "tells-key:code=200,body=html",
    "told-late": "tells-key:code=500,body=late",
    "cut": "cut:k=2",
    "cut-before": "cut-before",
}
"""What becomes of a request upstream, by its provider and model."""

STORED = "stored"
KEY_HEADERS = ("authorization", "x-api-key", "x-goog-api-key")
ENV = {
    "KYMA_LOG_LEVEL": "debug",
    "KYMA_ABANDONED_DRAIN_S": "1",
    "KYMA_SHUTDOWN_S": "1",
    "KYMA_PROVIDER_KEYS_POLL_S": "0.1",
}
COMMANDS = (
    ("provider-keys", "list"),
    ("provider-keys", "rotate"),
    ("provider-keys", "remove", "pk_1"),
    ("doctor",),
    ("config", "show"),
    ("keys", "list"),
)


SENT = {family: suffix for family, suffix in SUFFIXES.items() if family != "bedrock_converse"}
"""Families whose vendors are sent the key itself; a signature holds none."""


class Told(msgspec.Struct):
    """What was said, to be searched; `foreign` calls went out under somebody else's key, `astray` under ours."""

    answers: list[bytes] = []
    printed: list[bytes] = []
    foreign: list[str] = []
    astray: list[str] = []
    moved: list[str] = []
    failed: list[str] = []
    telling: int = 0
    own_calls: int = 0
    exchanged: int = 0


class _Stage(msgspec.Struct, frozen=True):
    gateway: GatewayProcess
    upstream: UpstreamProcess
    people: Sequence[Registered]
    secrets: Secrets
    brought: Mapping[tuple[int, str], str]
    folder: Path
    told: Told
    found: Kept


def run(run: Run) -> list[Figure]:
    """A vault's random lives, ciphertexts carried about, and one gateway with its customers through everything."""
    dice, control, found, said = run.dice("keys"), Marks.draw(run.dice("control")), Kept(), Told()
    allow_core_files()
    secrets = Secrets.draw(dice, master=f"{dice.getrandbits(256):064x}", pepper=f"{dice.getrandbits(256):064x}")
    rested = resting.live(run, secrets, run.size)
    carried = moved.carry(dice, run.size, secrets.key("own", dice))
    with UpstreamProcess() as upstream, _stage(run, upstream, secrets, control, said, found) as stage:
        _live(stage, run, control)
    found.shown = stage.secrets.found_in("an answer", said.answers)
    return [
        zero("keys left alone for another's fault", rested.wrongly),
        zero("keys used while they rest", rested.used),
        zero("secrets in what a vault says", rested.told),
        zero("refusals that nobody is warned of", 0 if rested.warnings or not rested.parked else 1),
        zero("ciphertexts that do not open in their place", carried.stuck),
        zero("ciphertexts that open elsewhere", carried.opened),
        at_least("ciphertexts carried elsewhere", carried.tried, run.size),
        zero("secrets kept", found.hits),
        zero("secrets in answers", found.shown),
        zero("secrets printed by commands", stage.secrets.found_in("a command", said.printed)),
        zero("calls under another customer's key", said.foreign),
        zero("calls not under the customer's own key", said.astray),
        zero("calls under a key that was moved", said.moved),
        at_least("keys moved in the database", said.exchanged, 2),
        at_least("calls under a customer's own key", said.own_calls, 1),
        at_least("calls whose vendor told the key", said.telling, 1),
        zero("keys that could not be stored, or used", said.failed),
        zero("controls that the search misses", found.missed),
        zero("files open for writing elsewhere", found.elsewhere),
        zero("core files, or room for them", found.cores),
        zero("answers that are a bug of ours", found.bugs),
        at_least("requests", found.requests, run.size),
        told("searched, in megabytes", f"{found.searched_bytes / 1e6:.0f}"),
    ]


@contextmanager
def _stage(
    run: Run, upstream: UpstreamProcess, secrets: Secrets, control: Marks, said: Told, found: Kept
) -> Iterator[_Stage]:
    """Not started yet. What is planted in files lies outside the folder that is searched."""
    dice, folder = run.dice("planted"), run.folder / control.stem
    rows = [ProviderSpec(STORED, upstream.base_url)]
    rows += [in_family(ProviderSpec(fate, upstream.base_url), family) for fate in FATES for family in SENT]
    env = environment(secrets, rows[1:], run.folder / "given", dice) | {key_env(rows[0]): ""}
    env |= {"KYMA_MASTER_KEY": secrets.kinds["master"].stem, "KYMA_PEPPER": secrets.kinds["pepper"].stem}
    brought = {
        (number, row.id): secrets.key("own", dice)
        for number, row in product(range(CUSTOMERS), rows[1:])
        if number < 2 or (number == 2 and row.dialect == FAMILIES[0])
    }
    balances = [1000 * NANOS_PER_USD] * CUSTOMERS
    env |= ENV | within(folder)
    with gateway_on(folder, rows, _models(), balances=balances, env=env, cwd=folder) as (gateway, people):
        keys = {f"account {number}": person.api_key for number, person in enumerate(people)}
        yield _Stage(gateway, upstream, people, secrets.with_exact(**keys), brought, folder, said, found)


def _models() -> list[ModelSpec]:
    made = [
        ModelSpec(fate + suffix, [RouteSpec(fate + suffix, f"script:{script}")])
        for fate, script in FATES.items()
        for suffix in SENT.values()
    ]
    return [*made, ModelSpec(STORED, [RouteSpec(STORED, "script:ok:word=stored")])]


def _live(stage: _Stage, run: Run, control: Marks) -> None:
    """Keys are stored, used, told by vendors and read by everybody; a crash, a stop, and keys that were moved."""
    gateway, dice = stage.gateway, run.dice("asked")
    gateway.start()
    plant_control(control, gateway, stage.people[-1].api_key)
    _bring(stage)
    _check_whose(stage, is_moved=False)
    every = [
        (number, asked)
        for number in range(CUSTOMERS)
        for asked in _questions(fate for fate in FATES if fate != "stalled")
    ]
    dice.shuffle(every)
    asyncio.run(_ask_all(stage, [every[number % len(every)] for number in range(run.size)]))
    stage.told.telling += sum(entry.model.startswith("script:tells-key") for entry in stage.upstream.log())
    for key in (gateway.key, *(person.api_key for person in stage.people)):
        stage.told.answers += read_all(gateway, key).values()
    look_elsewhere(gateway, stage.folder, stage.found)
    stored = stage.secrets.key("ours", dice)
    _run_commands(stage, stored)
    asyncio.run(_crash_under_way(stage))
    stage.found.cores += [path.name for path in stage.folder.rglob("core*")]
    _look(stage, "crashed", control)
    stage.told.exchanged = moved.exchange(gateway.db_path)
    gateway.start()
    _check_whose(stage, is_moved=True)
    _check_stored(stage, stored)
    gateway.terminate()
    _look(stage, "stopped", control)


def _bring(stage: _Stage) -> None:
    """Customers hand their keys over, and whatever can go wrong with that."""
    port = stage.gateway.port
    for (number, provider), own in stage.brought.items():
        answer = bring(port, stage.people[number].api_key, provider, own)
        stage.told.answers.append(answer)
        stage.told.failed += [] if own[-4:].encode() in answer else [answer.decode()]
    (number, provider), own = next(iter(stage.brought.items()))
    wrong = mistakes(own, f"{provider}-gemini")
    stage.told.answers += [ask(port, stage.people[number].api_key, one) for one in wrong]
    stage.told.answers += [ask(port, own, one) for one in _questions(["answered"])]


def _check_whose(stage: _Stage, *, is_moved: bool) -> None:
    """Customer after customer asks the provider that answers; its journal says under whose key."""
    told = stage.told
    for number in range(CUSTOMERS):
        own = {key for (whose, _), key in stage.brought.items() if whose == number}
        stage.upstream.reset()
        asyncio.run(_ask_all(stage, [(number, asked) for asked in _questions(["answered"])]))
        for entry in stage.upstream.log():
            key = next(entry.headers[name] for name in KEY_HEADERS if name in entry.headers).removeprefix("Bearer ")
            is_ours = stage.secrets.kinds["ours"].stem in key
            told.own_calls += key in own
            told.foreign += [] if is_ours or key in own else [f"customer {number} at {entry.dialect}"]
            told.moved += [f"customer {number} at {entry.dialect}"] if is_moved and not is_ours else []
            has_own = any(whose == number and SUFFIXES[entry.dialect] == _suffix(at) for whose, at in stage.brought)
            told.astray += [f"customer {number} at {entry.dialect}"] if has_own and is_ours and not is_moved else []


def _run_commands(stage: _Stage, secret: str) -> None:
    """The operator stores a key, rightly and wrongly, and looks at everything."""
    add = ("provider-keys", "add", STORED)
    adding = [(add, given) for given in (secret, f"{secret} x", f"{secret}\n{secret}")]
    printed = run_commands(stage.gateway, [*adding, *((words, "") for words in COMMANDS)])
    stage.told.failed += [] if printed.count(b" is stored") == 1 else [printed.decode()]
    stage.told.printed.append(printed)


def _check_stored(stage: _Stage, secret: str) -> None:
    """A provider that is on for a stored key alone is asked with that."""
    stage.upstream.reset()
    asyncio.run(_ask_all(stage, [(CUSTOMERS - 1, question(STORED))]))
    keys = [entry.headers["authorization"] for entry in stage.upstream.log()]
    stage.told.failed += [] if keys == [f"Bearer {secret}"] else [f"{len(keys)} calls to {STORED}"]


def _suffix(provider: str) -> str:
    return next((suffix for suffix in SENT.values() if suffix and provider.endswith(suffix)), "")


def _questions(fates: Iterator[str] | Sequence[str]) -> list[Question]:
    """In every dialect, whole and streamed, for every family."""
    places = product(fates, SENT.values(), dialects.ALL, (False, True))
    return [question(f + suffix, dialect=one, is_streaming=streams) for f, suffix, one, streams in places]


async def _ask_all(stage: _Stage, asked: Sequence[tuple[int, Question]]) -> None:
    waiting = iter(asked)

    async def work() -> None:
        for number, one in waiting:
            client = Client(stage.gateway.port, stage.people[number].api_key)
            reply = await client.chat(one)
            client.leave()
            stage.found.requests += 1
            stage.found.bugs += [f"{one.path}: {bytes(reply.body[:200])!r}"] if reply.status == 500 else []
            stage.told.answers.append(repr(reply.headers).encode() + bytes(reply.body))

    await asyncio.gather(*(work() for _ in range(WORKERS)))


async def _crash_under_way(stage: _Stage) -> None:
    """Streams and whole answers are under way when the gateway aborts."""
    people = [stage.people[number % CUSTOMERS] for number, _ in enumerate(_questions(["stalled"]))]
    clients = [Client(stage.gateway.port, person.api_key) for person in people]
    asked = zip(clients, _questions(["stalled"]), strict=True)
    overs = [await client.post(one, lambda reply: bool(reply.words)) for client, one in asked]
    await asyncio.wait(overs, timeout=AWAY_S)
    await asyncio.to_thread(crash, stage.gateway)
    for client in clients:
        client.leave()


def _look(stage: _Stage, moment: str, control: Marks) -> None:
    """Search all of the gateway's folder; what stands there on purpose must be found, or the search is blind."""
    stage.found.hits += [f"{moment}: {hit}" for hit in stage.secrets.found_below(stage.folder)]
    stage.found.searched_bytes += sum(path.stat().st_size for path in stage.folder.rglob("*") if path.is_file())
    places = [hit.where for hit in search_folder(control, stage.folder)]
    for place in (f"data{os.sep}kyma.db", "gateway.log"):
        stage.found.missed += [] if any(place in where for where in places) else [f"{moment}: the control in {place}"]


SUITE = Suite("secrets", "requests", quick=420, full=6_000, for_mutants=120, run=run)
