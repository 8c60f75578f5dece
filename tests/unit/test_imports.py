"""What a default gateway has in memory: only what it uses. Optional parts cost a second and 60 MB if imported.

FastAPI itself imports OpenTelemetry's interface (10 ms); what would trace or send anything is the SDK.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

OPTIONAL = (
    *("numpy", "onnxruntime", "tokenizers"),
    *("stripe", "redis", "aiohttp", "authlib", "PIL", "asyncpg", "greenlet"),
    *("opentelemetry.sdk", "opentelemetry.exporter", "opentelemetry.instrumentation"),
    *("tomlkit", "ruamel.yaml", "kyma.commands.connecting", "genai_prices", "kyma.commands.quotes"),
    *("jinja2", "httpx", "httpx2", "requests", "uvicorn", "openai", "pytest", "hypothesis"),
)
ENGINE = "xllamacpp"
MIGRATIONS = "alembic"

SERVE_ONE_REQUEST = """
import asyncio, sys
import kyma.commands
from kyma.app import App, render_refusal
from kyma.config import load_config
from kyma.gateway import open_gateway
from kyma.server import Server, ServerLimits

async def main():
    answered = []
    async with open_gateway(load_config()) as gateway:
        app = App(gateway)
        Server(app, render_refusal, ServerLimits())
        await gateway.registration.ensure_operator("operator@localhost.localdomain", 1)
        bodies = [{"type": "http.request", "body": b"", "more_body": False}]
        async def receive():
            return bodies.pop() if bodies else {"type": "http.disconnect"}
        async def send(message):
            answered.append(message.get("status"))
        scope = {"type": "http", "method": "GET", "path": "/v1/models", "raw_path": b"/v1/models", "query_string": b"",
                 "headers": [], "root_path": "", "scheme": "http", "http_version": "1.1", "client": ("127.0.0.1", 1),
                 "server": ("127.0.0.1", 2), "asgi": {"version": "3.0"}}
        await app(scope, receive, send)
    assert answered[0] == 200, answered

asyncio.run(main())
print(*sys.modules)
"""


def modules_of_a_gateway(data_dir: Path) -> set[str]:
    """What a process has imported that has served one request from this data folder."""
    env = {"PATH": os.environ["PATH"], "HOME": str(data_dir), "KYMA_DATA_DIR": str(data_dir)}
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", SERVE_ONE_REQUEST],
        env=env,
        cwd=data_dir,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    return set(run.stdout.split())


@pytest.fixture(scope="module")
def modules(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Those of a default gateway whose database is at this version's schema."""
    data_dir = tmp_path_factory.mktemp("data")
    shutil.copyfile(sqlite_template, data_dir / "kyma.db")
    return modules_of_a_gateway(data_dir)


@pytest.mark.parametrize("name", [*OPTIONAL, MIGRATIONS, ENGINE])
def test_a_default_gateway_does_not_import(modules: set[str], name: str) -> None:
    assert name not in modules


def test_what_it_uses_is_there(modules: set[str]) -> None:
    """So that the test above cannot pass by looking at nothing."""
    assert {"kyma", "fastapi", "sqlalchemy", "msgspec", "httptools", "sqlite3"} <= modules


def test_a_new_database_is_the_only_reason_to_import_the_migrations(tmp_path: Path) -> None:
    modules = modules_of_a_gateway(tmp_path)
    assert MIGRATIONS in modules
    assert ENGINE not in modules
