"""Keeps one local model alive: starts its child, watches it, starts it again, and ends it with the gateway.

It knows the child's handshake and `GET /health`, and nothing of what is asked there. The engine itself is loaded only
in the child.
"""

import asyncio
import contextlib
import os
import secrets
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from kyma.local import LocalModelError
from kyma.local.engines import Engine
from kyma.local.handshake import Listening
from kyma.local.loopback import HOST, free_port, is_free, is_healthy

State = Literal["stopped", "starting", "ready", "restarting", "failed"]

HEALTH_POLL_S = 0.05


class Patience(msgspec.Struct, frozen=True):
    """How long the supervisor waits for what, in seconds, and how often it tries."""

    first_restart_s: float = 0.2
    longest_restart_s: float = 5.0
    quick_death_s: float = 30.0
    """A child that lived shorter than this died quickly; a longer life starts the count again."""
    quick_deaths: int = 10
    """So many in a row, and the supervisor gives up."""
    load_s: float = 180.0
    """A large model on a slow disk may take minutes."""
    health_s: float = 10.0
    stop_s: float = 3.0


class LocalModelStatus(msgspec.Struct, frozen=True):
    """What a running gateway knows of its child; `reason` says why it is not ready, or why it last died."""

    state: State
    reason: str
    base_url: str | None
    pid: int | None
    restarts: int


class LocalModel:
    """A model served on the loopback, under a key of its own, for as long as this object is started.

    The address stays the same across restarts unless another program takes the port meanwhile; then `on_moved` is
    called with the new `base_url`. `log_path` holds what the child said when it last failed to start.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        log_path: Path,
        patience: Patience = Patience(),  # noqa: B008 (immutable)
        on_moved: Callable[[str], None] | None = None,
    ) -> None:
        self.engine = engine
        self.log_path = log_path
        self.patience = patience
        self.on_moved = on_moved
        self.api_key = secrets.token_urlsafe(32)
        self.state: State = "stopped"
        self.reason = ""
        self.restarts = 0
        self._port: int | None = None
        self._child: Process | None = None
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()

    @property
    def name(self) -> str:
        return self.engine.name

    @property
    def base_url(self) -> str | None:
        """Where the OpenAI dialect is spoken, with `/v1`; None before the first start."""
        return None if self._port is None else f"http://{HOST}:{self._port}/v1"

    @property
    def pid(self) -> int | None:
        return None if self._child is None else self._child.pid

    def status(self) -> LocalModelStatus:
        return LocalModelStatus(self.state, self.reason, self.base_url, self.pid, self.restarts)

    async def start(self) -> None:
        """Begin; returns before the model is loaded, with `base_url` set. What can go wrong shows in `state`.

        Call it on the thread that lives as long as the gateway: on Linux the child dies with that thread.
        """
        if self._task is not None and not self._task.done():
            return
        self._port = free_port()
        if missing := self.engine.what_is_missing():
            self._enter("failed", missing)
            return
        self._enter("starting")
        self._task = asyncio.create_task(self._supervise(), name=f"local {self.name}")

    async def wait_ready(self, timeout_s: float) -> None:
        """Return once the model answers. Raises: LocalModelError if it failed, was never started or takes longer."""
        try:
            async with asyncio.timeout(timeout_s):
                while self.state in ("starting", "restarting"):
                    await self._changed.wait()
        except TimeoutError:
            raise LocalModelError(f"{self.name} is not ready after {timeout_s:g} s. {self.reason}".strip()) from None
        if self.state != "ready":
            raise LocalModelError(self.reason or f"{self.name} is not running")

    async def wait_changed(self) -> None:
        """Return at the next change of state."""
        await self._changed.wait()

    async def stop(self) -> None:
        """End the child, by force if it must be; returns when it is gone."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        self._enter("stopped")

    def _enter(self, state: State, reason: str = "") -> None:
        self.state, self.reason = state, reason
        self._changed.set()
        self._changed = asyncio.Event()

    async def _supervise(self) -> None:
        loop, deaths = asyncio.get_running_loop(), 0
        while True:
            began = loop.time()
            reason = await self._live_once()
            deaths = deaths + 1 if loop.time() - began < self.patience.quick_death_s else 1
            if deaths >= self.patience.quick_deaths:
                return self._enter("failed", f"{self.name} died {deaths} times in a row: {reason}")
            self._enter("restarting", reason)
            await asyncio.sleep(min(self.patience.longest_restart_s, self.patience.first_restart_s * 2 ** (deaths - 1)))
            self.restarts += 1
            self._keep_or_change_port()

    async def _live_once(self) -> str:
        """One child from birth to death; why it ended, in words."""
        try:
            # A session of its own: Ctrl-C in the terminal is for the gateway, which still has calls to finish.
            child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", self.engine.program),
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                start_new_session=True,
            )
        except OSError as error:
            return f"its process could not be started: {error}"
        self._child = child
        try:
            failure = await self._bring_up(child)
            if failure:
                return failure
            self._enter("ready")
            return f"its process {_ending(await child.wait())}"
        finally:
            await _end(child, self.patience.stop_s)
            self._child = None

    async def _bring_up(self, child: Process) -> str:
        """Hand the child its assignment and wait until it answers; an empty text, or what went wrong."""
        assert child.stdin and child.stdout and child.stderr
        order = self.engine.order(os.getpid(), self._port or 0, self.api_key)
        child.stdin.write(msgspec.json.encode(order) + b"\n")
        try:
            async with asyncio.timeout(self.patience.load_s):
                line = await child.stdout.readline()
        except TimeoutError:
            return f"it did not load within {self.patience.load_s:g} s"
        if not line:
            said = await child.stderr.read()
            self._write_log(said)
            return f"its process {_ending(await child.wait())} while it started. {_gist(said)}".strip()
        self._port = msgspec.json.decode(line, type=Listening).port
        try:
            async with asyncio.timeout(self.patience.health_s):
                while not await is_healthy(self._port):
                    await asyncio.sleep(HEALTH_POLL_S)
        except TimeoutError:
            return f"it loaded, but did not answer within {self.patience.health_s:g} s"
        return ""

    def _write_log(self, said: bytes) -> None:
        """Keep the words of a child that never served anyone; any other child's words could quote a caller."""
        with contextlib.suppress(OSError):  # the reason is in `state` as well
            self.log_path.parent.mkdir(parents=True, exist_ok=True)
            self.log_path.write_bytes(said)

    def _keep_or_change_port(self) -> None:
        if self._port is not None and is_free(self._port):
            return
        self._port = free_port()
        if self.on_moved and self.base_url:
            self.on_moved(self.base_url)


async def _end(child: Process, grace_s: float) -> None:
    if child.returncode is None:
        child.terminate()
        try:
            async with asyncio.timeout(grace_s):
                await child.wait()
        except TimeoutError:
            child.kill()
            await child.wait()
    if child.stdin:
        child.stdin.close()


def _ending(code: int) -> str:
    return f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"


def _gist(said: bytes) -> str:
    """The line of a start-up log that says most: llama.cpp's first error, else the last line, as Python does it."""
    lines = [line.strip() for line in said.decode(errors="replace").splitlines() if line.strip()]
    errors = [message for _, mark, message in (line.partition(" E ") for line in lines) if mark]
    return (errors or lines[-1:] or [""])[0]
