"""failover-dead: sources that die, hang, brown out or are busy for a while, under a steady stream of requests.

Times are those of the design, shortened in quick runs together with the breaker's, so that the shape stays: what is
dead is found within three seconds, nobody notices, and it serves again soon after it is back.
"""

import asyncio
import functools
import json
import os
import signal
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import msgspec

from kyma.core.money import NANOS_PER_USD
from tests.accept.client import Client, Reply, question
from tests.accept.dialects import CHAT
from tests.accept.stage import audit, gateway_on, pending_holds
from tests.accept.suite import Figure, Run, Suite, at_least, at_most, told, zero
from tests.gateway_catalog import ModelSpec, ProviderSpec, RouteSpec
from tests.gateway_process import GatewayProcess
from tests.upstream.process import UpstreamProcess

REQUESTS_A_SECOND = 50
CUSTOMERS = 48
GOOD = "script:ok:tokens=3"
BROWN = "script:flaky:p=0.8,busy=0,tokens=3"
MODELS = ("hanging", "dead", "busy", "brown-out")
SCRIPTS = {"hanging": GOOD, "dead": GOOD, "busy": "script:busy-at-times:tokens=3"}
FAILED = {"hanging": 0.0001, "dead": 0.0001, "busy": 0.0001, "brown-out": 0.001}
DETECTED_WITHIN_S, ADDED_P99_MS = 3.0, 500.0
BACK_WITHIN_S = {"hanging": 4.0, "dead": 4.0, "busy": 1.8}
"""A breaker that has opened twice in a short run, and a key that was to rest for a second, each with some to spare."""
FULL_BACK_WITHIN_S = {"hanging": 120.0, "dead": 120.0, "busy": 1.8}
PROBES_A_SECOND = 3
TROUBLE = {"hanging": (0.3, 0.6), "dead": (0.3, 0.6), "busy": (0.1, 0.75), "brown-out": (0.0, 1.0)}
"""When it begins and ends, in shares of the phase: 60 of 200 s where the primary is gone."""


class Answer(msgspec.Struct, frozen=True):
    """One request: when it was sent, in seconds of its phase, what came and after how long."""

    sent_s: float
    took_ms: float
    is_good: bool
    layer: str
    said: str


class Phase(msgspec.Struct, frozen=True):
    """All answers of a phase; between `from_s` and `to_s` something was wrong with the primary."""

    answers: list[Answer]
    from_s: float
    to_s: float

    @property
    def failed(self) -> list[str]:
        return [answer.said for answer in self.answers if not answer.is_good]

    @property
    def detected_s(self) -> float:
        """From the trouble's begin until it held up nobody but the probes, for a second at least."""
        during = sorted(
            (one.sent_s, one.took_ms > ADDED_P99_MS) for one in self.answers if self.from_s <= one.sent_s < self.to_s
        )
        for place, (sent_s, _) in enumerate(during):
            if sum(is_slow for _, is_slow in during[place : place + REQUESTS_A_SECOND]) <= PROBES_A_SECOND:
                return sent_s - self.from_s
        return self.to_s - self.from_s

    @property
    def back_s(self) -> float:
        """From the trouble's end to the primary's first answer after it."""
        back = [one.sent_s for one in self.answers if one.sent_s >= self.to_s and one.layer == "0"]
        return min(back, default=float("inf")) - self.to_s

    def added_p99_ms(self) -> float:
        """What the 99th percentile of requests is longer while the trouble lasts and is known, than before it."""
        settled_s = self.from_s + DETECTED_WITHIN_S
        before = [one.took_ms for one in self.answers if one.sent_s < self.from_s]
        during = [one.took_ms for one in self.answers if settled_s <= one.sent_s < self.to_s]
        if not (before and during):
            return 0.0
        return _p99(during) - _p99(before)


class Trouble:
    """What can be done to the primaries, each for so many seconds."""

    def __init__(self, starter: ThreadPoolExecutor) -> None:
        self._starter = starter  # its thread lives on: a child ends with the thread that started it
        self.primaries = {name: UpstreamProcess() for name in MODELS}
        self.counted_faults = 0
        """Against a source that was busy, and nothing else."""

    async def hanging(self, seconds: float) -> None:
        os.kill(self.primaries["hanging"].pid, signal.SIGSTOP)
        await asyncio.sleep(seconds)
        os.kill(self.primaries["hanging"].pid, signal.SIGCONT)

    async def dead(self, seconds: float) -> None:
        primary = self.primaries["dead"]
        primary.stop()
        await asyncio.sleep(seconds)
        start = functools.partial(UpstreamProcess, primary.port)
        self.primaries["dead"] = await asyncio.get_running_loop().run_in_executor(self._starter, start)

    async def busy(self, gateway: GatewayProcess, seconds: float) -> None:
        await asyncio.to_thread(self.primaries["busy"].be_busy, True)
        await asyncio.sleep(seconds)
        self.counted_faults = await asyncio.to_thread(_faults_of, gateway, "busy-primary")
        await asyncio.to_thread(self.primaries["busy"].be_busy, False)

    async def brown_out(self, seconds: float) -> None:
        """Its sources fail all the time."""

    def end(self) -> None:
        for primary in self.primaries.values():
            primary.stop()


def run(run: Run) -> list[Figure]:
    """All phases at once, each on a model of its own, for `size` seconds."""
    settings = {"KYMA_BREAKER_OPEN_S": "30" if run.is_full else "2"}
    with ThreadPoolExecutor(1) as starter:
        trouble = Trouble(starter)
        try:
            providers, models = _catalog(trouble.primaries)
            balances = [10_000 * NANOS_PER_USD]
            with gateway_on(run.folder, providers, models, balances=balances, env=settings) as (gateway, (person,)):
                gateway.start()
                phases = asyncio.run(_phases(gateway, person.api_key, run.size, trouble))
                gateway.terminate()
                return [
                    *(
                        figure
                        for name, phase in zip(MODELS, phases, strict=True)
                        for figure in _figures(name, phase, run.is_full)
                    ),
                    zero("busy: answers counted as faults of the source", trouble.counted_faults),
                    zero("violations of the books", audit(gateway.db_path)),
                    zero("leases left", pending_holds(gateway.db_path)),
                ]
        finally:
            trouble.end()


async def _phases(gateway: GatewayProcess, key: str, seconds: float, trouble: Trouble) -> list[Phase]:
    port = gateway.port
    phases = await asyncio.gather(
        _phase(port, key, "hanging", seconds, trouble.hanging, is_streaming=True),
        _phase(port, key, "dead", seconds, trouble.dead),
        _phase(port, key, "busy", seconds, functools.partial(trouble.busy, gateway)),
        _phase(port, key, "brown-out", seconds, trouble.brown_out),
    )
    return list(phases)


def _figures(name: str, phase: Phase, is_full: bool) -> list[Figure]:
    share = len(phase.failed) / len(phase.answers)
    first = f", first: {phase.failed[0]}" if phase.failed else ""
    figures = [
        at_most(f"{name}: share of requests that failed{first}", share, FAILED[name]),
        told(f"{name}: requests", len(phase.answers)),
    ]
    if name == "brown-out":
        return figures
    limit_s = BACK_WITHIN_S[name] if not is_full else FULL_BACK_WITHIN_S[name]
    fell_back = sum(one.layer == "1" for one in phase.answers)
    return [
        *figures,
        at_most(f"{name}: seconds until it held up nobody", phase.detected_s, DETECTED_WITHIN_S),
        at_most(f"{name}: added to p99 once it was known, ms", phase.added_p99_ms(), ADDED_P99_MS),
        at_most(f"{name}: seconds until it served again", phase.back_s, limit_s),
        at_least(f"{name}: answers of the first other source", fell_back, 1),
    ]


def _catalog(primaries: Mapping[str, UpstreamProcess]) -> tuple[list[ProviderSpec], list[ModelSpec]]:
    """For each phase a primary of its own and another source; for the brown-out five equal ones, three of them bad."""
    good = primaries["brown-out"].base_url
    providers = [ProviderSpec(f"{name}-primary", primaries[name].base_url) for name in MODELS[:3]]
    providers += [ProviderSpec(f"{name}-spare", good) for name in MODELS[:3]]
    providers += [ProviderSpec(f"brown{number}", good) for number in range(5)]
    models = [
        ModelSpec(name, [RouteSpec(f"{name}-primary", SCRIPTS[name]), RouteSpec(f"{name}-spare", GOOD)])
        for name in MODELS[:3]
    ]
    scripts = [*(f"{BROWN},seed={number}" for number in range(3)), GOOD, GOOD]
    routes = [RouteSpec(f"brown{number}", script, {"weight": 1.0}) for number, script in enumerate(scripts)]
    return providers, [*models, ModelSpec("brown-out", routes)]


async def _phase(
    port: int,
    key: str,
    model: str,
    seconds: float,
    wreck: Callable[[float], Awaitable[None]],
    *,
    is_streaming: bool | None = None,
) -> Phase:
    """Steady requests for so long, streamed and whole by turns; a third into it `wreck` is run for its share."""
    answers: list[Answer] = []
    began = time.monotonic()
    from_s, to_s = (seconds * share for share in TROUBLE[model])
    clients = [Client(port, key) for _ in range(CUSTOMERS)]

    async def customer(number: int) -> None:
        turn = number
        while (due_s := turn / REQUESTS_A_SECOND) < seconds:
            await asyncio.sleep(max(0.0, began + due_s - time.monotonic()))
            streams = turn % 2 == 0 if is_streaming is None else is_streaming
            sent = time.monotonic()
            reply = await clients[number].chat(question(model, dialect=CHAT, is_streaming=streams))
            answers.append(_answer(sent - began, (time.monotonic() - sent) * 1000, reply))
            turn += CUSTOMERS

    async def trouble() -> float:
        await asyncio.sleep(began + from_s - time.monotonic())
        await wreck(to_s - from_s)
        return time.monotonic() - began

    troubled = asyncio.create_task(trouble())
    await asyncio.gather(*(customer(number) for number in range(CUSTOMERS)))
    ended_s = await troubled
    for client in clients:
        client.leave()
    return Phase(answers, from_s, ended_s)


def _faults_of(gateway: GatewayProcess, provider: str) -> int:
    """What the gateway has counted of late against the sources of a provider, as `kyma routes` tells it."""
    told = json.loads(gateway.cli("routes", "--json", "--provider", provider).stdout)
    return sum(row["recent_failures"] for row in told["data"])


def _answer(sent_s: float, took_ms: float, reply: Reply) -> Answer:
    said = "" if reply.is_complete else f"{reply.status} {bytes(reply.body[:200])!r}"
    return Answer(sent_s, took_ms, reply.is_complete, reply.headers.get("x-kyma-fallback-layer", "0"), said)


def _p99(samples: list[float]) -> float:
    return statistics.quantiles(samples, n=100)[98] if len(samples) > 1 else samples[0]


SUITE = Suite("failover-dead", "seconds a phase", quick=12, full=200, for_mutants=12, run=run)
