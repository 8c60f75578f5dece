"""The agents: how each is told to use the gateway, to keep to itself and to edit one file without being asked.

Variables and settings are those that each program's help or its binary names; seen in November 2026.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec


class Place(msgspec.Struct, frozen=True):
    """Where one run happens. `origin` is the gateway's address; `home` and `work` are folders of this run's own."""

    origin: str
    key: str
    model: str
    home: Path
    work: Path
    file: Path
    prompt: str


class Start(msgspec.Struct, frozen=True):
    """A program of the installation by name, its arguments, its variables, and the files it wants to find."""

    program: str
    arguments: Sequence[str]
    env: Mapping[str, str]
    files: Mapping[Path, str] = {}
    stdin: str = ""


class Agent(msgspec.Struct, frozen=True):
    """A client in one of its ways to speak. By the name of `model` many choose what they send.

    `keeps_thoughts_of`: families whose signed thoughts it gives back.
    """

    name: str
    model: str
    start: Callable[[Place], Start]
    keeps_thoughts_of: Sequence[str] = ()


def _claude_code(place: Place) -> Start:
    return Start(
        "claude",
        [
            "-p",
            place.prompt,
            "--output-format",
            "json",
            "--permission-mode",
            "acceptEdits",
            "--allowedTools",
            "Bash,Edit,Read",
        ],
        {
            "ANTHROPIC_BASE_URL": place.origin,
            "ANTHROPIC_AUTH_TOKEN": place.key,
            "ANTHROPIC_MODEL": place.model,
            "ANTHROPIC_DEFAULT_HAIKU_MODEL": place.model,
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "CLAUDE_CODE_MAX_RETRIES": "0",
            "DISABLE_AUTOUPDATER": "1",
            "DISABLE_ERROR_REPORTING": "1",
            "DISABLE_TELEMETRY": "1",
        },
    )


CODEX_CONFIG = """
model = {model}
model_provider = "kyma"
check_for_update_on_startup = false
analytics = {{ enabled = false }}

[model_providers.kyma]
name = "Kyma"
base_url = {base_url}
env_key = "KYMA_API_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
"""


def _codex(place: Place) -> Start:
    config = CODEX_CONFIG.format(model=json.dumps(place.model), base_url=json.dumps(f"{place.origin}/v1"))
    return Start(
        "codex",
        [
            "exec",
            "--disable",
            "plugins",
            "--disable",
            "apps",
            "--skip-git-repo-check",
            "--dangerously-bypass-approvals-and-sandbox",
            "--json",
            place.prompt,
        ],
        {"CODEX_HOME": str(place.home / ".codex"), "KYMA_API_KEY": place.key},
        {place.home / ".codex" / "config.toml": config},
    )


def _opencode(package: str) -> Callable[[Place], Start]:
    def start(place: Place) -> Start:
        provider = {
            "npm": package,
            "name": "Kyma",
            "options": {"baseURL": f"{place.origin}/v1", "apiKey": place.key},
            "models": {place.model: {"name": place.model}},
        }
        config = {
            "model": f"kyma/{place.model}",
            "small_model": f"kyma/{place.model}",
            "provider": {"kyma": provider},
            "autoupdate": False,
            "share": "disabled",
            "permission": {"edit": "allow", "bash": "allow", "read": "allow", "external_directory": "allow"},
        }
        return Start(
            "opencode",
            ["run", "--format", "json"],
            {
                "npm_config_offline": "true",
                "OPENCODE_CONFIG_CONTENT": json.dumps(config),
                "OPENCODE_DISABLE_AUTOUPDATE": "1",
                "OPENCODE_DISABLE_DEFAULT_PLUGINS": "1",
                "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
                "OPENCODE_DISABLE_MODELS_FETCH": "1",
                "OPENCODE_DISABLE_SHARE": "1",
                "OPENCODE_PURE": "1",
            },
            stdin=place.prompt,
        )

    return start


AIDER_QUIET = (
    *("--no-analytics", "--no-check-update", "--no-show-release-notes", "--no-show-model-warnings"),
    *("--no-gitignore", "--no-detect-urls", "--no-suggest-shell-commands", "--no-pretty", "--yes-always"),
)


def _aider(prefix: str, edit_format: str) -> Callable[[Place], Start]:
    def start(place: Place) -> Start:
        return Start(
            "aider",
            [
                *("--model", f"{prefix}/{place.model}", "--weak-model", f"{prefix}/{place.model}"),
                *("--edit-format", edit_format, *AIDER_QUIET, "--no-git", "--message", place.prompt, str(place.file)),
            ],
            {
                "OPENAI_API_BASE": f"{place.origin}/v1",
                "OPENAI_API_KEY": place.key,
                "ANTHROPIC_API_BASE": place.origin,
                "ANTHROPIC_API_KEY": place.key,
                "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            },
            {place.home / ".aider" / "caches" / "model_prices_and_context_window.json": json.dumps({"none": {}})},
        )

    return start


SIGNING = ("anthropic_messages", "gemini")

AGENTS = (
    Agent("claude-code", "acme-large", _claude_code, SIGNING),
    Agent("codex", "acme-coder", _codex, SIGNING),
    Agent("codex-scripts", "gpt-6.1-sol", _codex, SIGNING),
    Agent("codex-patches", "gpt-5.5", _codex, SIGNING),
    Agent("opencode", "acme-claude", _opencode("@ai-sdk/openai-compatible")),
    Agent("aider", "acme-diff", _aider("openai", "diff")),
    Agent("claude-code-budget", "claude-haiku-4-5", _claude_code, SIGNING),
    Agent("opencode-messages", "acme-messages", _opencode("@ai-sdk/anthropic"), SIGNING),
    Agent("opencode-responses", "acme-responses", _opencode("@ai-sdk/openai")),
    Agent("opencode-patches", "gpt-5.2-codex", _opencode("@ai-sdk/openai"), SIGNING),
    Agent("aider-messages", "acme-whole", _aider("anthropic", "whole")),
)
"""Codex offers a shell to models that it does not know; to those it knows also a tool for patches, or, in the input,
one tool that runs scripts. Claude Code asks for thoughts by effort, of older models by a budget. opencode marks what is
to be cached when the model's name says `claude`, and patches instead of editing when it says `gpt`.
"""
