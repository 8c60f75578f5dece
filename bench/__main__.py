"""`python -m bench [--quick] [--only NAME] [--case NAME]`: measure, print the table, exit 0; 1 if it could not."""

import argparse
import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.upstream.process import ROOT, tethered

from bench import figures, usage
from bench.cases import BY_NAME, CASES, Case
from bench.cores import keep_off_the_target
from bench.gateway import running_gateway
from bench.nginx import running_nginx
from bench.report import Row, render
from bench.target import CannotMeasure, Target
from bench.tools import ToolMissing, ensure_tools

FIGURES = ("start", "requests", "routing", "streams", "hold", "admission")
BY_NAME_ONLY = ("usage",)
"""Minutes and gigabytes, and nginx has no part in them."""


def main() -> int:
    """Read the options and measure what they name."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument(
        "--only", action="append", choices=FIGURES + BY_NAME_ONLY, help="measure this one; may be repeated"
    )
    parser.add_argument("--case", action="append", choices=BY_NAME, help="of requests and streams; may be repeated")
    parser.add_argument("--unpinned", action="store_true", help="let target, mock and load share all cores")
    parser.add_argument("--noise", action="store_true", help="nginx against nginx: what the pairing itself is worth")
    asked = parser.parse_args()
    _raise_open_files()
    is_pinned = not asked.unpinned and keep_off_the_target()
    names = tuple(name for name in FIGURES if not asked.only or name in asked.only)
    cases = tuple(case for case in CASES if not asked.case or case.name in asked.case)
    rows: list[Row] = []
    failure: Exception | None = None
    try:
        if names:
            _measure(names, cases, figures.QUICK if asked.quick else figures.Sizes(), asked.noise, rows)
        if "usage" in (asked.only or ()):
            _say("usage")
            rows += usage.measure_usage(usage.QUICK if asked.quick else usage.Sizes())
    except (ToolMissing, CannotMeasure) as error:
        failure = error
    if rows:
        print(render(rows, is_quick=asked.quick, is_pinned=is_pinned, noise_of_nginx=asked.noise))
    if failure is not None:
        print(f"bench: could not measure: {failure}", file=sys.stderr)
    return 0 if failure is None else 1


def _measure(
    names: tuple[str, ...], cases: tuple[Case, ...], sizes: figures.Sizes, is_noise: bool, rows: list[Row]
) -> None:
    """Add to `rows` what each name yields, so that a failure keeps the rows before it."""
    tools = ensure_tools()
    with ExitStack() as stack:
        mock_port = stack.enter_context(_running_mock())
        nginx = stack.enter_context(running_nginx(tools["nginx"], mock_port))
        if is_noise:
            tested = stack.enter_context(running_nginx(tools["nginx"], mock_port, "nginx (tested)"))
        else:
            gateway = stack.enter_context(running_gateway(mock_port))
            if "start" in names:
                _say("start")
                rows += figures.measure_start(gateway.restart, sizes)
            tested = gateway.target
        for name in names:
            if name in ("requests", "streams"):
                for case in cases:
                    _say(f"{name} of {case.name}")
                    rows += _measure_case(name, tools["wrk"], tested, nginx, case, sizes)
            elif name == "routing" and not is_noise:
                _say(name)
                rows += figures.measure_routing(tools["wrk"], tested, sizes)
            elif name == "hold":
                _say(name)
                rows += figures.measure_hold(tested, sizes)
            elif name == "admission":
                _say(name)
                rows += figures.measure_admission(tested, nginx, sizes)


def _measure_case(name: str, wrk: str, tested: Target, nginx: Target, case: Case, sizes: figures.Sizes) -> list[Row]:
    if name == "requests":
        return figures.measure_requests(wrk, tested, nginx, case, sizes)
    return figures.measure_streams(tested, nginx, case, sizes)


@contextmanager
def _running_mock() -> Iterator[int]:
    command = tethered([sys.executable, "-m", "bench.mock"])
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["port"]
        finally:
            process.terminate()


def _raise_open_files() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _say(name: str) -> None:
    print(f"bench: measuring {name} …", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
