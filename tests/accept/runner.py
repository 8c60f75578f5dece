"""Runs suites, each in a process of its own, and then against copies of the code with a bug planted in each.

A planted bug is found when the suite's figures say so (exit code 1). A suite that breaks has found nothing, and a bug
that can no longer be planted fails the run: mutants follow the code.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path

import msgspec

from tests.accept.child import MET, NOT_MET
from tests.accept.mutants import MUTANTS
from tests.accept.planting import Mutant, MutantLost
from tests.accept.suite import Suite
from tests.accept.suites import SUITES
from tests.upstream.process import ROOT, tethered

SOURCE = ROOT / "src"
FULL_LIMIT_S = 6 * 3600.0


class MutantChoice(Enum):
    """How many planted bugs to try a suite against: one by turns, or all."""

    ROTATE = "rotate"
    ALL = "all"
    NONE = "none"


class Ended(msgspec.Struct, frozen=True):
    """A suite's process that has ended."""

    code: int
    lines: list[str]
    took_s: float

    @property
    def failed_lines(self) -> list[str]:
        return [line.strip() for line in self.lines if line.endswith("FAILED")]


def run_all(names: Sequence[str], seed: int, *, size: int | None, is_full: bool, choice: MutantChoice) -> int:
    """Print each suite's figures, what became of its mutants and its verdict; then the closing line. The exit code."""
    failed = 0
    for name in names:
        suite = SUITES[name]
        reasons = _run_suite(suite, seed, size or (suite.full if is_full else suite.quick), is_full)
        if not reasons:  # a suite that fails anyway would find every mutant
            for mutant in _chosen(name, seed, choice):
                reasons += _run_mutant(suite, seed, mutant)
        print(f"{name}: FAILED, {'; '.join(reasons)}\n" if reasons else f"{name}: ok\n", flush=True)
        failed += bool(reasons)
    print(f"{len(names) - failed} passed, {failed} failed")
    return 1 if failed else 0


def _run_suite(suite: Suite, seed: int, size: int, is_full: bool) -> list[str]:
    print(f"{suite.name}: {size} {suite.unit}, --seed {seed}", flush=True)
    ended = _run_child(suite, seed, size, SOURCE, is_full=is_full)
    print("\n".join(ended.lines[1:]))
    print(f"  {'took':<60} {ended.took_s:>10.1f} s", flush=True)
    if ended.code == MET:
        return []
    return [f"{len(ended.failed_lines)} figures"] if ended.code == NOT_MET else [f"the suite broke ({ended.code})"]


def _chosen(name: str, seed: int, choice: MutantChoice) -> list[Mutant]:
    mutants = [mutant for mutant in MUTANTS if mutant.suite == name]
    match choice:
        case MutantChoice.ALL:
            return mutants
        case MutantChoice.NONE:
            return []
        case MutantChoice.ROTATE:
            return [mutants[seed % len(mutants)]]


def _run_mutant(suite: Suite, seed: int, mutant: Mutant) -> list[str]:
    """Nothing if the bug was found; else why not."""
    with tempfile.TemporaryDirectory(prefix="kyma-mutant-") as folder:
        copy = Path(folder) / "src"
        shutil.copytree(SOURCE / "kyma", copy / "kyma", ignore=shutil.ignore_patterns("__pycache__"))
        try:
            mutant.plant(copy / "kyma")
        except MutantLost as error:
            print(f"  mutant {mutant.name!r}: CANNOT BE PLANTED, {error}", flush=True)
            return [f"mutant {mutant.name!r} cannot be planted"]
        ended = _run_child(suite, seed, suite.for_mutants * mutant.times, copy, is_full=False)
    if ended.code == NOT_MET and ended.failed_lines:
        print(f"  mutant {mutant.name!r}: found in {ended.took_s:.0f} s by: {ended.failed_lines[0][:100]}", flush=True)
        return []
    print("\n".join(f"    {line}" for line in ended.lines))
    verdict = "SURVIVED" if ended.code == MET else f"BROKE THE SUITE ({ended.code})"
    print(f"  mutant {mutant.name!r}: {verdict}", flush=True)
    return [f"mutant {mutant.name!r} {verdict.lower()}"]


def _run_child(suite: Suite, seed: int, size: int, source: Path, *, is_full: bool) -> Ended:
    """One suite against the code in `source`."""
    command = [sys.executable, "-m", "tests.accept.child", suite.name, "--size", str(size), "--seed", str(seed)]
    began = time.monotonic()
    try:
        result = subprocess.run(
            tethered([*command, *(["--full"] if is_full else [])]),
            cwd=ROOT,
            env=_environment(source),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=FULL_LIMIT_S if is_full or size > suite.quick else suite.limit_s,
        )
        code, lines = result.returncode, result.stdout.splitlines()
    except subprocess.TimeoutExpired as error:
        output = error.stdout or b""
        code, lines = -1, output.decode().splitlines() if isinstance(output, bytes) else output.splitlines()
    expected = f"kyma {source / 'kyma'}"
    assert not lines or expected in lines[:1] or code == -1, f"not {expected}, but {lines[:3]}"
    return Ended(code, lines, time.monotonic() - began)


def _environment(source: Path) -> Mapping[str, str]:
    """Ours, with `source` before everything installed; files compiled elsewhere are not taken for its own."""
    return {**os.environ, "PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"}
