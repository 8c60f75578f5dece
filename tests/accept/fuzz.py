"""fuzz: schemathesis plays the served document against a live gateway, right requests and wrong ones, every operation.

The caller is the operator, so that every operation is open, with credit for all of it and no rate limits. Whatever is
asked of a model served here is answered by a scripted upstream, so that a five-hundred, 503 too, is a finding.
"""

import json
import os
import subprocess
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from kyma.core.model import Kind
from tests.accept.fuzz_hooks import CHAT, SERVED
from tests.accept.stage import audit, gateway_on
from tests.accept.suite import Figure, Run, Suite, at_least, told, zero
from tests.gateway_catalog import ModelSpec, ProviderSpec, RouteSpec, in_family
from tests.gateway_process import GatewayProcess
from tests.upstream.process import ROOT, UpstreamProcess

Json = Any

FIVE_HUNDREDS = ("ST101", "ST102")
STATUSES = ("ST103",)
TYPES_AND_HEADERS = ("ST104", "ST105", "ST106", "ST107")
FORMS = ("ST108", "ST109", "ST110", "ST111")
TAKEN, REFUSED = ("ST201",), ("ST202",)
"""What schemathesis calls its findings. The last two are told: a document cannot say every rule, and codecs of chats
pass on what they do not know."""

FAMILIES = ("openai_chat", "anthropic_messages", "gemini")
KINDS: Sequence[Kind] = ("embedding", "rerank", "moderation")
QUICK_PHASES, FULL_PHASES = "examples,fuzzing", "examples,coverage,fuzzing,stateful"
ABLE = {"supports": ["tools", "vision", "reasoning", "structured_outputs"], "image_tokens": 100}
ALIASES = f'[best]\ntargets = ["{CHAT}"]\nsource = "tests"\n'
SEEDS = 2**32


def run(run: Run) -> list[Figure]:
    with UpstreamProcess() as upstream:
        providers = [in_family(ProviderSpec("fuzz", upstream.base_url), dialect) for dialect in FAMILIES]
        with gateway_on(run.folder / "gateway", providers, _models(providers), balances=()) as (gateway, _):
            (gateway.config_dir / "aliases.toml").write_text(ALIASES)
            gateway.start()
            report = _play(gateway, run)
            failed = [line for line in gateway.log().splitlines() if "Traceback" in line]
            gateway.terminate()
            violations = audit(gateway.db_path)
    return [*_figures(report), zero("exceptions in the gateway's log", failed), zero("faults of the books", violations)]


def _models(providers: Sequence[ProviderSpec]) -> list[ModelSpec]:
    """One that chats, with a source of every family, so that no form of request is left without one; and the others."""
    chat = ModelSpec(CHAT, [RouteSpec(provider.id, "script:ok") for provider in providers], fields=ABLE)
    assert set(SERVED.values()) == {f"{CHAT}-{kind}" for kind in KINDS}
    others = [
        ModelSpec(f"{CHAT}-{kind}", [RouteSpec(providers[0].id, "script:ok")], fields={"kind": kind, "supports": []})
        for kind in KINDS
    ]
    return [chat, *others]


def _play(gateway: GatewayProcess, run: Run) -> Json:
    """Schemathesis' own report of its run."""
    path = run.folder / "report.json"
    program = Path(sys.executable).with_name("schemathesis")
    choices = {
        "--seed": run.seed % SEEDS,
        "--max-examples": run.size,
        "--phases": FULL_PHASES if run.is_full else QUICK_PHASES,
        "--generation-database": "none",
        "--suppress-health-check": "all",
        "--warnings": "off",
        "--report-json-path": path,
        "--header": f"Authorization: Bearer {gateway.key}",
    }
    command = [str(program), "run", f"{gateway.base_url}/v1/openapi.json", "--continue-on-failure", "--no-shrink"]
    done = subprocess.run(
        [*command, *(str(word) for choice in choices.items() for word in choice)],
        cwd=run.folder,
        env=os.environ | {"SCHEMATHESIS_HOOKS": "tests.accept.fuzz_hooks", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert path.exists(), done.stdout[-2000:] + done.stderr[-2000:]
    report: Json = json.loads(path.read_text())
    return report


def _figures(report: Json) -> list[Figure]:
    findings, operations = report["failures"], report["operations"]
    named = {*FIVE_HUNDREDS, *STATUSES, *TYPES_AND_HEADERS, *FORMS, *TAKEN, *REFUSED}
    others = {finding["code"] for finding in findings} - named
    return [
        told("requests", report["test_cases"]["generated"]),
        at_least("operations tried", operations["tested"], operations["total"]),
        zero("operations that five-hundreds came from", _found(findings, FIVE_HUNDREDS)),
        zero("operations with undocumented statuses", _found(findings, STATUSES)),
        zero("operations with other types or headers", _found(findings, TYPES_AND_HEADERS)),
        zero("operations with answers of another form", _found(findings, FORMS)),
        zero("operations with other findings", _found(findings, others)),
        zero("faults of schemathesis itself", report["errors"]),
        told("operations that take what is forbidden", len(_found(findings, TAKEN))),
        told("operations that refuse what is allowed", len(_found(findings, REFUSED))),
    ]


def _found(findings: Json, codes: Collection[str]) -> list[str]:
    return [
        f"{operation} ({finding['title']})"
        for finding in findings
        if finding["code"] in codes
        for operation in finding["operations"]
    ]


SUITE = Suite("fuzz", "examples an operation", quick=5, full=100, for_mutants=10, run=run)
