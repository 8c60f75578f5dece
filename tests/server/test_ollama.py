"""Models of an Ollama server appear by themselves, answer for nothing, and leave when they are gone."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.gateway_catalog import ModelSpec, RouteSpec
from tests.gateway_process import GatewayProcess
from tests.ollama_stand_in import CLOUD, EMBEDDER, LLAMA, SEER, THINKER, OllamaStandIn, tag
from tests.server.api import Api
from tests.server.waiting import wait_until
from tests.upstream.process import UpstreamProcess


@pytest.fixture
def ollama(upstream: UpstreamProcess) -> Iterator[OllamaStandIn]:
    with OllamaStandIn(upstream.base_url, LLAMA, EMBEDDER) as stand_in:
        yield stand_in


def gateway_for(ollama: OllamaStandIn, folder: Path, *models: ModelSpec, **env: str) -> GatewayProcess:
    known = {"OLLAMA_BASE_URL": ollama.base_url, "KYMA_OLLAMA_REFRESH_S": "0.05", **env}
    return GatewayProcess(folder, [], models, env=known)


def offered(gateway: GatewayProcess) -> Mapping[str, Mapping[str, Any]]:
    rows = Api(gateway.port, "").get("/v1/models").json()["data"]
    return {row["id"]: row for row in rows}


def wait_offered(gateway: GatewayProcess, *ids: str) -> Mapping[str, Mapping[str, Any]]:
    wait_until(lambda: offered(gateway).keys() == set(ids), 10)
    return offered(gateway)


def customer(gateway: GatewayProcess) -> Api:
    return Api(gateway.port, gateway.key, (b"ollama",))


def test_a_model_appears_answers_and_disappears(ollama: OllamaStandIn, tmp_path: Path) -> None:
    with gateway_for(ollama, tmp_path) as gateway:
        row = wait_offered(gateway, "llama3.2:3b", "nomic-embed-text")["llama3.2:3b"]
        assert (row["owned_by"], row["context_window"]) == ("llama", 131072)
        api = customer(gateway)
        answer = api.chat("llama3.2:3b")
        assert (answer.status, answer.text, answer.cost) == (200, "w0 w1 w2 w3 w4", 0)
        ollama.models.remove(LLAMA)
        wait_offered(gateway, "nomic-embed-text")
        assert api.chat("llama3.2:3b").status == 404


def test_an_embedding_model_embeds(ollama: OllamaStandIn, tmp_path: Path) -> None:
    with gateway_for(ollama, tmp_path) as gateway:
        wait_offered(gateway, "llama3.2:3b", "nomic-embed-text")
        answer = customer(gateway).post("/v1/embeddings", {"model": "nomic-embed-text", "input": "a cat"})
        assert answer.status == 200 and answer.json()["data"][0]["embedding"]


def test_a_model_that_is_pulled_later_comes_too_and_the_others_are_not_asked_for_again(
    ollama: OllamaStandIn, tmp_path: Path
) -> None:
    with gateway_for(ollama, tmp_path) as gateway:
        wait_offered(gateway, "llama3.2:3b", "nomic-embed-text")
        ollama.models.append(SEER)
        row = wait_offered(gateway, "llama3.2:3b", "nomic-embed-text", "llava")["llava"]
        assert "image" in row["input_modalities"] and row["context_window"] == 4096
        assert ollama.asked.count("/api/show") == 3


def test_names_with_an_owner_and_with_the_usual_tag_are_understood(ollama: OllamaStandIn, tmp_path: Path) -> None:
    ollama.models[:] = [THINKER, SEER]
    with gateway_for(ollama, tmp_path) as gateway:
        wait_offered(gateway, "owl:q4_k_m", "llava")
        api = customer(gateway)
        for name in ("owl:q4_k_m", "acme/owl:q4_k_m", "Acme/Owl:Q4_K_M", "llava", "llava:latest"):
            assert api.chat(name).status == 200, name


def test_a_model_in_ollamas_cloud_is_neither_local_nor_free(ollama: OllamaStandIn, tmp_path: Path) -> None:
    ollama.models.append(CLOUD)
    with gateway_for(ollama, tmp_path) as gateway:
        wait_offered(gateway, "llama3.2:3b", "nomic-embed-text")


def test_what_the_operator_sells_is_not_given_away_beside_it(ollama: OllamaStandIn, tmp_path: Path) -> None:
    sold = ModelSpec("house-llama", [RouteSpec("ollama", "llama3.2:3b", {"input": "0", "output": "0"})])
    with gateway_for(ollama, tmp_path, sold) as gateway:
        wait_offered(gateway, "house-llama", "nomic-embed-text")
        assert customer(gateway).chat("house-llama").cost > 0


def test_a_row_of_the_operators_own_keeps_its_id(ollama: OllamaStandIn, tmp_path: Path) -> None:
    named = ModelSpec("llama3.2:3b", [RouteSpec("ollama", "other:1b", {"input": "0", "output": "0"})])
    with gateway_for(ollama, tmp_path, named) as gateway:
        assert wait_offered(gateway, "llama3.2:3b", "nomic-embed-text")["llama3.2:3b"]["owned_by"] == "Tests"
        assert customer(gateway).chat("llama3.2:3b").cost > 0


def test_models_leave_with_their_server_and_come_back_with_it(
    ollama: OllamaStandIn, upstream: UpstreamProcess, tmp_path: Path
) -> None:
    with gateway_for(ollama, tmp_path) as gateway:
        wait_offered(gateway, "llama3.2:3b", "nomic-embed-text")
        ollama.stop()
        wait_offered(gateway)
    assert gateway.log().count("ollama does not say which models it has") == 1


def test_a_server_that_answers_nonsense_keeps_what_it_had(ollama: OllamaStandIn, tmp_path: Path) -> None:
    with gateway_for(ollama, tmp_path) as gateway:
        wait_offered(gateway, "llama3.2:3b", "nomic-embed-text")
        ollama.is_garbled = True
        asked = len(ollama.asked)
        wait_until(lambda: len(ollama.asked) > asked + 2)
        assert offered(gateway).keys() == {"llama3.2:3b", "nomic-embed-text"}


def test_a_server_with_a_key_is_asked_with_it(ollama: OllamaStandIn, tmp_path: Path) -> None:
    with gateway_for(ollama, tmp_path, OLLAMA_API_KEY="sk-house") as gateway:
        wait_offered(gateway, "llama3.2:3b", "nomic-embed-text")
    assert ollama.keys == {"Bearer sk-house"}


def test_nobody_is_asked_where_discovery_is_off(ollama: OllamaStandIn, tmp_path: Path) -> None:
    with gateway_for(ollama, tmp_path, KYMA_OLLAMA_REFRESH_S="0") as gateway:
        customer(gateway).chat("llama3.2:3b")
    assert ollama.asked == []


def test_the_books_hold_the_price_of_what_was_found(ollama: OllamaStandIn, tmp_path: Path) -> None:
    ollama.models.append((tag("odd name!:latest", "llama", ""), LLAMA[1]))
    with gateway_for(ollama, tmp_path) as gateway:
        wait_offered(gateway, "llama3.2:3b", "nomic-embed-text", "odd-name-")
        assert customer(gateway).chat("odd-name-").status == 200
    verified = gateway.cli("ledger", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
