"""pages: a real browser, with no way to any other host, draws the served document at /docs.

It counts what was drawn and reads the browser's console, where refusals of the page's own policy are told.
"""

import json
import re
import subprocess
import urllib.request
from pathlib import Path

from bench.tools import ensure_tools

from tests.accept.stage import gateway_on
from tests.accept.suite import Figure, Run, Suite, at_least, told, zero

BROWSER = {"chromium": "chromium"}
DRAWN_WITHIN_S = 60.0
VIRTUAL_MS = 20_000
ALONE = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"
"""No name is resolved but the gateway's address."""


def run(run: Run) -> list[Figure]:
    program = ensure_tools(BROWSER)["chromium"]
    with gateway_on(run.folder / "gateway", [], [], balances=()) as (gateway, _):
        gateway.start()
        with urllib.request.urlopen(f"{gateway.base_url}/v1/openapi.json", timeout=10) as response:
            document = json.load(response)
        operations = {said["operationId"] for item in document["paths"].values() for said in item.values()}
        pages, complaints = [], []
        for number in range(run.size):
            page, said = _draw(program, f"{gateway.base_url}/docs", run.folder / f"profile-{number}")
            pages.append(page)
            complaints += said
    drawn = [set(re.findall(r'id="operations-(?!tag-)[^"]*-(\w+)"', page)) for page in pages]
    return [
        told("operations in the document", len(operations)),
        at_least("of them drawn", min(len(found & operations) for found in drawn), len(operations)),
        zero("operations drawn that are not in it", sorted(set().union(*drawn) - operations)),
        zero("complaints of the browser", complaints),
    ]


def _draw(program: str, address: str, profile: Path) -> tuple[str, list[str]]:
    """The page as it stands when its scripts have run, and what the browser's console has of it."""
    profile.mkdir(parents=True)
    switches = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--enable-logging=stderr"]
    command = [program, *switches, ALONE, f"--user-data-dir={profile}", f"--virtual-time-budget={VIRTUAL_MS}"]
    done = subprocess.run(
        [*command, "--dump-dom", address], capture_output=True, text=True, timeout=DRAWN_WITHIN_S, check=True
    )
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


SUITE = Suite("pages", "drawings", quick=1, full=5, for_mutants=1, run=run, runs_by_name_only=True)
