"""The README's own curl lines work as they stand, against the real model."""

import json
import re
import shutil
import subprocess

import pytest

from tests.gateway_process import GatewayProcess
from tests.upstream.process import ROOT

WRITTEN_FOR = "http://127.0.0.1:8000"
BLOCK = re.compile(r"^```(?:sh|bash|shell|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LEAST = 3


def curl_commands(text: str) -> list[str]:
    """Every command in a fenced shell block that starts with curl, continued lines and quoted line breaks included."""
    commands: list[str] = []
    for block in BLOCK.findall(text):
        command = ""
        for line in block.splitlines():
            command = f"{command}\n{line}" if command else line.removeprefix("$ ")
            if command.endswith("\\") or command.count("'") % 2:
                continue
            if command.lstrip().startswith("curl "):
                commands.append(command.strip())
            command = ""
    return commands


COMMANDS = curl_commands((ROOT / "README.md").read_text())


def test_the_readme_shows_how_to_call_the_gateway() -> None:
    assert len(COMMANDS) >= LEAST
    assert any("/v1/chat/completions" in command for command in COMMANDS)
    assert any('"stream"' in command for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_curl_line_of_the_readme_works(local_gateway: GatewayProcess, command: str) -> None:
    assert shutil.which("curl"), "curl is not installed"
    assert WRITTEN_FOR in command
    run = subprocess.run(
        ["bash", "-c", command.replace(WRITTEN_FOR, local_gateway.base_url) + " -sS -w '\\n%{http_code}'"],
        env={**local_gateway.env, "KYMA_API_KEY": local_gateway.key},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    answer, _, status = run.stdout.rpartition("\n")
    assert status.startswith("2"), run.stdout
    payloads = [line.removeprefix("data: ") for line in answer.splitlines() if line.startswith("data: ")]
    if payloads:
        assert payloads[-1] == "[DONE]"
        assert all("error" not in json.loads(payload) for payload in payloads[:-1])
    else:
        json.loads(answer)


def test_commands_are_found_with_their_continued_lines() -> None:
    text = "```sh\nmake serve\ncurl a \\\n  -d '{\n  }'\n$ curl b  # list\n```\n```\ncurl no\n```\n"
    assert curl_commands(text) == ["curl a \\\n  -d '{\n  }'", "curl b  # list"]
