"""The engines there are, as their supervisor sees them; none is loaded here."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import msgspec

from kyma.local.embed_install import EmbeddingFiles
from kyma.local.handshake import Assignment, ChatAssignment, EmbeddingAssignment

Order = Callable[[int, int, str], Assignment]


class Engine(msgspec.Struct, frozen=True):
    """A program that serves one model. `order(parent_pid, port, api_key)` is what its child is told."""

    name: str
    program: str
    extra: str
    modules: tuple[str, ...]
    """What the extra brings and the program imports."""
    files: tuple[Path, ...]
    order: Order

    def what_is_missing(self) -> str:
        """Why it cannot be started here; an empty text if it can."""
        if not has_modules(self.modules):
            return f"{self.name} needs {', '.join(self.modules)}: install Kyma with its extra `{self.extra}`"
        lacking = [path for path in self.files if not path.is_file()]
        return f"the model file {lacking[0]} does not exist" if lacking else ""


def llama(gguf: Path, *, name: str, context_tokens: int = 8192, slots: int = 2, replicas: int = 1) -> Engine:
    """llama.cpp's own server over a GGUF file; `replicas` is how many of it share the machine."""

    def order(parent_pid: int, port: int, api_key: str) -> Assignment:
        return ChatAssignment(
            parent_pid=parent_pid,
            port=port,
            api_key=api_key,
            name=name,
            gguf=str(gguf.absolute()),
            context_tokens=context_tokens,
            slots=slots,
            replicas=replicas,
        )

    return Engine(name, "kyma.local.llm", "local", ("xllamacpp",), (gguf,), order)


EMBEDDING_MODULES = ("numpy", "onnxruntime", "tokenizers")


def has_modules(modules: tuple[str, ...]) -> bool:
    """Whether they could be imported; looks, and imports nothing."""
    return all(importlib.util.find_spec(module) for module in modules)


def minilm(files: EmbeddingFiles, *, name: str) -> Engine:
    """The embedding model, for embeddings and rerank."""

    def order(parent_pid: int, port: int, api_key: str) -> Assignment:
        return EmbeddingAssignment(
            parent_pid=parent_pid,
            port=port,
            api_key=api_key,
            name=name,
            model=str(files.model.absolute()),
            tokenizer=str(files.tokenizer.absolute()),
        )

    paths = (files.model, files.tokenizer)
    return Engine(name, "kyma.local.embed", "embed-local", EMBEDDING_MODULES, paths, order)
