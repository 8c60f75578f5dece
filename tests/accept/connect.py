"""connect: agents as their makers ship them, told by `kyma connect` in a fresh home, asked once, and undone again.

The model is the scripted upstream, which has one answer for whoever wants no file edited. What an agent keeps beside
its configuration, and whom it tells of itself (the trap refuses everybody), is its own.
"""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from kyma.core.money import NANOS_PER_USD
from kyma.identity import Registered
from tests.accept.agent_install import installed_agents
from tests.accept.agent_programs import AIDER_QUIET
from tests.accept.stage import audit, gateway_on, pending_holds, read_usage
from tests.accept.suite import Figure, Run, Suite, told, zero
from tests.accept.wiretap import Heard, Tap, Trap
from tests.gateway_catalog import FAMILIES, ModelSpec, ProviderSpec, RouteSpec, in_family
from tests.gateway_process import GatewayProcess
from tests.unit.commands.golden_files import FILES
from tests.upstream.editing import TITLE
from tests.upstream.process import ROOT, UpstreamProcess, tethered

AT_ONCE = 2
AGENT_LIMIT_S = 180.0
PROMPT = "Say hello."
OF_CONNECT = 2
"""Requests before the agent's own: which model to take, and one chat."""
MODEL = "acme"
ALIASES = ("agent", "code", "best", "fast", "cheap")


class Program(msgspec.Struct, frozen=True):
    """How an agent is asked once without a person. `env` keeps it from fetching what is not there."""

    agent: str
    program: str
    arguments: Sequence[str]
    path: str = "/v1/chat/completions"
    env: Mapping[str, str] = {}


PROGRAMS = (
    Program("claude-code", "claude", ["-p", PROMPT], "/v1/messages", {"CLAUDE_CODE_MAX_RETRIES": "0"}),
    Program("codex", "codex", ["exec", "--skip-git-repo-check", PROMPT], "/v1/responses"),
    Program("opencode", "opencode", ["run", PROMPT], env={"npm_config_offline": "true", "OPENCODE_PURE": "1"}),
    Program(
        "aider",
        "aider",
        ["--no-git", *AIDER_QUIET, "--message", PROMPT],
        env={"LITELLM_LOCAL_MODEL_COST_MAP": "True"},
    ),
    Program("cline", "cline", ["--json", PROMPT]),
    Program("kilo-code", "kilo", ["run", PROMPT], env={"npm_config_offline": "true"}),
    Program("continue", "cn", ["-p", PROMPT]),
    Program("openclaw", "openclaw", ["agent", "--local", "--agent", "main", "--message", PROMPT]),
)
"""Cursor and Roo Code are not among them: both are editors without a program in a registry."""


class Done(msgspec.Struct):
    """How it went with one agent: what `kyma connect` said, the agent's own end, what it asked, what undoing left."""

    name: str
    connected: str
    code: int | None
    output: str
    heard: list[Heard]
    wanted: int
    left: list[str]


def run(run: Run) -> list[Figure]:
    """Every agent on one family of upstreams after the other."""
    programs, done, bills = installed_agents(), list[Done](), list[str]()
    with UpstreamProcess() as upstream:
        for start in range(0, run.size, len(PROGRAMS)):
            chosen = PROGRAMS[: run.size - start]
            done += _round(run.folder / str(start), upstream, start // len(PROGRAMS), chosen, programs, bills)
    expected = {program.agent: program.path for program in PROGRAMS}
    return [
        zero("agents that were not connected", [f"{one.name}: {one.connected}" for one in done if one.connected]),
        zero("agents that did not end with 0", [f"{one.name}: {one.output[-400:]!r}" for one in done if one.code != 0]),
        zero(
            "agents that did not say what they were told",
            [f"{one.name}: {one.output[-400:]!r}" for one in done if TITLE not in one.output],
        ),
        zero(
            "agents that spoke another dialect",
            [one.name for one in done if expected[one.name] not in {_path(heard) for heard in one.heard[OF_CONNECT:]}],
        ),
        zero(
            "answers of the gateway that are no 2xx",
            [f"{one.name}: {heard}" for one in done for heard in one.heard if not heard.is_good],
        ),
        zero("files that are not as they were", [f"{one.name}: {left}" for one in done for left in one.left]),
        zero("calls without a charge, violations of the books", bills),
        told("agent runs", len(done)),
        *(told(one.name, f"{len(one.heard)} requests, {one.wanted} attempts to reach others") for one in done),
    ]


def _round(
    folder: Path,
    upstream: UpstreamProcess,
    number: int,
    chosen: Sequence[Program],
    programs: Mapping[str, Path],
    bills: list[str],
) -> list[Done]:
    provider = in_family(ProviderSpec("source", upstream.base_url), FAMILIES[number % len(FAMILIES)])
    model = ModelSpec(MODEL, [RouteSpec(provider.id, "script:edit:word=e0x")])
    balances = [NANOS_PER_USD] * len(chosen)
    with gateway_on(folder / "gateway", [provider], [model], balances=balances) as (gateway, people):
        rows = [f'[{alias}]\ntargets = ["{MODEL}"]\nsource = "tests"\n' for alias in ALIASES]
        (gateway.config_dir / "aliases.toml").write_text("\n".join(rows))
        gateway.start()
        done = asyncio.run(_run_all(folder, gateway, people, programs, chosen))
        gateway.terminate()
        usage = read_usage(gateway.db_path)
        for one, person in zip(done, people, strict=True):
            own = [row for row in usage if row.account_id == person.account_id]
            if len(own) != sum(heard.method == "POST" for heard in one.heard):
                bills.append(f"{one.name}: {len(own)} usage rows for {one.heard}")
            bills += [f"{one.name}: {row}" for row in own if row.status != "finished" or row.charges != (row.cost,)]
        bills += audit(gateway.db_path) + ["leases left"] * pending_holds(gateway.db_path)
    return done


async def _run_all(
    folder: Path,
    gateway: GatewayProcess,
    people: Sequence[Registered],
    programs: Mapping[str, Path],
    chosen: Sequence[Program],
) -> list[Done]:
    places = asyncio.Semaphore(AT_ONCE)

    async def run_one(program: Program, person: Registered) -> Done:
        async with places, Tap(gateway.port) as tap, Trap() as trap:
            home = folder / program.agent
            (home / "work").mkdir(parents=True)
            env = _environment(home, trap.port, programs)
            told_env = {**env, "KYMA_API_KEY": person.api_key}
            origin = f"http://127.0.0.1:{tap.port}"
            code, said = await _run(_kyma("connect", program.agent, "--base-url", origin), told_env, ROOT)
            connected = "" if code == 0 and re.search("It works: acme answered", said) else said
            command = [str(programs[program.program]), *program.arguments]
            code, output = await _run(command, {**env, **program.env}, home / "work")
            _end_all_of(home)
            undone, said = await _run(_kyma("connect", program.agent, "--undo"), env, ROOT)
            left = _left(home, program.agent, person.api_key, origin) + ([] if undone == 0 else [said])
            return Done(program.agent, connected, code, output, tap.heard, len(trap.wanted), left)

    return await asyncio.gather(*map(run_one, chosen, people))


async def _run(command: Sequence[str], env: Mapping[str, str], folder: Path) -> tuple[int | None, str]:
    """Exit code (None: it did not end in time) and what was said."""
    process = await asyncio.create_subprocess_exec(
        *tethered(command),
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), AGENT_LIMIT_S)
    except TimeoutError:
        return None, ""
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    return process.returncode, output.decode(errors="replace")


def _kyma(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "kyma", *arguments]


def _environment(home: Path, trap_port: int, programs: Mapping[str, Path]) -> dict[str, str]:
    """A home, and nothing of ours but the path, on which the newest agents find the Node.js that they want."""
    proxy = f"http://127.0.0.1:{trap_port}"
    proxies = {name: proxy for plain in ("http_proxy", "https_proxy", "all_proxy") for name in (plain, plain.upper())}
    direct = {"no_proxy": "127.0.0.1,localhost", "NO_PROXY": "127.0.0.1,localhost"}
    path = f"{programs['node'].parent}{os.pathsep}{os.environ['PATH']}"
    copy = {"PYTHONPATH": os.environ["PYTHONPATH"]} if "PYTHONPATH" in os.environ else {}
    return {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8", **copy, **proxies, **direct}


def _end_all_of(home: Path) -> None:
    """End what an agent has left running in a session of its own: whoever has this run's home for its own."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"HOME={home}".encode() in (process / "environ").read_bytes().split(b"\0"):
                os.kill(int(process.name), signal.SIGKILL)


def _left(home: Path, agent: str, key: str, origin: str) -> list[str]:
    """Configuration files that are still there with anything of ours in them."""
    there = [home / place for place in FILES[agent] if (home / place).exists()]
    return [f"{path}: {text!r}" for path in there if key in (text := path.read_text()) or origin in text]


def _path(heard: Heard) -> str:
    return heard.path.partition("?")[0]


SUITE = Suite(
    "connect",
    "agents",
    quick=len(PROGRAMS),
    full=len(FAMILIES) * len(PROGRAMS),
    for_mutants=1,
    run=run,
    runs_by_name_only=True,
    limit_s=900.0,
)
