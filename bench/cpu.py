"""What a process tree has used, read from Linux' /proc: CPU of all its threads and children, and resident memory."""

import os
from pathlib import Path

PROC = Path("/proc")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """CPU seconds, user and system, of a process and its living descendants, in steps of a clock tick (10 ms)."""
    return sum(_ticks(member) for member in tree(pid)) / TICKS_PER_S


def resident_mb(pid: int) -> float:
    """VmRSS of one process in MB of a million bytes."""
    return _status_kb(pid, "VmRSS") * 1024 / 1e6


def peak_resident_mb(pid: int) -> float:
    """The most VmRSS has ever been, in MB of a million bytes."""
    return _status_kb(pid, "VmHWM") * 1024 / 1e6


def tree(pid: int) -> list[int]:
    """The process and its living descendants."""
    parents = {int(entry.name): _parent(entry) for entry in PROC.iterdir() if entry.name.isdigit()}
    found = [pid]
    for member in found:
        found += [child for child, parent in parents.items() if parent == member]
    return found


def _parent(process: Path) -> int:
    try:
        return int(_stat(process)[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def _ticks(pid: int) -> int:
    fields = _stat(PROC / str(pid))
    return int(fields[11]) + int(fields[12])


def _stat(process: Path) -> list[str]:
    """The fields behind the name, which may hold blanks: state first, then the parent."""
    return (process / "stat").read_text().rpartition(")")[2].split()


def _status_kb(pid: int, name: str) -> int:
    for line in (PROC / str(pid) / "status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise ProcessLookupError(f"process {pid} has no {name}")
