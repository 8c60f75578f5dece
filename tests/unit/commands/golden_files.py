"""Which file of a home each golden file stands for: `.before` as a user has it, `.after` and `.fresh` as connected."""

from collections.abc import Mapping
from pathlib import Path

GOLDEN = Path(__file__).parent / "golden"

FILES: Mapping[str, Mapping[str, str]] = {
    "aider": {".aider.conf.yml": "aider"},
    "claude-code": {".claude/settings.json": "settings"},
    "cline": {".cline/data/settings/providers.json": "providers"},
    "codex": {".codex/config.toml": "config"},
    "continue": {".continue/config.yaml": "config"},
    "cursor": {},
    "kilo-code": {".config/kilo/kilo.json": "kilo"},
    "openclaw": {".openclaw/openclaw.json": "openclaw"},
    "opencode": {".config/opencode/opencode.json": "opencode"},
    "roo-code": {".roo/kyma-settings.json": "kyma-settings", ".config/Code/User/settings.json": "vscode"},
}
"""By agent: a path below the home, and the golden file's name without its ending."""
