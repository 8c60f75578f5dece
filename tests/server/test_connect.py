"""`kyma connect` on a running gateway: it asks which model to take, and its chat tells whether the agent will work."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway_catalog import ModelSpec, ProviderSpec, RouteSpec
from tests.gateway_process import GatewayProcess
from tests.server.api import Api
from tests.upstream.process import ROOT, UpstreamProcess

ALIASES = {"agent": "large", "code": "large", "best": "other", "fast": "small"}
DIALECTS = {
    "claude-code": "/v1/messages",
    "codex": "/v1/responses",
    "continue": "/v1/chat/completions",
    "cursor": "/v1/chat/completions",
}


@pytest.fixture(scope="module")
def aliased(upstream_process: UpstreamProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """A gateway with three models behind the aliases that agents are told."""
    models = [ModelSpec(name, [RouteSpec("source", "script:ok")]) for name in ("large", "other")]
    models += [ModelSpec("small", [RouteSpec("source", "script:ok")], fields={"context_window": 9000})]
    models += [ModelSpec("broken", [RouteSpec("source", "script:status:code=500")])]
    folder = tmp_path_factory.mktemp("aliased")
    process = GatewayProcess(folder, [ProviderSpec("source", upstream_process.base_url)], models)
    rows = [f'[{alias}]\ntargets = ["{model}"]\nsource = "tests"\n' for alias, model in ALIASES.items()]
    (process.config_dir / "aliases.toml").write_text("\n".join(rows))
    with process:
        assert process.key
        yield process


def run(gateway: GatewayProcess, home: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    home.mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, "-m", "kyma", "connect", *arguments],
        env={**gateway.env, "HOME": str(home)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("agent", DIALECTS)
def test_it_works_is_said_after_a_chat_in_the_agents_dialect(
    aliased: GatewayProcess, tmp_path: Path, agent: str
) -> None:
    ran = run(aliased, tmp_path / "home", agent)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert re.search(r"^It works: large answered in \d+ ms$", ran.stdout, re.MULTILINE)
    assert run(aliased, tmp_path / "home", agent, "--undo").returncode == 0


def test_the_written_limits_are_those_of_the_models(aliased: GatewayProcess, tmp_path: Path) -> None:
    run(aliased, tmp_path / "home", "opencode")
    written = (tmp_path / "home" / ".config" / "opencode" / "opencode.json").read_text()
    assert '"context": 131072' in written and '"context": 9000' in written


def test_another_model_may_be_named(aliased: GatewayProcess, tmp_path: Path) -> None:
    ran = run(aliased, tmp_path / "home", "codex", "--model", "small")
    assert "It works: small answered" in ran.stdout
    assert "model_context_window = 9000" in (tmp_path / "home" / ".codex" / "config.toml").read_text()


def test_a_model_that_is_not_there_is_told_before_anything_is_written(aliased: GatewayProcess, tmp_path: Path) -> None:
    ran = run(aliased, tmp_path / "home", "codex", "--model", "largest")
    assert ran.returncode == 1
    assert ran.stderr.startswith("kyma: There is no model 'largest'. Closest names: large")
    assert list((tmp_path / "home").iterdir()) == []


@pytest.mark.parametrize("agent", DIALECTS)
def test_a_wrong_key_is_told_in_the_gateways_words(aliased: GatewayProcess, tmp_path: Path, agent: str) -> None:
    ran = run(aliased, tmp_path / "home", agent, "--key", "ky-wrong")
    assert ran.returncode == 1
    assert re.search(r"is set up, but the call failed: .*key.* \(401\)\. Undo it: ", ran.stderr)
    assert "ky-wrong" not in ran.stdout + ran.stderr and ran.stdout.count("as given") == 1
    assert run(aliased, tmp_path / "home", agent, "--undo").returncode == 0


def test_a_source_that_fails_is_told(aliased: GatewayProcess, tmp_path: Path) -> None:
    ran = run(aliased, tmp_path / "home", "aider", "--model", "broken")
    assert ran.returncode == 1 and "(503)" in ran.stderr


def test_from_elsewhere_address_and_key_are_enough(aliased: GatewayProcess, tmp_path: Path) -> None:
    """Without the gateway's configuration, its folders and its database; the address may end in /v1."""
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "kyma", "connect", "aider"),
            *("--base-url", f"{aliased.base_url}/v1/", "--key", aliased.key),
        ],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert f'openai-api-base: "{aliased.base_url}/v1"' in (tmp_path / ".aider.conf.yml").read_text()
    assert not list(tmp_path.rglob("*.db"))


def test_what_answers_there_may_be_no_gateway(upstream_process: UpstreamProcess, tmp_path: Path) -> None:
    ran = subprocess.run(
        [*(sys.executable, "-m", "kyma", "connect", "aider"), *("--base-url", upstream_process.origin, "--key", "k")],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith(f"kyma: {upstream_process.origin} recommends nothing: ")
    assert not (tmp_path / ".aider.conf.yml").exists()


def test_the_recommended_alternatives_are_other_models(aliased: GatewayProcess) -> None:
    body = Api(aliased.port, "").get("/v1/models/recommend?agent=opencode").json()
    assert (body["model"], body["alias"]) == ("large", "code")
    assert [(other["model"], other["alias"]) for other in body["alternatives"]] == [("other", "best")]
    assert (body["small_model"]["model"], body["small_model"]["alias"]) == ("small", "fast")
    assert body["notes"] == []
