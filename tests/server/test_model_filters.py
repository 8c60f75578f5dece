"""The parameters of GET /v1/models, on the packaged catalog."""

import anthropic
import pytest

from tests.gateway_process import GatewayProcess
from tests.server.api import Api
from tests.server.customers import stranger

PURPOSES = (
    *("general", "coding", "reasoning", "agent", "vision", "fast", "cheap", "long-context", "math", "multilingual"),
    *("balanced", "value", "writing", "bulk"),
)
NAMES = (
    *("recommended_for", "tools", "vision", "reasoning", "structured_outputs", "latency_tier", "cost_tier"),
    *("quality_tier", "min_context_window", "max_input_price", "tier", "capability", "modality", "q", "include"),
    *("limit", "before_id", "after_id"),
)


@pytest.fixture
def anybody(groq_gateway: GatewayProcess) -> Api:
    return stranger(groq_gateway.port)


def ids(api: Api, query: str) -> list[str]:
    answer = api.get(f"/v1/models?include=all&{query}")
    assert answer.status == 200, answer
    return [row["id"] for row in answer.json()["data"]]


@pytest.mark.parametrize(
    ("query", "inside", "outside"),
    [
        ("recommended_for=vision", "gemma-4-31b", "gpt-oss-120b"),
        ("recommended_for=vision,%20writing", "gpt-oss-120b", "glm-4.7-flash"),
        ("tools=true", "gpt-oss-120b", "recraft-v4"),
        ("tools=false", "voyage-4", "gpt-oss-120b"),
        ("vision=1", "gemma-4-31b", "gpt-oss-120b"),
        ("reasoning=yes", "deepseek-r1", "llama-3.3-70b"),
        ("structured_outputs=TRUE", "gpt-oss-120b", "voyage-4"),
        ("latency_tier=fast", "gpt-oss-120b", "gpt-image-2"),
        ("cost_tier=premium", "claude-opus-4-7", "gpt-oss-120b"),
        ("quality_tier=frontier-open", "claude-opus-4-7", "glm-4.7-flash"),
        ("quality_tier=frontier", "claude-opus-4-7", "glm-4.7-flash"),
        ("min_context_window=1000000", "deepseek-v4-pro", "gpt-oss-120b"),
        ("max_input_price=0.189", "gemma-4-31b", "gpt-oss-120b"),
        ("tier=quality", "kling-3-pro", "hailuo-02-1080p"),
        ("tier=fast", "hailuo-02-1080p", "gpt-oss-120b"),
        ("capability=vector", "recraft-v4-vector", "recraft-v4"),
        ("capability=chat", "gpt-oss-120b", "voyage-4"),
        ("capability=rerank", "rerank-2.5", "voyage-4"),
        ("modality=video", "veo-3", "imagen-4"),
        ("modality=text", "voyage-4", "whisper-v3-turbo"),
        ("q=ALIBABA%20plus", "qwen-3.6-plus", "qwen-3-32b"),
        ("q=scripts", "gpt-image-2", "gpt-oss-120b"),
        ("tools=true&vision=true&cost_tier=cheap", "gemma-4-31b", "claude-opus-4-7"),
    ],
)
def test_a_filter_keeps_one_and_leaves_the_other(anybody: Api, query: str, inside: str, outside: str) -> None:
    found = ids(anybody, query)
    assert inside in found and outside not in found


def test_the_quality_picker_is_the_contracts(anybody: Api) -> None:
    quality = {"kling-3-pro", "seedance-2-pro", "gpt-image-2", "flux-2-pro", "ideogram-v3", "recraft-v4-pro"}
    assert set(ids(anybody, "tier=quality")) == quality


def test_the_largest_price_is_within(anybody: Api) -> None:
    assert "gpt-oss-120b" in ids(anybody, "max_input_price=0.2025")
    assert "gpt-oss-120b" not in ids(anybody, "max_input_price=0.202499")


def test_filters_are_for_what_is_offered_unless_all_is_asked_for(anybody: Api) -> None:
    assert [row["id"] for row in anybody.get("/v1/models?capability=chat").json()["data"]] == ["gpt-oss-120b"]
    assert anybody.get("/v1/models?modality=image").json()["data"] == []


@pytest.mark.parametrize(
    ("query", "param", "right"),
    [
        ("recommended_for=coding,fun", "recommended_for", PURPOSES),
        ("tools=maybe", "tools", ("true", "false")),
        ("latency_tier=quick", "latency_tier", ("fast", "medium", "slow")),
        ("cost_tier=free", "cost_tier", ("cheap", "balanced", "premium")),
        ("quality_tier=best", "quality_tier", ("efficient", "strong", "frontier-open")),
        ("tier=slow", "tier", ("quality", "fast", "cheap")),
        ("capability=flying", "capability", ("chat", "vector", "audio-understand", "stt", "image_edit")),
        ("modality=smell", "modality", ("text", "image", "video", "audio")),
        ("include=everything", "include", ("available", "all")),
        ("min_context_window=many", "min_context_window", ("integer",)),
        ("min_context_window=-1", "min_context_window", ("greater",)),
        ("max_input_price=nan", "max_input_price", ("finite number",)),
        ("limit=0", "limit", ("greater",)),
        ("after_id=nobody", "after_id", ("nobody",)),
        ("tols=true", "tols", NAMES),
        ("Tools=true", "Tools", NAMES),
    ],
)
def test_what_is_wrong_is_told_what_would_be_right(
    anybody: Api, query: str, param: str, right: tuple[str, ...]
) -> None:
    answer = anybody.get(f"/v1/models?{query}")
    assert (answer.status, answer.error["type"], answer.error["param"]) == (400, "invalid_request", param)
    assert all(word in answer.error["message"] for word in right), answer.error


@pytest.mark.parametrize("query", ["beta=true", "client_version=0.169.0"])
def test_what_clients_add_by_themselves_does_no_harm(anybody: Api, query: str) -> None:
    assert anybody.get(f"/v1/models?{query}").json() == anybody.get("/v1/models").json()


def test_pages_meet(anybody: Api) -> None:
    everything = ids(anybody, "modality=audio")
    first = anybody.get("/v1/models?include=all&modality=audio&limit=10").json()
    assert ([row["id"] for row in first["data"]], first["has_more"]) == (everything[:10], True)
    assert (first["first_id"], first["last_id"]) == (everything[0], everything[9])
    second = anybody.get(f"/v1/models?include=all&modality=audio&limit=10&after_id={first['last_id']}").json()
    assert ([row["id"] for row in second["data"]], second["has_more"]) == (everything[10:20], len(everything) > 20)
    back = anybody.get(f"/v1/models?include=all&modality=audio&limit=4&before_id={everything[10]}").json()
    assert ([row["id"] for row in back["data"]], back["has_more"]) == (everything[6:10], True)


def test_anthropics_client_turns_the_pages(groq_gateway: GatewayProcess) -> None:
    with anthropic.Anthropic(base_url=groq_gateway.base_url, api_key=groq_gateway.key) as client:
        extra = {"include": "all", "modality": "image"}
        found = [model.id for model in client.models.list(limit=5, extra_query=extra)]
    assert len(found) == len(set(found)) == 16
