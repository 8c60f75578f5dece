"""What every engine's child does around its engine: takes its orders, says where it listens, ends with its supervisor.

What customers write must never reach a log: once the model is loaded nothing the child says goes anywhere, and a crash
leaves no core file.
"""

import ctypes
import os
import resource
import signal
import sys
from typing import Generic, NoReturn, TypeVar

import msgspec

from kyma.local.handshake import Assignment, Listening

NICENESS = 5
PR_SET_PDEATHSIG = 1

AssignmentT = TypeVar("AssignmentT", bound=Assignment)


class Child(Generic[AssignmentT]):
    """This process as its supervisor knows it."""

    def __init__(self, assignment: AssignmentT, answers: int) -> None:
        self.assignment = assignment
        self._answers = answers

    def announce(self, port: int) -> None:
        """The model is loaded and listens; from here on the process is mute."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.dup2(nowhere, sys.stderr.fileno())
        os.close(nowhere)
        os.write(self._answers, msgspec.json.encode(Listening(port)) + b"\n")
        os.close(self._answers)

    def live_on(self) -> None:
        """Stay until the supervisor closes the pipe, then end at once."""
        sys.stdin.buffer.read()
        self.end()

    def end(self) -> NoReturn:
        """End at once, without waiting for any thread."""
        os._exit(0)


def take_orders(kind: type[AssignmentT]) -> Child[AssignmentT] | None:
    """Tie this process to its supervisor and read what to serve; None if that supervisor is gone already."""
    _die_with_parent()
    # Under uvloop 0.23 a child inherits second copies of its own pipes, which would never end.
    os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(NICENESS)
    answers = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    line = sys.stdin.buffer.readline()
    if not line:
        return None
    assignment = msgspec.json.decode(line, type=kind)
    return Child(assignment, answers) if os.getppid() == assignment.parent_pid else None


def available_cores() -> int:
    """Those that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _die_with_parent() -> None:
    """Linux kills us when the thread that forked us ends; elsewhere the end of stdin does it a moment later."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
