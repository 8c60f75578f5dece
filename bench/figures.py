"""The figures: what each measures, at which size, against which budget."""

from collections.abc import Callable

import msgspec

from bench.cases import CHAT, ROUTED, Case
from bench.cpu import peak_resident_mb, resident_mb
from bench.load import Requested, StreamLoad, send_requests, wait_until_idle
from bench.report import Row, at_most
from bench.rounds import in_turns, spread
from bench.streams import Streamed
from bench.target import CannotMeasure, Target

REQUEST_RATIO, EVENT_RATIO = 5.0, 1.8
ROUTING_RATIO = 1.1
"""What a request may cost where its model has five healthy sources, against one."""
RESIDENT_MB, START_S = 120.0, 1.5
EVENT_INTERVAL_MS, HOLD_INTERVAL_MS = 20, 1000
OPENING_PATIENCE_S, ADMISSION_S = 30.0, 6.0


class Sizes(msgspec.Struct, frozen=True):
    """How long and how often; the numbers of streams are the same in both sizes."""

    rounds: int = 5
    further_rounds: int = 3
    """Of each case after the first."""
    request_s: float = 5.0
    stream_s: float = 5.0
    hold_s: float = 60.0
    starts: int = 5
    paced_streams: int = 500
    held_streams: int = 2000
    busy_streams: int = 1000
    newcomers: int = 1000


QUICK = Sizes(rounds=3, further_rounds=2, request_s=2.0, stream_s=2.0, hold_s=10.0, starts=3)


def measure_start(restart: Callable[[], float], sizes: Sizes) -> list[Row]:
    """From exec to the first 200, on a schema that is already there."""
    times = spread([restart() for _ in range(sizes.starts)])
    return [at_most("start, exec to first 200", times.median, f"{times.text(2)} s", START_S, "s")]


def measure_requests(wrk: str, tested: Target, nginx: Target, case: Case, sizes: Sizes) -> list[Row]:
    """CPU for a non-streamed request of 1 KB, with 64 connections busy; then the memory that is held."""
    send_requests(wrk, tested, case, 1.0)
    send_requests(wrk, nginx, case, 1.0)

    def run(target: Target) -> Requested:
        return send_requests(wrk, target, case, sizes.request_s)

    pairs = in_turns(run, tested, nginx, _rounds(case, sizes))
    ratio = spread([pair.tested.cpu_us / pair.nginx.cpu_us for pair in pairs])
    name = f"{case.name}, request: CPU ratio to nginx"
    return [
        at_most(name, ratio.median, f"{ratio.text(2)} ×", case.budget(REQUEST_RATIO), "× nginx"),
        *_request_rows(tested.name, [pair.tested for pair in pairs]),
        *_request_rows(nginx.name, [pair.nginx for pair in pairs]),
        _resident_row("resident after the requests", resident_mb(tested.pid), tested),
    ]


def measure_routing(wrk: str, tested: Target, sizes: Sizes) -> list[Row]:
    """CPU for the same request to a model with five healthy sources, in turns with one of a single source."""

    def cpu_us(case: Case) -> float:
        return send_requests(wrk, tested, case, sizes.request_s).cpu_us

    for case in (ROUTED, CHAT):
        send_requests(wrk, tested, case, 1.0)
    rounds = [(cpu_us(ROUTED), cpu_us(CHAT)) for _ in range(sizes.rounds)]
    ratio = spread([many / one for many, one in rounds])
    name = f"routing, {ROUTED.sources} sources: CPU ratio to one"
    return [
        at_most(name, ratio.median, f"{ratio.text(2)} ×", ROUTING_RATIO, "× one source"),
        Row(f"  {ROUTED.sources} sources: CPU a request", f"{spread([many for many, _ in rounds]).text()} µs"),
        Row("  one source: CPU a request", f"{spread([one for _, one in rounds]).text()} µs"),
    ]


def measure_streams(tested: Target, nginx: Target, case: Case, sizes: Sizes) -> list[Row]:
    """CPU for one event of 500 streams with an event each 20 ms."""

    def run(target: Target) -> Streamed:
        return _stream(target, case, sizes.paced_streams, EVENT_INTERVAL_MS, sizes.stream_s)

    pairs = in_turns(run, tested, nginx, _rounds(case, sizes))
    ratio = spread([_event_us(pair.tested) / _event_us(pair.nginx) for pair in pairs])
    name = f"{case.name}, stream event: CPU ratio to nginx"
    return [
        at_most(name, ratio.median, f"{ratio.text(2)} ×", case.budget(EVENT_RATIO), "× nginx"),
        *_event_rows(tested.name, [pair.tested for pair in pairs], sizes),
        *_event_rows(nginx.name, [pair.nginx for pair in pairs], sizes),
    ]


def measure_hold(tested: Target, sizes: Sizes) -> list[Row]:
    """2,000 streams with an event each second: none may end or fall silent."""
    held = _stream(tested, CHAT, sizes.held_streams, HOLD_INTERVAL_MS, sizes.hold_s)
    lost = held.asked - held.opened + held.dropped
    value = f"{held.opened} opened, {held.dropped} dropped in {held.window_s:.0f} s"
    return [
        Row(f"hold {held.asked} streams", value, "0 lost", lost == 0),
        _resident_row(f"resident with {held.asked} streams", held.resident_mb, tested),
    ]


def measure_admission(tested: Target, nginx: Target, sizes: Sizes) -> list[Row]:
    """How many newcomers get a first event within 6 s while 1,000 streams are busy."""
    rows = []
    for target in (tested, nginx):
        with StreamLoad(
            target,
            CHAT,
            streams=sizes.busy_streams,
            interval_ms=EVENT_INTERVAL_MS,
            patience_s=OPENING_PATIENCE_S,
            window_s=ADMISSION_S * 3,
        ) as busy:
            busy.wait_until_open()
            came = _newcomers(target, sizes)
        wait_until_idle(target)
        name = f"newcomers beside {sizes.busy_streams} streams, {target.name}"
        value = f"{came.opened} of {came.asked} within 6 s, last {came.last_opened_s:.2f} s"
        is_tested = target is tested
        rows.append(Row(name, value, "all" if is_tested else "", came.opened == came.asked if is_tested else None))
    return rows


def _newcomers(target: Target, sizes: Sizes) -> Streamed:
    with StreamLoad(
        target, CHAT, streams=sizes.newcomers, interval_ms=EVENT_INTERVAL_MS, patience_s=ADMISSION_S, window_s=0
    ) as load:
        load.wait_until_open()
        return load.result()


def _rounds(case: Case, sizes: Sizes) -> int:
    return sizes.rounds if case is CHAT else sizes.further_rounds


def _stream(target: Target, case: Case, streams: int, interval_ms: int, window_s: float) -> Streamed:
    with StreamLoad(
        target, case, streams=streams, interval_ms=interval_ms, patience_s=OPENING_PATIENCE_S, window_s=window_s
    ) as load:
        load.wait_until_open()
        streamed = load.result()
    wait_until_idle(target)
    return streamed


def _event_us(streamed: Streamed) -> float:
    if not streamed.events:
        raise CannotMeasure(f"no event arrived in {streamed.window_s:.1f} s; {streamed.opened} streams were open")
    return streamed.cpu_s / streamed.events * 1e6


def _request_rows(name: str, rounds: list[Requested]) -> list[Row]:
    return [
        Row(f"  {name}: CPU a request", f"{spread([r.cpu_us for r in rounds]).text()} µs"),
        Row(f"  {name}: requests a second", spread([r.rps for r in rounds]).text(0)),
        Row(f"  {name}: latency p50", f"{spread([r.p50_ms for r in rounds]).text(2)} ms"),
        Row(f"  {name}: latency p99", f"{spread([r.p99_ms for r in rounds]).text(2)} ms"),
    ]


def _event_rows(name: str, rounds: list[Streamed], sizes: Sizes) -> list[Row]:
    offered = sizes.paced_streams * 1000 / EVENT_INTERVAL_MS
    arrived = spread([r.events / r.window_s / offered * 100 for r in rounds])
    return [
        Row(f"  {name}: CPU an event", f"{spread([_event_us(r) for r in rounds]).text()} µs"),
        Row(f"  {name}: events arrived in time", f"{arrived.text(0)} %"),
    ]


def _resident_row(name: str, now_mb: float, target: Target) -> Row:
    return at_most(name, now_mb, f"{now_mb:.0f} MB (peak {peak_resident_mb(target.pid):.0f})", RESIDENT_MB, "MB")
