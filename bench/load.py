"""The two loads: requests from wrk, and streams from a client process of our own (`bench.streams`)."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec
from tests.upstream.process import ROOT, tethered

from bench.cases import Case
from bench.cpu import cpu_s
from bench.streams import Streamed
from bench.target import CannotMeasure, Target

CONNECTIONS = 64
IDLE_PROBE_S, IDLE_SHARE, IDLE_WITHIN_S = 0.5, 0.05, 45.0
SCRIPT = """
wrk.method = "POST"
wrk.path = "{path}"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer {key}"
wrk.body = [[{body}]]
function done(summary, latency, requests)
    local e = summary.errors
    io.write(string.format(
        '\\nbench {{"requests":%d,"duration_us":%d,"p50_us":%d,"p99_us":%d,"errors":%d,"refused":%d}}\\n',
        summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
        e.connect + e.read + e.write + e.timeout, e.status))
end
"""


class _WrkSummary(msgspec.Struct):
    requests: int
    duration_us: int
    p50_us: int
    p99_us: int
    errors: int
    refused: int


class Requested(msgspec.Struct, frozen=True):
    """What a round of requests cost the target, and how it answered."""

    cpu_us: float
    rps: float
    p50_ms: float
    p99_ms: float


def send_requests(wrk: str, target: Target, case: Case, duration_s: float) -> Requested:
    """Keep 64 connections busy with requests of 1 KB. Raises: CannotMeasure unless every answer was a success."""
    with tempfile.TemporaryDirectory(prefix="kyma-bench-wrk-") as folder:
        script = Path(folder) / "post.lua"
        script.write_text(SCRIPT.format(key=target.key, path=case.path, body=case.plain_body()))
        command = [wrk, "-t1", f"-c{CONNECTIONS}", f"-d{duration_s:g}s", "--latency", "-s", str(script)]
        before = cpu_s(target.pid)
        done = subprocess.run([*command, f"http://127.0.0.1:{target.port}"], capture_output=True, text=True)
        used_s = cpu_s(target.pid) - before
    lines = [line.removeprefix("bench ") for line in done.stdout.splitlines() if line.startswith("bench ")]
    if done.returncode != 0 or not lines:
        raise CannotMeasure(f"wrk failed: {done.stderr.strip() or done.stdout.strip()}")
    summary = msgspec.json.decode(lines[0], type=_WrkSummary)
    if summary.errors or summary.refused or not summary.requests:
        answers = f"{summary.requests} {case.name} requests"
        raise CannotMeasure(f"{target.name}: of {answers} {summary.refused} were refused, {summary.errors} failed")
    return Requested(
        cpu_us=used_s / summary.requests * 1e6,
        rps=summary.requests / summary.duration_us * 1e6,
        p50_ms=summary.p50_us / 1000,
        p99_ms=summary.p99_us / 1000,
    )


class StreamLoad:
    """Streams being held open by a process of their own. A context manager; leaving it hangs all of them up."""

    def __init__(
        self, target: Target, case: Case, *, streams: int, interval_ms: int, patience_s: float, window_s: float
    ) -> None:
        self._target = target
        options = {
            "port": target.port,
            "pid": target.pid,
            "key": target.key,
            "case": case.name,
            "interval-ms": interval_ms,
            "streams": streams,
            "patience-s": patience_s,
            "window-s": window_s,
        }
        flags = [f"--{name}={value}" for name, value in options.items()]
        command = tethered([sys.executable, "-m", "bench.streams", *flags])
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)

    def wait_until_open(self) -> None:
        """Return when every stream has its first event, or patience is at an end."""
        self._line()

    def result(self) -> Streamed:
        """What the window showed. Raises: CannotMeasure if the target refused."""
        streamed = msgspec.json.decode(self._line(), type=Streamed)
        if streamed.refusal:
            raise CannotMeasure(f"{self._target.name} refused a stream: {streamed.refusal}")
        return streamed

    def __enter__(self) -> "StreamLoad":
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.kill()
        self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise CannotMeasure("the stream client ended early")
        return line


def wait_until_idle(target: Target) -> None:
    """Return when the target has let go of a load whose clients have left. Raises: CannotMeasure if it does not."""
    deadline = time.monotonic() + IDLE_WITHIN_S
    while time.monotonic() < deadline:
        before = cpu_s(target.pid)
        time.sleep(IDLE_PROBE_S)
        if cpu_s(target.pid) - before <= IDLE_SHARE * IDLE_PROBE_S:
            return
    raise CannotMeasure(f"{target.name} is still busy {IDLE_WITHIN_S:g} s after its last client left")
