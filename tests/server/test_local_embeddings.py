"""The real embedding model beside a real gateway: it means something, is charged for, and lives and dies with it."""

import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import openai
import pytest

from kyma.local import embed_install
from tests.gateway_process import GatewayProcess
from tests.local_model import embedding_model_in, model_in
from tests.server.api import NANOS, Api
from tests.server.waiting import MODEL_READY_S, wait_until
from tests.server.whole import embed, rank
from tests.unit.local.processes import is_gone_within

MODEL, RERANKER = "all-minilm-l6-v2", "all-minilm-l6-v2-rerank"
PRICE = 10
"""Nano-dollars a token."""

DOCUMENTS = (
    "Bananas are yellow.",
    "France is famous for its cheese.",
    "The capital of France is Paris.",
    "Elephants never forget.",
)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """The embedding model and no chat model: the file of that is none, so its engine stays down."""
    process = with_embedding_model(tmp_path_factory.mktemp("embedding"))
    with process:
        wait_for_embedding_model(process)
        yield process


@pytest.fixture
def api(gateway: GatewayProcess) -> Api:
    return Api(gateway.port, gateway.key)


@pytest.fixture
def client(gateway: GatewayProcess) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{gateway.base_url}/v1", api_key=gateway.key, max_retries=0, timeout=30) as sdk:
        yield sdk


def with_embedding_model(folder: Path) -> GatewayProcess:
    env = {"KYMA_LOCAL_ENABLED": "true", "KYMA_LOCAL_GGUF": "/nowhere/model.gguf"}
    process = GatewayProcess(folder, [], [], env=env)
    embedding_model_in(process.data_dir)
    return process


def wait_for_embedding_model(gateway: GatewayProcess) -> None:
    api = Api(gateway.port, "")
    wait_until(lambda: api.get("/v1/status").json()["local_embedding"]["state"] == "ready", MODEL_READY_S)


def children_of(pid: int) -> list[int]:
    found = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    return [int(child) for children in found for child in children]


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """Of two vectors of length 1."""
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_the_sdk_finds_what_means_the_same(client: openai.OpenAI) -> None:
    texts = [
        "How do I reset my password?",
        "Steps to recover a forgotten login credential",
        "The new movie is awesome",
    ]
    answer = client.embeddings.create(model=MODEL, input=texts)
    question, same, other = (entry.embedding for entry in answer.data)
    assert len(question) == 384 and cosine(question, question) == pytest.approx(1.0, abs=1e-5)
    assert cosine(question, same) > 0.4 > 0.2 > cosine(question, other)


def test_both_encodings_say_the_same_and_fewer_dimensions_its_beginning(client: openai.OpenAI) -> None:
    asked = client.embeddings.create(model=MODEL, input="hello", encoding_format="float").data[0].embedding
    unasked = client.embeddings.create(model=MODEL, input="hello").data[0].embedding
    assert unasked == pytest.approx(asked, abs=1e-6)
    short = client.embeddings.create(model=MODEL, input="hello", dimensions=64).data[0].embedding
    assert len(short) == 64 and cosine(short, short) == pytest.approx(1.0, abs=1e-5)
    assert short[0] / short[1] == pytest.approx(asked[0] / asked[1], rel=1e-3)


def test_it_is_charged_to_the_nano_dollar(api: Api) -> None:
    before = api.balance()
    answer = embed(api, MODEL, ["cat", "a cat sat"])
    assert answer.json()["usage"]["prompt_tokens"] == 3 + 5
    assert before - api.balance() == answer.cost == 8 * PRICE
    assert answer.headers["x-kyma-model"] == MODEL


def test_the_right_document_comes_first(api: Api) -> None:
    before = api.balance()
    answer = rank(api, RERANKER, "What is the capital of France?", DOCUMENTS, return_documents=True)
    results = answer.json()["results"]
    assert results[0]["document"] == {"text": DOCUMENTS[2]}
    assert results[1]["index"] == 1
    assert all(0 <= result["relevance_score"] <= 1 for result in results)
    assert before - api.balance() == answer.cost == answer.json()["usage"]["prompt_tokens"] * PRICE > 0


def test_what_the_model_cannot_do_is_the_callers_mistake_and_costs_nothing(client: openai.OpenAI, api: Api) -> None:
    before = api.balance()
    with pytest.raises(openai.BadRequestError, match="256 tokens") as caught:
        client.embeddings.create(model=MODEL, input=["short", "word " * 300])
    assert caught.value.code == "context_length_exceeded"
    with pytest.raises(openai.BadRequestError, match="at most 384"):
        client.embeddings.create(model=MODEL, input="short", dimensions=385)
    with pytest.raises(openai.BadRequestError, match="token ids"):
        client.embeddings.create(model=MODEL, input=[1, 2])
    assert api.balance() == before


def test_it_is_no_chat_model_and_the_two_are_told_apart(api: Api) -> None:
    assert api.chat(MODEL).error["code"] == "not_a_chat_model"
    assert rank(api, MODEL, "q", ["d"]).error["code"] == "not_a_rerank_model"
    assert embed(api, RERANKER, "text").error["code"] == "not_an_embedding_model"


def test_its_limits_are_listed(api: Api) -> None:
    row = api.get(f"/v1/models/{MODEL}").json()
    assert (row["kind"], row["context_window"], row["output_modalities"]) == ("embedding", 256, ["embedding"])
    assert row["pricing"]["input_per_1m"] == 0.01


def test_a_killed_engine_comes_back(gateway: GatewayProcess, api: Api) -> None:
    (child,) = children_of(gateway.pid)
    os.kill(child, signal.SIGKILL)
    assert is_gone_within(child, 3)
    wait_until(lambda: embed(api, MODEL, "again").status == 200, MODEL_READY_S)
    assert children_of(gateway.pid) != [child]


def test_it_dies_with_a_killed_gateway(tmp_path: Path) -> None:
    process = with_embedding_model(tmp_path)
    process.start()
    wait_for_embedding_model(process)
    (child,) = children_of(process.pid)
    process.kill()
    assert is_gone_within(child, 3)


def test_without_the_files_it_is_known_and_says_what_is_missing(limited_gateway: GatewayProcess) -> None:
    api = Api(limited_gateway.port, limited_gateway.key)
    answer = embed(api, MODEL, "hi")
    assert (answer.status, answer.error["code"]) == (404, "model_not_available")
    assert "kyma[embed-local]" in answer.error["message"] and "kyma local install" in answer.error["message"]
    assert api.get("/v1/status").json()["local_embedding"] is None
    assert api.balance() == 100 * NANOS


def test_the_commands_know_of_it(tmp_path: Path) -> None:
    process = with_embedding_model(tmp_path)
    model_in(process.data_dir)
    installed = process.cli("local", "install").stdout
    assert f"the local embedding model is at {process.data_dir}" in installed and "fetching" not in installed
    found = process.cli("local", "status")
    assert (found.returncode, "embedding_is_intact: True" in found.stdout.splitlines()) == (0, True)
    assert f"ok    local embeddings: {process.data_dir}" in process.cli("doctor").stdout
    tokenizer = embed_install.embedding_files(process.data_dir).tokenizer
    tokenizer.unlink()
    tokenizer.write_text("{}")
    assert process.cli("local", "status").returncode == 1
    assert "FAIL  local embeddings" in process.cli("doctor").stdout
