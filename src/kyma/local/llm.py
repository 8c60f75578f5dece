"""The child's program (`python -m kyma.local.llm`): llama.cpp's own HTTP server over one GGUF file, on the loopback.

It takes an `Assignment` on stdin, answers with `Listening` and serves until stdin ends or the supervisor is gone,
however that came about. Prompts and answers never leave its memory: llama.cpp quotes callers in its warnings (a broken
JSON schema, a request it could not parse), so nothing it says after the model is loaded goes anywhere, and a crash
leaves no core file.

Facts of xllamacpp 2026.10 (tried 2026-10): `n_ctx` is divided among the slots; `cache_ram_mib` defaults to 8 GiB; with
`kv_unified` two long chats together fail each other with a 500. Its threads wait for each other by spinning: on cores
that others use too, two were ten times slower than one (16 tokens: 0.7 s with one thread, 1.4 to 7.6 s with two).
"""

import ctypes
import os
import resource
import signal
import sys
from urllib.parse import urlsplit

import msgspec
import xllamacpp

from kyma.local.handshake import Assignment, Listening

PROMPT_CACHE_MIB = 64
MAX_THREADS = 8
NICENESS = 5
PR_SET_PDEATHSIG = 1
WARNINGS = 2


def main() -> None:
    """Serve one assignment for as long as the supervisor lives."""
    _die_with_parent()
    # Under uvloop 0.23 a child inherits second copies of its own pipes, which would never end.
    os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(NICENESS)
    answers = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    line = sys.stdin.buffer.readline()
    if not line:
        return
    assignment = msgspec.json.decode(line, type=Assignment)
    if os.getppid() != assignment.parent_pid:
        return
    server = xllamacpp.Server(_parameters(assignment))
    _mute()
    port = urlsplit(server.listening_address).port or assignment.port
    os.write(answers, msgspec.json.encode(Listening(port)) + b"\n")
    os.close(answers)
    sys.stdin.buffer.read()
    os._exit(0)


def _die_with_parent() -> None:
    """Linux kills us when the thread that forked us ends; elsewhere the end of stdin does it a moment later."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _parameters(assignment: Assignment) -> xllamacpp.CommonParams:
    params = xllamacpp.CommonParams()
    params.model.path = assignment.gguf
    params.model_alias = {assignment.name}
    params.hostnames = ["127.0.0.1"]
    params.port = assignment.port
    params.api_keys = [assignment.api_key]
    params.n_parallel = assignment.slots
    params.n_ctx = assignment.context_tokens * assignment.slots
    params.kv_unified = False
    params.cache_ram_mib = PROMPT_CACHE_MIB
    params.fit_params = False
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = _threads(_available_cores())
    params.ui = False
    params.endpoint_slots = False
    params.offline = True
    params.verbosity = WARNINGS
    return params


def _threads(cores: int) -> int:
    """Half the cores: the gateway and its neighbours need some too."""
    return max(1, min(MAX_THREADS, cores // 2))


def _available_cores() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _mute() -> None:
    """Send everything the engine still has to say nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.dup2(nowhere, sys.stderr.fileno())
    os.close(nowhere)


if __name__ == "__main__":
    main()
