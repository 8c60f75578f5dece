"""The supervisor over a real child."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from kyma.local import LocalModelError
from kyma.local.engines import llama
from kyma.local.supervisor import LocalModel, Patience
from tests.unit.local.processes import is_gone_within, is_running

READY_S = 30
QUICK = Patience(first_restart_s=0.01, quick_deaths=3)


@asynccontextmanager
async def started(gguf: Path, tmp_path: Path, **options: Any) -> AsyncIterator[LocalModel]:
    engine = llama(gguf, name="tiny", context_tokens=512)
    model = LocalModel(engine, log_path=tmp_path / "logs" / "llm.log", **options)
    await model.start()
    try:
        yield model
    finally:
        await model.stop()


@pytest.fixture
def broken_gguf(gguf: Path, tmp_path: Path) -> Path:
    path = tmp_path / "broken.gguf"
    with gguf.open("rb") as whole:
        path.write_bytes(whole.read(3_000_000))
    return path


async def test_start_returns_before_the_model_is_loaded_with_its_address(gguf: Path, tmp_path: Path) -> None:
    async with started(gguf, tmp_path) as model:
        assert model.state == "starting" and model.base_url
        await model.wait_ready(READY_S)
        assert model.status().state == "ready" and model.pid and is_running(model.pid)


async def test_a_killed_child_comes_back_at_the_same_address(gguf: Path, tmp_path: Path) -> None:
    async with started(gguf, tmp_path) as model:
        await model.wait_ready(READY_S)
        first, base_url = model.pid, model.base_url
        assert first
        os.kill(first, signal.SIGKILL)
        while model.state == "ready":
            await asyncio.sleep(0.01)
        assert model.state == "restarting" and "signal 9" in model.reason
        await model.wait_ready(READY_S)
        assert model.pid != first and model.base_url == base_url and model.restarts == 1


async def test_moves_when_another_program_took_its_port(gguf: Path, tmp_path: Path) -> None:
    moves: list[str] = []
    patience = Patience(first_restart_s=0.5)
    async with started(gguf, tmp_path, on_moved=moves.append, patience=patience) as model:
        await model.wait_ready(READY_S)
        old = model.base_url
        assert old and model.pid
        os.kill(model.pid, signal.SIGKILL)
        while model.state == "ready":
            await asyncio.sleep(0.01)
        with socket.socket() as thief:
            thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            thief.bind(("127.0.0.1", int(old.removesuffix("/v1").rpartition(":")[2])))
            thief.listen()
            await model.wait_ready(READY_S)
        assert moves == [model.base_url] and model.base_url != old


async def test_gives_up_on_a_broken_file_and_says_why(broken_gguf: Path, tmp_path: Path) -> None:
    async with started(broken_gguf, tmp_path, patience=QUICK) as model:
        with pytest.raises(LocalModelError, match=r"3 times in a row.*corrupted or incomplete"):
            await model.wait_ready(READY_S)
        assert model.state == "failed"
        assert "corrupted or incomplete" in model.log_path.read_text()


async def test_a_file_that_does_not_exist_fails_at_once(tmp_path: Path) -> None:
    async with started(tmp_path / "none.gguf", tmp_path) as model:
        assert model.state == "failed" and "none.gguf does not exist" in model.status().reason


async def test_waiting_for_a_slow_start_ends_in_time(gguf: Path, tmp_path: Path) -> None:
    async with started(gguf, tmp_path) as model:
        with pytest.raises(LocalModelError, match=r"not ready after 0\.01 s"):
            await model.wait_ready(0.01)


async def test_stop_while_the_model_loads_leaves_no_process(gguf: Path, tmp_path: Path) -> None:
    async with started(gguf, tmp_path) as model:
        while model.pid is None:
            await asyncio.sleep(0.01)
        pid = model.pid
        await model.stop()
        assert model.state == "stopped" and not is_running(pid)


async def test_stop_kills_a_child_that_does_not_listen(gguf: Path, tmp_path: Path) -> None:
    async with started(gguf, tmp_path, patience=Patience(stop_s=0.1)) as model:
        await model.wait_ready(READY_S)
        pid = model.pid
        assert pid
        os.kill(pid, signal.SIGSTOP)
        await model.stop()
        assert not is_running(pid)


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_the_child_dies_with_a_killed_gateway(gguf: Path, tmp_path: Path, loop: str) -> None:
    script = f"""
import asyncio, {loop}
from pathlib import Path
from kyma.local.engines import llama
from kyma.local.supervisor import LocalModel

async def main():
    engine = llama(Path({str(gguf)!r}), name="tiny", context_tokens=512)
    model = LocalModel(engine, log_path=Path({str(tmp_path)!r}) / "log")
    await model.start()
    await model.wait_ready({READY_S})
    print(model.pid, flush=True)
    await asyncio.sleep(60)

{loop}.run(main())
"""
    gateway = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert gateway.stdout
    with gateway.stdout as said:
        pid = int(said.readline())
    assert is_running(pid)
    gateway.kill()
    gateway.wait()
    assert is_gone_within(pid, 3)


def test_the_engine_is_not_loaded_by_those_who_supervise_it() -> None:
    script = "import sys, kyma.local.install, kyma.local.supervisor; print('xllamacpp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout == "False\n"
