"""`kyma` as an operator runs it, in this process, with folders of its own."""

import asyncio
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from kyma.__main__ import main
from kyma.config import load_config
from kyma.gateway import open_gateway


class Ran(msgspec.Struct, frozen=True):
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


Kyma = Callable[..., Ran]


@pytest.fixture
def data_dir(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder, with a migrated database and no account; nothing of the caller's environment is seen."""
    for name in ("KYMA_DATABASE_URL", "KYMA_HOST"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "data"
    folder.mkdir()
    shutil.copyfile(sqlite_template, folder / "kyma.db")
    (tmp_path / "config").mkdir()
    monkeypatch.setenv("KYMA_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("KYMA_DATA_DIR", str(folder))
    monkeypatch.setenv("KYMA_LOCAL_ENABLED", "false")
    monkeypatch.setenv("KYMA_PORT", "0")
    return folder


@pytest.fixture
def kyma(data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Kyma:
    """Runs a command to its end."""

    def run(*arguments: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["kyma", *arguments])
        code: int | str | None = 0
        try:
            main()
        except SystemExit as end:
            code = end.code
        out, err = capsys.readouterr()
        if isinstance(code, str):  # as Python itself does it
            code, err = 1, f"{err}{code}\n"
        return Ran(code or 0, out, err)

    return run


@pytest.fixture
def operator_key(data_dir: Path) -> str:
    """The key of an operator with five dollars, made as the first start makes it."""

    async def make() -> str:
        async with open_gateway(load_config()) as gateway:
            key = await gateway.registration.ensure_operator("operator@localhost.localdomain", 5_000_000_000)
            assert key is not None
            return key

    return asyncio.run(make())
