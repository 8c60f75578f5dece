"""The child's program (`python -m kyma.local.llm`): llama.cpp's own HTTP server over one GGUF file, on the loopback.

It takes an `Assignment` on stdin, answers with `Listening` and serves until stdin ends or the supervisor is gone,
however that came about. Prompts and answers never leave its memory: llama.cpp quotes callers in its warnings (a broken
JSON schema, a request it could not parse), so nothing it says after the model is loaded goes anywhere, and a crash
leaves no core file.

Facts of xllamacpp 2026.10 (tried 2026-10): `n_ctx` is divided among the slots; `cache_ram_mib` defaults to 8 GiB; with
`kv_unified` two long chats together fail each other with a 500. Its threads wait for each other by spinning: on cores
that others use too, two were ten times slower than one (16 tokens: 0.7 s with one thread, 1.4 to 7.6 s with two).
"""

from urllib.parse import urlsplit

import xllamacpp

from kyma.local.child import available_cores, take_orders
from kyma.local.handshake import ChatAssignment

PROMPT_CACHE_MIB = 64
MAX_THREADS = 8
WARNINGS = 2


def main() -> None:
    """Serve one assignment for as long as the supervisor lives."""
    child = take_orders(ChatAssignment)
    if child is None:
        return
    server = xllamacpp.Server(_parameters(child.assignment))
    child.announce(urlsplit(server.listening_address).port or child.assignment.port)
    child.live_on()


def _parameters(assignment: ChatAssignment) -> xllamacpp.CommonParams:
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
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = _threads(available_cores(), assignment.replicas)
    params.ui = False
    params.endpoint_slots = False
    params.offline = True
    params.verbosity = WARNINGS
    return params


def _threads(cores: int, replicas: int) -> int:
    """Half the cores for all replicas together: the gateway and its neighbours need some too."""
    return max(1, min(MAX_THREADS, cores // 2 // replicas))


if __name__ == "__main__":
    main()
