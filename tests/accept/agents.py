"""agents: Claude Code, Codex, opencode and aider, each told to change a line of a file, through a real gateway.

The model is the scripted upstream (`tests/upstream/editing.py`): it uses the tools that the agent offers and notices
when the conversation comes back changed. Each agent runs on an account, in folders and behind a tap of its own.
"""

import asyncio
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random

import msgspec

from kyma.core.money import NANOS_PER_USD
from kyma.identity import Registered
from tests.accept.agent_install import installed_agents
from tests.accept.agent_programs import AGENTS, Agent, Place
from tests.accept.stage import (
    INPUT_NANOS,
    OUTPUT_NANOS,
    UsageLine,
    audit,
    gateway_on,
    pending_holds,
    posted,
    read_usage,
)
from tests.accept.suite import Figure, Run, Suite, told, zero
from tests.accept.wiretap import Heard, Tap, Trap
from tests.gateway_catalog import FAMILIES, ModelSpec, ProviderSpec, RouteSpec, in_family
from tests.gateway_process import GatewayProcess
from tests.upstream.editing import wish
from tests.upstream.journal import Entry
from tests.upstream.process import UpstreamProcess, tethered

AT_ONCE = 2
AGENT_LIMIT_S = 120.0
GRANT = NANOS_PER_USD
LINES = ("The first line", "The second line", "The third line")
PIECES = ("größer", '"7"', "\\n", "{x}", "$HOME", "`ls`", "😀", "<b>&amp;</b>", "%d", "日本", "it's", "a  b", "*/")
"""What is easily lost on the way: quotes, escapes, what shells and markup care for, characters of many bytes."""


class Errand(msgspec.Struct, frozen=True):
    """One agent on one family of upstreams. `script` is this errand's alone: by it the upstream's log is told apart."""

    agent: Agent
    family: str
    script: str
    new: str

    @property
    def name(self) -> str:
        return f"{self.agent.name} on {self.family}"


class Done(msgspec.Struct):
    """How it went: exit code (None: it did not end), its last words, the file, whom it asked."""

    errand: Errand
    code: int | None
    output: str
    text: str
    heard: list[Heard]
    wanted: list[str]


class Found(msgspec.Struct):
    """What is wrong, by figure."""

    codes: list[str] = []
    files: list[str] = []
    answers: list[str] = []
    bills: list[str] = []
    thoughts: list[str] = []
    calls_home: list[str] = []
    books: list[str] = []


def run(run: Run) -> list[Figure]:
    """Every agent on one family after the other, as far as the size goes; then again with other texts and by shell."""
    programs, found, done = installed_agents(), Found(), list[Done]()
    with UpstreamProcess() as upstream:
        for start in range(0, run.size, len(AGENTS)):
            number = start // len(AGENTS)
            errands = _errands(number, run.dice(number))[: run.size - start]
            upstream.reset()
            done += _round(run.folder / str(number), upstream, programs, errands, found)
    return [
        zero("agents that did not end with 0", found.codes),
        zero("files that are not as they should be", found.files),
        zero("answers of the gateway that are no 2xx", found.answers),
        zero("calls without one exact charge", found.bills),
        zero("signed thoughts that did not come back", found.thoughts),
        zero("attempts to reach anybody else", found.calls_home),
        zero("violations of the books and leases left", found.books),
        told("agent runs", len(done)),
        told("requests", sum(len(one.heard) for one in done)),
        *(told(one.errand.name, _reported(one)) for one in done),
    ]


def _errands(number: int, dice: Random) -> list[Errand]:
    family = FAMILIES[number % len(FAMILIES)]
    shell = number // len(FAMILIES) % 2
    return [
        Errand(agent, family, f"script:edit:shell={shell},word=e{index}x", " ".join(dice.sample(PIECES, 6)))
        for index, agent in enumerate(AGENTS)
    ]


def _round(
    folder: Path, upstream: UpstreamProcess, programs: Mapping[str, Path], errands: Sequence[Errand], found: Found
) -> list[Done]:
    provider = in_family(ProviderSpec("source", upstream.base_url), errands[0].family)
    models = [ModelSpec(errand.agent.model, [RouteSpec(provider.id, errand.script)]) for errand in errands]
    with gateway_on(folder / "gateway", [provider], models, balances=[GRANT] * len(errands)) as (gateway, people):
        gateway.start()
        done = asyncio.run(_run_all(folder, gateway, people, programs, errands))
        gateway.terminate()
        rows = read_usage(gateway.db_path)
        for one, person in zip(done, people, strict=True):
            own = [row for row in rows if row.account_id == person.account_id]
            _check(one, found)
            _check_bill(one, own, upstream.log(one.errand.script), found)
            if posted(gateway.db_path, person.account_id) != GRANT - sum(row.cost for row in own):
                found.bills.append(f"{one.errand.name}: the balance is not what was granted less what was used")
        found.books += audit(gateway.db_path) + ["leases left"] * pending_holds(gateway.db_path)
    return done


async def _run_all(
    folder: Path,
    gateway: GatewayProcess,
    people: Sequence[Registered],
    programs: Mapping[str, Path],
    errands: Sequence[Errand],
) -> list[Done]:
    places = asyncio.Semaphore(AT_ONCE)

    async def run_one(errand: Errand, person: Registered) -> Done:
        async with places, Tap(gateway.port) as tap, Trap() as trap:
            code, output, text = await _run_agent(
                folder / errand.agent.name, programs, errand, tap, trap, person.api_key
            )
            return Done(errand, code, output, text, tap.heard, trap.wanted)

    return await asyncio.gather(*map(run_one, errands, people))


async def _run_agent(
    folder: Path, programs: Mapping[str, Path], errand: Errand, tap: Tap, trap: Trap, key: str
) -> tuple[int | None, str, str]:
    """Exit code, output and what the file says afterwards."""
    home, work = folder / "home", folder / "work"
    home.mkdir(parents=True)
    work.mkdir()
    file = work / "notes.txt"
    file.write_text("\n".join((*LINES, "")))
    prompt = wish(str(file), LINES[1], errand.new)
    start = errand.agent.start(Place(f"http://127.0.0.1:{tap.port}", key, errand.agent.model, home, work, file, prompt))
    for path, text in start.files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    process = await asyncio.create_subprocess_exec(
        *tethered([str(programs[start.program]), *start.arguments]),
        cwd=work,
        env={**_environment(home, trap.port), **start.env},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(start.stdin.encode()), AGENT_LIMIT_S)
    except TimeoutError:
        return None, "", file.read_text()
    finally:
        with suppress(ProcessLookupError):  # what it may have left behind
            os.killpg(process.pid, signal.SIGKILL)
    return process.returncode, output.decode(errors="replace"), file.read_text()


def _environment(home: Path, trap_port: int) -> dict[str, str]:
    """Nothing of ours but the path; whoever wants to leave the loopback runs into the trap."""
    proxy = f"http://127.0.0.1:{trap_port}"
    proxies = {name: proxy for plain in ("http_proxy", "https_proxy", "all_proxy") for name in (plain, plain.upper())}
    direct = {"no_proxy": "127.0.0.1,localhost", "NO_PROXY": "127.0.0.1,localhost"}
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", **proxies, **direct}


def _check(one: Done, found: Found) -> None:
    if one.code != 0:
        found.codes.append(f"{one.errand.name} ended with {one.code}: {one.output[-500:]!r}")
    if one.text != "\n".join((LINES[0], one.errand.new, LINES[2], "")):
        found.files.append(f"{one.errand.name}: {one.text!r} for {one.errand.new!r}; it said {one.output[-500:]!r}")
    found.answers += [f"{one.errand.name}: {heard}" for heard in one.heard if not heard.is_good]
    found.calls_home += [f"{one.errand.name}: {wanted}" for wanted in one.wanted]


def _check_bill(one: Done, rows: list[UsageLine], log: list[Entry], found: Found) -> None:
    """Requests, upstream calls and usage rows are the same ones, and every row is charged once, to the nano-dollar."""
    counts = sorted((entry.prompt_tokens, entry.tokens_sent) for entry in log)
    if (
        not rows
        or len(rows) != len(one.heard)
        or counts != sorted((row.input_tokens, row.output_tokens) for row in rows)
    ):
        found.bills.append(f"{one.errand.name}: {len(one.heard)} requests, the upstream counted {counts}, we {rows}")
    for row in rows:
        price = row.input_tokens * INPUT_NANOS + row.output_tokens * OUTPUT_NANOS
        is_plain = row.status == "finished" and not row.is_estimated and not row.is_flagged
        if not is_plain or row.cost != price or row.charges != (row.cost,):
            found.bills.append(f"{one.errand.name}: {row}")
    if one.errand.family in one.errand.agent.keeps_thoughts_of and not any(entry.signed for entry in log):
        found.thoughts.append(one.errand.name)


def _reported(one: Done) -> str:
    """What the gateway said that it left out and said in other words."""
    names = {"dropped": "x-kyma-dropped", "emulated": "x-kyma-emulated"}
    seen = {
        word: sorted({path for heard in one.heard for path in heard.headers.get(header, "").split(", ") if path})
        for word, header in names.items()
    }
    return (
        "; ".join(f"{word} {', '.join(paths)}" for word, paths in seen.items() if paths) or "everything said as it is"
    )


SUITE = Suite(
    "agents",
    "agent runs",
    quick=len(FAMILIES) * len(AGENTS),
    full=2 * len(FAMILIES) * len(AGENTS),
    for_mutants=4,
    run=run,
    runs_by_name_only=True,
    limit_s=900.0,
)
