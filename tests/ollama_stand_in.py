"""A stand-in for an Ollama server on loopback: it lists and describes models; its chats are the scripted upstream's.

Shapes: github.com/ollama/ollama docs/api.md, "List Local Models" and "Show Model Information", and api/types.go,
2026-08-21.
"""

import json
import threading
import urllib.request
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


def tag(name: str, family: str, size: str, digest: str = "a80c4f17acd55265", **more: object) -> dict[str, Any]:
    """A row of the list."""
    details = {"parent_model": "", "format": "gguf", "family": family, "families": [family], "parameter_size": size}
    row = {"name": name, "model": name, "modified_at": "2025-05-04T17:37:44.706015396-07:00", "size": 2019393189}
    return row | {"digest": digest, "details": {**details, "quantization_level": "Q4_K_M"}, **more}


def shown(architecture: str, *capabilities: str, context: int = 8192, parameters: str = "") -> dict[str, Any]:
    """The description of a model."""
    info = {
        "general.architecture": architecture,
        "general.file_type": 2,
        "general.parameter_count": 8030261248,
        f"{architecture}.attention.layer_norm_rms_epsilon": 0.00001,
        f"{architecture}.context_length": context,
        "tokenizer.ggml.merges": [],
        "tokenizer.ggml.model": "gpt2",
    }
    details = {"parent_model": "", "format": "gguf", "family": architecture, "families": [architecture]}
    more = {"parameter_size": "8.0B", "quantization_level": "Q4_0"}
    said = {"modelfile": "FROM x", "parameters": parameters, "template": "{{ .Prompt }}", "details": details | more}
    return said | {"model_info": info, "capabilities": list(capabilities), "modified_at": "2025-05-04T17:37:44.7-07:00"}


LLAMA = (tag("llama3.2:3b", "llama", "3.2B"), shown("llama", "completion", "tools", context=131072))
SEER = (tag("llava:latest", "llama", "7B"), shown("llama", "completion", "vision", parameters="num_ctx      4096"))
THINKER = (tag("Acme/Owl:Q4_K_M", "qwen3", "8.2B"), shown("qwen3", "completion", "tools", "thinking", context=40960))
EMBEDDER = (tag("nomic-embed-text:latest", "nomic-bert", "137M"), shown("nomic-bert", "embedding", context=2048))
CLOUD = (
    tag("gpt-oss:120b-cloud", "gptoss", "116.8B", remote_model="gpt-oss:120b", remote_host="https://ollama.com:443"),
    shown("gptoss", "completion", "tools", "thinking"),
)


class OllamaStandIn:
    """A context manager. `models` may change at any time; `asked` counts questions by path."""

    def __init__(self, upstream: str, *models: tuple[dict[str, Any], dict[str, Any]]) -> None:
        self.models = list(models)
        self.is_garbled = False
        self.asked: list[str] = []
        self.keys: set[str] = set()
        self._upstream = upstream
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.base_url = f"http://127.0.0.1:{self._server.server_port}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def answer(self, path: str, body: bytes) -> tuple[int, bytes]:
        self.asked.append(path)
        if path == "/api/tags":
            rows = [row for row, _ in self.models]
            return 200, b"<html>" if self.is_garbled else json.dumps({"models": rows}).encode()
        if path == "/api/show":
            name = json.loads(body)["model"]
            found: Mapping[str, Any] | None = next((said for row, said in self.models if row["name"] == name), None)
            return (200, json.dumps(found).encode()) if found else (404, b'{"error":"model not found"}')
        if path.startswith("/v1/"):
            asked = json.loads(body) | {"model": "script:ok"}
            request = urllib.request.Request(
                self._upstream + path.removeprefix("/v1"),
                json.dumps(asked).encode(),
                {"content-type": "application/json"},
            )
            with urllib.request.urlopen(request, timeout=10) as response:
                return 200, response.read()
        return 404, b"404 page not found"

    def stop(self) -> None:
        """Be gone; doing so twice changes nothing."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _handler(ollama: OllamaStandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["content-length"])))

        def _answer(self, body: bytes) -> None:
            ollama.keys.add(self.headers.get("authorization", ""))
            status, said = ollama.answer(self.path, body)
            self.send_response(status)
            self.send_header("content-type", "application/json; charset=utf-8")
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
