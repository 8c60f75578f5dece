"""The embedding child's program alone, with the real engine and the real model."""

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kyma.local.embed import TEXTS_AT_ONCE
from kyma.local.embedding import DIMENSIONS, MAX_TOKENS
from kyma.local.engines import minilm
from kyma.local.handshake import Listening
from tests.local_model import installed_embedding_model
from tests.unit.local.processes import dies_with_its_parent

KEY = "a-key-of-the-test"
PROGRAM = [sys.executable, "-P", "-m", "kyma.local.embed"]
SECRET = "xylophonic-marmalade"


class Child:
    def __init__(self, log: Path) -> None:
        self.log = log
        with log.open("wb") as said:
            self.process = subprocess.Popen(PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said)
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(assignment(os.getpid()))
        self.process.stdin.flush()
        self.port = msgspec.json.decode(self.process.stdout.readline(), type=Listening).port

    def ask(self, path: str, body: bytes, key: str = KEY) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("POST", path, body, {"Authorization": f"Bearer {key}"})
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def embed(self, texts: object, **fields: object) -> tuple[int, Any]:
        return self.ask("/v1/embeddings", json.dumps({"model": "m", "input": texts, **fields}).encode())

    def rank(self, query: str, documents: list[str]) -> Any:
        body = {"model": "m", "query": query, "documents": documents}
        status, answer = self.ask("/v1/rerank", json.dumps(body).encode())
        assert status == 200, answer
        return answer

    def close(self) -> int:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait(5)


def assignment(parent_pid: int) -> bytes:
    order = minilm(installed_embedding_model(), name="mini").order(parent_pid, 0, KEY)
    return msgspec.json.encode(order) + b"\n"


@pytest.fixture(scope="module")
def child(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    running = Child(tmp_path_factory.mktemp("child") / "stderr")
    yield running
    running.close()


def test_a_vector_for_each_text_and_a_count_of_tokens(child: Child) -> None:
    status, answer = child.embed(["cat", "a cat sat"])
    assert (status, answer["model"], answer["usage"]["prompt_tokens"]) == (200, "mini", 3 + 5)
    assert [len(entry["embedding"]) for entry in answer["data"]] == [DIMENSIONS] * 2


def test_many_texts_get_the_vectors_they_would_get_alone(child: Child) -> None:
    texts = [f"text number {number}" for number in range(2 * TEXTS_AT_ONCE + 1)]
    together = child.embed(texts)[1]
    for place in (0, TEXTS_AT_ONCE, len(texts) - 1):
        alone = child.embed(texts[place])[1]["data"][0]["embedding"]
        assert together["data"][place]["embedding"] == pytest.approx(alone, abs=1e-5)


def test_many_documents_are_scored_as_they_would_be_alone_and_the_query_counts_once(child: Child) -> None:
    documents = [f"document number {number}" for number in range(TEXTS_AT_ONCE)] + ["The sky is blue"]
    ranked = child.rank("What colour is the sky?", documents)
    assert ranked["results"][0]["index"] == TEXTS_AT_ONCE
    alone = child.rank("What colour is the sky?", documents[-1:])["results"][0]["relevance_score"]
    assert ranked["results"][0]["relevance_score"] == pytest.approx(alone, abs=1e-5)
    tokens = child.embed(["What colour is the sky?", *documents])[1]["usage"]["prompt_tokens"]
    assert ranked["usage"]["prompt_tokens"] == tokens


@pytest.mark.parametrize("words", [MAX_TOKENS - 1, 100_000])
def test_a_text_longer_than_the_model_reads_is_refused_by_its_place(child: Child, words: int) -> None:
    assert child.embed(["short", "word " * (MAX_TOKENS - 2)])[0] == 200
    status, answer = child.embed(["short", "word " * words])
    assert (status, answer["error"]["code"]) == (400, "context_length_exceeded")
    assert "256 tokens" in answer["error"]["message"] and "input.1" in answer["error"]["message"]


def test_a_document_longer_than_the_model_reads_is_ranked_by_its_beginning(child: Child) -> None:
    long = "Paris is the capital of France. " + "word " * 1000
    assert child.rank("capital of France?", ["bananas", long])["results"][0]["index"] == 1


@pytest.mark.parametrize("fields", [{"input": [1, 2]}, {"input": "a", "dimensions": DIMENSIONS + 1}, {"input": 1}])
def test_what_it_cannot_do_is_a_plain_400(child: Child, fields: dict[str, object]) -> None:
    assert child.embed(fields.pop("input"), **fields)[0] == 400


def test_refuses_a_request_without_the_key(child: Child) -> None:
    assert child.ask("/v1/embeddings", b'{"model":"m","input":"a"}', key="another")[0] == 401
    assert child.ask("/v1/chat/completions", b"{}")[0] == 404


def test_what_callers_wrote_is_never_logged(child: Child) -> None:
    assert child.embed(SECRET)[0] == 200
    assert child.ask("/v1/embeddings", b'{"input": "' + SECRET.encode())[0] == 400
    assert child.log.read_text() == ""


def test_the_key_is_in_no_place_that_other_users_can_read(child: Child) -> None:
    assert KEY.encode() not in Path(f"/proc/{child.process.pid}/cmdline").read_bytes()


def test_ends_when_its_stdin_ends_and_when_it_is_told_to(tmp_path: Path) -> None:
    assert Child(tmp_path / "stderr").close() == 0
    told = Child(tmp_path / "stderr")
    assert told.embed("a")[0] == 200
    told.process.terminate()
    assert told.process.wait(5) == 0
    told.close()


def test_is_killed_with_its_parent_even_if_its_stdin_stays_open() -> None:
    assert dies_with_its_parent(PROGRAM, assignment)
