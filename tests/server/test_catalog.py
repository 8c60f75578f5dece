"""GET /v1/models on the packaged catalog with one key set: every SKU of the contract, and rows as clients read them.

The ids are typed from the contract (3.7 to 3.10), never read from the rows.
"""

from decimal import Decimal
from typing import Any

import pytest

from tests.gateway_process import GatewayProcess
from tests.server.api import Api, exact
from tests.server.customers import stranger

TEXTS = {
    *("glm-4.7-flash", "gemma-4-31b", "deepseek-v4-flash", "gpt-oss-120b", "glm-4.5-air", "qwen-3-32b", "minimax-m2.5"),
    *("minimax-m2.7", "deepseek-v3", "llama-3.3-70b", "qwen-3-coder", "deepseek-r1", "kimi-k2.6", "kimi-k2.5"),
    *("qwen-3.6-plus", "deepseek-v4-pro", "claude-opus-4-7", "claude-sonnet-4-6", "gemini-2.5-flash", "gemini-3-flash"),
    *("glm-5.1", "qwen-3.7-max", "glm-5.2", "gemini-3.5-flash-lite", "gpt-4o-mini", "qwen3.8-flash"),
}
VECTORS = {
    *("text-embedding-3-small", "text-embedding-3-large", "voyage-4", "voyage-4-lite", "embed-v4.0", "bge-m3"),
    *("gemini-embedding-001", "qwen-3-embedding-8b", "all-minilm-l6-v2"),
}
RERANKERS = {"rerank-2.5", "rerank-2.5-lite", "rerank-v3.5", "qwen-3-reranker-8b", "all-minilm-l6-v2-rerank"}
IMAGES = {
    *("minimax-image-01", "imagen-4-fast", "imagen-4", "imagen-4-ultra", "nano-banana", "nano-banana-3-flash"),
    *("recraft-v4", "recraft-v4-pro", "recraft-v4-vector", "recraft-v4-vector-pro", "flux-2-pro", "flux-kontext-pro"),
    *("ideogram-v3", "gpt-image-2", "flux-1.1-ultra", "recraft-v3"),
}
VIDEOS = {
    *("kling-2.5-pro", "kling-3-pro", "kling-3-pro-audio", "seedance-2-pro", "seedance-2-fast"),
    *("hailuo-02-512p", "hailuo-02-768p", "hailuo-02-1080p", "veo-3-fast", "veo-3"),
}
AUDIO = {
    *("whisper-v3-turbo", "gpt-4o-mini-transcribe-2025-12-15", "gemini-3-flash-audio", "eleven-v3"),
    *("eleven-multilingual-v2", "eleven-flash-v2-5", "eleven-turbo-v2-5", "minimax-speech-hd", "minimax-speech-turbo"),
    *("elevenlabs-music", "minimax-music", "minimax-music-pro", "elevenlabs-sfx", "minimax-voice-clone"),
    *("minimax-voice-design", "gemini-2.5-flash-native-audio-preview-12-2025", "gpt-realtime-translate"),
}
WITH_GROQ_ALONE = ["gpt-oss-120b"]


@pytest.fixture
def anybody(groq_gateway: GatewayProcess) -> Api:
    return stranger(groq_gateway.port)


def listed(api: Api, query: str = "") -> list[dict[str, Any]]:
    answer = api.get(f"/v1/models{query}")
    assert answer.status == 200, answer
    rows: list[dict[str, Any]] = answer.json()["data"]
    return rows


def ids(api: Api, query: str = "") -> set[str]:
    return {row["id"] for row in listed(api, query)}


def model(api: Api, name: str) -> dict[str, Any]:
    row: dict[str, Any] = exact(api.get(f"/v1/models/{name}"))
    return row


def test_every_sku_of_the_contract_is_known(anybody: Api) -> None:
    everything = ids(anybody, "?include=all")
    assert everything >= TEXTS | VECTORS | RERANKERS | IMAGES | VIDEOS | AUDIO


@pytest.mark.parametrize(
    ("modality", "expected"), [("image", IMAGES), ("video", VIDEOS), ("audio", AUDIO)], ids=["image", "video", "audio"]
)
def test_the_media_are_those_of_the_contract_and_no_others(anybody: Api, modality: str, expected: set[str]) -> None:
    assert ids(anybody, f"?include=all&modality={modality}") == expected


def test_with_one_key_exactly_its_models_are_offered(anybody: Api) -> None:
    assert [row["id"] for row in listed(anybody)] == WITH_GROQ_ALONE


def test_what_is_not_offered_says_what_it_waits_for(anybody: Api) -> None:
    for row in listed(anybody, "?include=all"):
        assert row["available"] == (row["id"] in WITH_GROQ_ALONE)
        assert bool(row["missing"]) != (row["available"] or row["status"] == "retired"), row
    assert model(anybody, "claude-opus-4-7")["missing"][0] == "ANTHROPIC_API_KEY"
    assert "POST /v1/images/generations" in model(anybody, "recraft-v4")["missing"][0]


def test_texts_come_before_media_each_by_id(anybody: Api) -> None:
    order = [(row["modality"] != "text", row["id"]) for row in listed(anybody, "?include=all")]
    assert order == sorted(order)


def test_a_media_row(anybody: Api) -> None:
    row = model(anybody, "flux-kontext-pro")
    assert row["pricing"] == {"mode": "per-image", "currency": "USD", "per_image_usd": Decimal("0.054")}
    assert (row["modality"], row["capability"], row["pricing_mode"]) == ("image", "image_edit", "per-image")
    assert (row["endpoint"], row["status"], row["release_stage"]) == ("/v1/images/generations", "stable", "stable")
    assert row["limits"]["min_references"] == row["limits"]["max_references"] == 1
    assert {"context_window", "context_length", "max_output_tokens"}.isdisjoint(row)
    assert row["supports_tools"] is row["supports_vision"] is False
    assert (row["object"], row["type"], row["display_name"]) == ("model", "model", row["name"])


def test_statuses(anybody: Api) -> None:
    rows = {row["id"]: (row["status"], row["release_stage"]) for row in listed(anybody, "?include=all")}
    assert rows["flux-1.1-ultra"] == ("legacy", "stable")
    assert rows["nano-banana-3-flash"] == ("preview", "preview")
    assert rows["gemini-2.5-flash"] == ("retired", "stable")
    assert rows["qwen-3.6-plus"] == ("stable", "stable")


@pytest.mark.parametrize(
    ("sku", "figures"),
    [
        ("glm-4.7-flash", {"mode": "per-token", "input_per_1m": "0.081", "output_per_1m": "0.54"}),
        ("gpt-oss-120b", {"input_per_1m": "0.2025", "input": "0.2025", "output_per_1m": "0.81", "output": "0.81"}),
        ("claude-opus-4-7", {"input_per_1m": "6.75", "output_per_1m": "33.75", "cached_input_per_1m": "0.675"}),
        ("recraft-v4-pro", {"mode": "per-image", "per_image_usd": "0.338"}),
        ("flux-2-pro", {"mode": "per-mp", "first_mp_usd": "0.0405", "extra_mp_usd": "0.02025"}),
        ("seedance-2-fast", {"mode": "per-second", "per_second_usd": "0.326565"}),
        ("hailuo-02-768p", {"mode": "per-video", "per_video_usd": "0.42"}),
        ("whisper-v3-turbo", {"mode": "per-minute", "per_minute_usd": "0.0009"}),
        ("eleven-flash-v2-5", {"mode": "per-char", "per_1k_chars_usd": "0.2025"}),
        ("minimax-music", {"mode": "per-song", "per_song_usd": "0.045"}),
        ("elevenlabs-sfx", {"mode": "per-call", "per_call_usd": "0.027"}),
    ],
)
def test_prices_are_exact_and_under_the_names_of_their_mode(anybody: Api, sku: str, figures: dict[str, str]) -> None:
    row = model(anybody, sku)
    told = {name: value if name == "mode" else Decimal(value) for name, value in figures.items()}
    assert row["pricing"].items() >= told.items()
    assert row["pricing_mode"] == row["pricing"]["mode"]


def test_an_image_is_priced_by_its_quality(anybody: Api) -> None:
    pricing = model(anybody, "gpt-image-2")["pricing"]
    prices = {"low": Decimal("0.014"), "medium": Decimal("0.081"), "high": Decimal("0.297")}
    assert (pricing["mode"], pricing["default_quality"]) == ("per-quality", "medium")
    assert (pricing["per_quality_usd"], pricing["per_image_usd"]) == (prices, prices["medium"])


@pytest.mark.parametrize("name", ["GPT-OSS-120B", "openai/gpt-oss-120b", "best"])
def test_a_model_is_found_by_any_of_its_names(anybody: Api, name: str) -> None:
    assert model(anybody, name)["id"] == "gpt-oss-120b"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Anthropic/Claude-Opus-4-7", "claude-opus-4-7"),
        ("vision", "gemma-4-31b"),
        ("Recraft-V4", "recraft-v4"),
        ("openai/whisper-v3-turbo", "whisper-v3-turbo"),
        ("Transcribe", "whisper-v3-turbo"),
    ],
)
def test_what_is_not_served_is_found_the_same_way(anybody: Api, name: str, found: str) -> None:
    row = model(anybody, name)
    assert (row["id"], row["available"]) == (found, False)


def test_nobody_but_an_operator_reads_how_the_sources_do(anybody: Api, groq_gateway: GatewayProcess) -> None:
    customer = anybody.as_(groq_gateway.register("reader@example.com"))
    path = "/v1/models/gpt-oss-120b"
    assert "routes" not in anybody.get(path).json() and "routes" not in customer.get(path).json()
    (source,) = anybody.as_(groq_gateway.key).get(path).json()["routes"]
    assert (source["route"], source["breaker"], source["is_on"]) == ("groq/openai/gpt-oss-120b", "closed", True)


def test_watch_clis_questions(anybody: Api) -> None:
    """It prints the owner and the price of each row, texts by input and output, and picks audio by its mode."""
    rows = listed(anybody, "?include=all")
    assert all(row["owned_by"] for row in rows)
    by_minute = {row["id"]: row for row in rows if "per-minute" in (row["pricing_mode"], row["pricing"]["mode"])}
    assert {"whisper-v3-turbo", "gemini-3-flash-audio"} <= set(by_minute)
    assert all(row["pricing"]["per_minute_usd"] > 0 for row in by_minute.values())
    texts = [row for row in rows if row["pricing_mode"] == "per-token" and row["modality"] == "text"]
    assert texts and all({"input", "output"} <= row["pricing"].keys() for row in texts)


def test_watch_cli_prints_the_aliases_of_audio(anybody: Api) -> None:
    aliases = anybody.get("/v1/models?include=all").json()["aliases"]
    assert aliases["transcribe"] == "whisper-v3-turbo"
    assert aliases["transcribe-quality"] == "gpt-4o-mini-transcribe-2025-12-15"
    assert aliases["audio-understand"] == "gemini-3-flash-audio"
    assert {"best", "vision", "long-context"} <= aliases.keys()


def test_only_aliases_of_what_is_served_are_told_unasked(anybody: Api) -> None:
    aliases = anybody.get("/v1/models").json()["aliases"]
    assert set(aliases.values()) == set(WITH_GROQ_ALONE)
    assert {"best", "auto"} <= aliases.keys() and {"vision", "transcribe"}.isdisjoint(aliases)


def test_kyma_dubs_questions(anybody: Api) -> None:
    """It keeps what reads and writes text and is recommended for one of four things, and ranks by quality."""
    wanted = {"general", "multilingual", "reasoning", "coding"}
    kept = [
        row
        for row in listed(anybody, "?include=all")
        if "text" in row["input_modalities"]
        and "text" in row["output_modalities"]
        and wanted & set(row["recommended_for"])
    ]
    assert {"qwen-3.6-plus", "deepseek-v4-pro"} <= {row["id"] for row in kept}
    assert {row["modality"] for row in kept} == {"text"}
    assert {row["quality_tier"] for row in kept} <= {"frontier-open", "strong", "efficient"}


def test_story_forges_question(anybody: Api) -> None:
    """It drops what has no window of 8,192 tokens under either name; no row may have one that is no number."""
    rows = listed(anybody, "?include=all")
    kept = {row["id"] for row in rows if row.get("context_window", row.get("context_length", 0)) >= 8192}
    assert "gpt-oss-120b" in kept
    assert kept.isdisjoint(IMAGES | VIDEOS | AUDIO)


def test_talk_preps_registry(anybody: Api) -> None:
    answer = anybody.get("/registry/image-models.json")
    body = answer.json()
    assert (answer.status, body["object"], body["updated_at"][-1]) == (200, "registry", "Z")
    assert {row["id"] for row in body["models"]} == IMAGES
    by_id = {row["id"]: row for row in body["models"]}
    assert set(by_id["flux-kontext-pro"]) == {
        *("id", "name", "description", "best_for", "capability", "input_modalities", "output_modalities"),
        *("pricing", "hot", "recommended"),
    }
    assert by_id["flux-kontext-pro"]["capability"] == "image_edit"
    assert by_id["recraft-v3"]["pricing"] == {"mode": "per-image", "currency": "USD", "per_image_usd": 0.054}
    assert all(row["pricing"]["per_image_usd"] > 0 for row in body["models"])
