"""GET /v1/pricing, /v1/credits/pricing and /v1/limits/tiers in the contract's shapes."""

from decimal import Decimal

import pytest

from tests.gateway_process import GatewayProcess
from tests.server.api import Api, exact
from tests.server.customers import stranger


@pytest.fixture
def anybody(groq_gateway: GatewayProcess) -> Api:
    return stranger(groq_gateway.port)


def test_the_price_list_has_texts_and_media_by_id(anybody: Api) -> None:
    body = exact(anybody.get("/v1/pricing"))
    assert list(body) == ["object", "text_count", "media_count", "text", "media"]
    assert body["object"] == "pricing.catalog"
    assert (len(body["text"]), len(body["media"])) == (body["text_count"], body["media_count"])
    assert body["media_count"] == 43
    for part in ("text", "media"):
        ids = [row["id"] for row in body[part]]
        assert ids == sorted(ids)


def test_a_texts_price(anybody: Api) -> None:
    rows = {row["id"]: row for row in exact(anybody.get("/v1/pricing"))["text"]}
    assert rows["deepseek-v4-flash"] == {
        "id": "deepseek-v4-flash",
        "name": "DeepSeek V4 Flash",
        "input_per_1m": Decimal("0.189"),
        "output_per_1m": Decimal("0.378"),
        "cached_input_per_1m": Decimal("0.019"),
    }
    assert all(row["cached_input_per_1m"] >= 0 for row in rows.values())
    assert "gemini-2.5-flash" not in rows, "it is retired"


@pytest.mark.parametrize(
    ("sku", "modality", "mode", "per_call", "detail"),
    [
        ("recraft-v4", "image", "per-image", "0.054", {"per_image_usd": Decimal("0.054")}),
        ("flux-2-pro", "image", "per-mp", "0.0405", {"extra_mp_usd": Decimal("0.02025")}),
        ("gpt-image-2", "image", "per-quality", "0.081", {"default_quality": "medium"}),
        ("hailuo-02-512p", "video", "per-video", "0.14", {"per_video_usd": Decimal("0.14")}),
        ("whisper-v3-turbo", "audio", "per-minute", "0.0009", {"per_minute_usd": Decimal("0.0009")}),
        ("eleven-v3", "audio", "per-char", "0.405", {"per_1k_chars_usd": Decimal("0.405")}),
        ("minimax-music-pro", "audio", "per-song", "0.21", {"per_song_usd": Decimal("0.21")}),
        ("minimax-voice-clone", "audio", "per-call", "2.1", {"per_call_usd": Decimal("2.1")}),
    ],
)
def test_a_media_price(
    anybody: Api, sku: str, modality: str, mode: str, per_call: str, detail: dict[str, object]
) -> None:
    row = next(row for row in exact(anybody.get("/v1/pricing"))["media"] if row["id"] == sku)
    assert list(row) == ["id", "name", "modality", "pricing_mode", "usd_per_call", "detail"]
    assert (row["modality"], row["pricing_mode"], row["usd_per_call"]) == (modality, mode, Decimal(per_call))
    assert row["detail"].items() >= detail.items()


def test_what_is_sold_by_the_second_has_the_contracts_detail(anybody: Api) -> None:
    rows = {row["id"]: row for row in exact(anybody.get("/v1/pricing"))["media"]}
    assert rows["veo-3-fast"]["detail"] == {
        "per_second_usd": Decimal("0.135"),
        "provider_cost_per_sec": Decimal("0.1"),
        "min_duration_sec": 4,
        "max_duration_sec": 8,
        "default_duration_sec": 6,
        "allowed_durations": [4, 6, 8],
    }
    assert rows["veo-3-fast"]["usd_per_call"] == Decimal("0.81")
    assert rows["kling-3-pro"]["detail"]["allowed_durations"] is None


def test_the_older_price_list_has_the_texts_twice(anybody: Api) -> None:
    body = exact(anybody.get("/v1/credits/pricing"))
    assert body["object"] == "list"
    assert body["data"] == exact(anybody.get("/v1/pricing"))["text"]
    assert body["models"] == {row["id"]: row for row in body["data"]}


def test_the_tier_matrix(anybody: Api) -> None:
    body = anybody.get("/v1/limits/tiers").json()
    assert body["object"] == "tier.matrix"
    assert body["tiers"][0] == tier(0, 0, 30, 25, 200_000, 200_000, (2, 6, 0, 0), (1, 2, 1, 1, 1))
    assert body["tiers"][1] == tier(1, 5, 60, 40, 500_000, 500_000, (10, 30, 4, 12), (4, 6, 2, 4, 4))
    assert body["tiers"][2] == tier(2, 50, 120, 80, 2_000_000, 1_000_000, (20, 60, 8, 24), (8, 12, 4, 8, 8))
    assert body["tiers"][3] == tier(3, 250, 200, 150, 5_000_000, 3_000_000, (28, 84, 10, 30), (12, 18, 6, 12, 12))
    last = tier(4, 1000, 300, 200, 10_000_000, 10_000_000, (38, 0, 38, 0), (25, 30, 10, 20, 15))
    assert body["tiers"][4] == last | {"combined_media_concurrent": 38, "combined_queue_depth_cap": 114}
    assert sum(body["tiers"][4]["audio_concurrent_per_provider"].values()) == 100
    assert len(body["tiers"]) == 5


def tier(
    number: int,
    deposit: int,
    rpm: int,
    per_model_rpm: int,
    tpm: int,
    largest: int,
    slots: tuple[int, int, int, int],
    audio: tuple[int, int, int, int, int],
) -> dict[str, object]:
    media = ("image_concurrent", "image_queue_depth_cap", "video_concurrent", "video_queue_depth_cap")
    return {
        "tier": number,
        "name": f"Tier {number}",
        "min_deposit": deposit,
        "rpm": rpm,
        "per_model_rpm": per_model_rpm,
        "tpm": tpm,
        "max_single_request": largest,
        **dict(zip(media, slots, strict=True)),
        "audio_concurrent": max(audio),
        "audio_concurrent_per_provider": dict(
            zip(("groq", "vertex", "elevenlabs", "minimax", "openai"), audio, strict=True)
        ),
    }
