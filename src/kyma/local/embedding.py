"""Sentence embeddings on this machine: all-MiniLM-L6-v2 (Apache-2.0, 384 dimensions) on onnxruntime, without a network.

It knows texts, vectors and token counts, and nothing of requests or prices. Everything here computes on the thread that
calls it (2 to 70 ms a text on one core) and may be called from several at once. Importing this module loads no engine;
the first embedder does (about 0.6 s and 160 MB).

Facts of the files (tried 2026-11): the graph gives hidden states, so pooling is ours; its weights are int8 on disk
only, so a vector does not depend on what else is in its batch; long texts in one batch take longer together than one by
one, and with onnxruntime's memory arena they keep 0.5 GB for good. Since 1.29 onnxruntime reports to its maker by
default, model names and hashes among it, and keeps an identifier of the machine in the user's cache folder; it is told
not to before it is loaded (its Privacy.md: afterwards is too late).
"""

import importlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from kyma.local import LocalModelError
from kyma.local.child import available_cores

DIMENSIONS = 384
MAX_TOKENS = 256
"""What the model was made for; the rest of a longer text is left out. Source: its model card, `max_seq_length`."""
MAX_CHARS = 64 * 1024
"""No more of a text is looked at: its first 256 tokens lie before that unless it is nearly all white space."""
BATCH_TOKENS = 512
MAX_THREADS = 4
ERRORS_ONLY = 3
NO_REPORTS = "ORT_DISABLE_TELEMETRY"
NO_SPINNING = "session.intra_op.allow_spinning"

Encodings = list[tuple[int, list[int]]]


class Embedded(msgspec.Struct, frozen=True):
    """A vector of length 1 for each text, in order, and how many tokens of it the model read."""

    vectors: list[list[float]]
    tokens: list[int]


class Reranked(msgspec.Struct, frozen=True):
    """For each document, in order, how near it is to the query, 0 to 1; and how many tokens were read for it all."""

    scores: list[float]
    tokens: int


class LocalEmbedder:
    """The model in memory; all methods may be called from any thread.

    Raises: LocalModelError if it cannot be loaded.
    """

    def __init__(self, model_path: Path, tokenizer_path: Path, threads: int | None = None) -> None:
        os.environ[NO_REPORTS] = "1"
        self._numpy, onnxruntime, tokenizers = map(_engine, ("numpy", "onnxruntime", "tokenizers"))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or _threads(available_cores())
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        options.log_severity_level = ERRORS_ONLY
        options.add_session_config_entry(NO_SPINNING, "0")  # idle threads would burn the cores that serve requests
        try:
            self._session = onnxruntime.InferenceSession(str(model_path), options, providers=["CPUExecutionProvider"])
            self._tokenizer = tokenizers.Tokenizer.from_file(str(tokenizer_path))
        except Exception as error:  # both engines raise their own kinds, and bare Exception for a broken file
            raise LocalModelError(f"the local embedding model cannot be loaded: {error}") from error
        # The file pads to 128 tokens and cuts there, which is how the model was trained and not what it can read.
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """How many tokens the model would read of each text, its two marks included."""
        return [len(ids) for ids in self._tokenize(texts)]

    def find_too_long(self, texts: Sequence[str]) -> int | None:
        """The place of the first text that has more tokens than the model reads."""
        encodings = self._tokenizer.encode_batch([text[:MAX_CHARS] for text in texts])
        for place, (text, encoding) in enumerate(zip(texts, encodings, strict=True)):
            if len(text) > MAX_CHARS or encoding.overflowing:
                return place
        return None

    def embed(self, texts: Sequence[str]) -> Embedded:
        """A vector for each text, in order."""
        matrix, tokens = self._embed(texts)
        return Embedded(matrix.tolist(), tokens)

    def rerank(self, query: str, documents: Sequence[str]) -> Reranked:
        """The cosine between the query and each document; one that points away from it scores 0."""
        matrix, tokens = self._embed([query, *documents])
        cosines = matrix[1:] @ matrix[0]
        return Reranked(self._numpy.clip(cosines, 0.0, 1.0).tolist(), sum(tokens))

    def _embed(self, texts: Sequence[str]) -> tuple[Any, list[int]]:
        encodings = self._tokenize(texts)
        matrix = self._numpy.zeros((len(texts), DIMENSIONS), dtype=self._numpy.float32)
        for batch in _batches(encodings):
            matrix[[index for index, _ in batch]] = self._run([ids for _, ids in batch])
        return matrix, [len(ids) for ids in encodings]

    def _tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        return [encoding.ids for encoding in self._tokenizer.encode_batch([text[:MAX_CHARS] for text in texts])]

    def _run(self, batch: list[list[int]]) -> Any:
        """Vectors of one batch: the mean over each text's own tokens, brought to length 1."""
        numpy = self._numpy
        ids = numpy.zeros((len(batch), max(map(len, batch))), dtype=numpy.int64)
        mask = numpy.zeros_like(ids)
        for row, tokens in enumerate(batch):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": numpy.zeros_like(ids)}
        (states,) = self._session.run(["last_hidden_state"], inputs)
        sums = (states * mask[:, :, None]).sum(axis=1, dtype=numpy.float32)
        return sums / numpy.linalg.norm(sums, axis=1, keepdims=True)


def _batches(encodings: list[list[int]]) -> Iterator[Encodings]:
    """Texts with their places, those of like length together: little is padded, and no batch is large."""
    batch: Encodings = []
    for index, ids in sorted(enumerate(encodings), key=lambda entry: len(entry[1])):
        if batch and len(ids) * (len(batch) + 1) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append((index, ids))
    if batch:
        yield batch


def _engine(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise LocalModelError(
            f"local embeddings need {name}, which is not installed here: pip install 'kyma[embed-local]'"
        ) from error


def _threads(cores: int) -> int:
    """Half the cores: the gateway and its neighbours need some too."""
    return max(1, min(MAX_THREADS, cores // 2))
