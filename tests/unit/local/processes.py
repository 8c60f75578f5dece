"""Watching processes that are not our children."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from kyma.local.handshake import Listening


def is_running(pid: int) -> bool:
    """Whether the process exists and is no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def is_gone_within(pid: int, timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while is_running(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def dies_with_its_parent(program: list[str], assignment: Callable[[int], bytes]) -> bool:
    """Start an engine's program below another process and kill that one; `assignment` is told its pid.

    The pipe to the program stays open, so that its end cannot be what ends it.
    """
    reading, writing = os.pipe()
    script = f"import subprocess; p = subprocess.Popen({program}, stdin={reading}); print(p.pid, flush=True); p.wait()"
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, pass_fds=[reading])
    assert parent.stdout
    pid = int(parent.stdout.readline())
    os.write(writing, assignment(parent.pid))
    assert msgspec.json.decode(parent.stdout.readline(), type=Listening).port > 0
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    try:
        return is_gone_within(pid, 3)
    finally:
        os.close(writing)
        os.close(reading)
