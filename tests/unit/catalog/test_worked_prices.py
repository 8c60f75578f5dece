"""For every SKU one worked example: what was used or made, and what it costs to the nano-dollar.

All of it is typed from the contract's price list, or from the dearest source's price and 27/20 where the contract has
none; nothing is read from the data but the price that is charged.
"""

import pytest

from kyma.calls.meter import Meter, Outcome
from kyma.core.answer import UsageReport
from kyma.core.model import Usage
from kyma.core.rates import Made
from tests.unit.calls.rows import chat

from .conftest import Here

CHATS = {
    "glm-4.7-flash": (Usage(input=2652, cached_input=2048, output=751), 636_941),
    "gemma-4-31b": (Usage(input=2929, cached_input=1024, output=970), 1_096_735),
    "deepseek-v4-flash": (Usage(input=1121, cached_input=1024, output=338), 359_089),
    "gpt-oss-120b": (Usage(input=564, cached_input=2048, output=977), 947_052),
    "glm-4.5-air": (Usage(input=1110, cached_input=4096, output=1130), 1_563_365),
    "qwen-3-32b": (Usage(input=518, cached_input=1280, output=43), 288_062),
    "minimax-m2.5": (Usage(input=988, cached_input=4096, output=589), 1_520_208),
    "minimax-m2.7": (Usage(input=846, cached_input=4096, output=343), 1_064_178),
    "deepseek-v3": (Usage(input=395, cached_input=1280, output=1282), 3_365_820),
    "llama-3.3-70b": (Usage(input=2630, cached_input=4096, output=276), 3_938_933),
    "qwen-3-coder": (Usage(input=642, cached_input=1024, output=27), 560_790),
    "deepseek-r1": (Usage(input=958, cached_input=1280, output=356), 1_766_518),
    "kimi-k2.6": (Usage(input=782, cached_input=2048, output=659), 4_824_171),
    "kimi-k2.5": (Usage(input=915, cached_input=1280, output=389), 2_174_445),
    "qwen-3.6-plus": (Usage(input=2929, cached_input=1280, output=801), 5_307_525),
    "deepseek-v4-pro": (Usage(input=1324, cached_input=1024, output=756), 6_902_404),
    "claude-opus-4-7": (
        Usage(input=1800, cached_input=1280, output=315, cache_write=640, cache_write_1h=1152),
        44_597_250,
    ),
    "claude-sonnet-4-6": (
        Usage(input=1181, cached_input=1024, output=696, cache_write=640, cache_write_1h=1152),
        31_862_970,
    ),
    "gemini-2.5-flash": (Usage(input=1335, cached_input=1024, output=1237), 4_757_022),
    "gemini-3-flash": (Usage(input=2877, cached_input=2048, output=152), 2_695_815),
    "glm-5.1": (Usage(input=1370, cached_input=2048, output=643), 6_795_792),
    "qwen-3.7-max": (Usage(input=2070, cached_input=2048, output=395), 11_676_825),
    "qwen3.8-flash": (Usage(input=2072, cached_input=4096, output=1460), 1_428_894),
    "glm-5.2": (Usage(input=822, cached_input=1024, output=541), 4_960_656),
    "gemini-3.5-flash-lite": (Usage(input=194, cached_input=2048, output=844), 3_010_014),
    "gpt-4o-mini": (Usage(input=175, cached_input=4096, output=766), 738_842),
    "smollm2-135m": (Usage(input=1642, cached_input=1024, output=944), 36_324),
}
WHOLE = {
    "all-minilm-l6-v2": (Usage(input=237), 2_370),
    "all-minilm-l6-v2-rerank": (Usage(input=208), 2_080),
    "bge-m3": (Usage(input=1_979), 26_717),
    "embed-v4.0": (Usage(input=2_350), 380_700),
    "gemini-embedding-001": (Usage(input=2_721), 551_003),
    "omni-moderation-latest": (Usage(input=3_092), 0),
    "qwen-3-embedding-8b": (Usage(input=3_463), 46_751),
    "qwen-3-reranker-8b": (Usage(input=3_834), 1_035_180),
    "rerank-2.5": (Usage(input=4_205), 283_838),
    "rerank-2.5-lite": (Usage(input=4_576), 123_552),
    "text-embedding-3-large": (Usage(input=4_947), 868_199),
    "text-embedding-3-small": (Usage(input=5_318), 143_586),
    "voyage-4": (Usage(input=5_689), 460_809),
    "voyage-4-lite": (Usage(input=6_060), 163_620),
    "rerank-v3.5": (Usage(searches=3), 8_100_000),
}
"""Embeddings, rerank and moderations: what generates nothing."""

TOLD = CHATS | WHOLE

IMAGES = {
    "flux-1.1-ultra": (Made(count=2), 162_000_000),
    "flux-2-pro": (Made(width=2048, height=2048), 101_250_000),
    "flux-kontext-pro": (Made(), 54_000_000),
    "gpt-image-2": (Made(quality="high", width=1024, height=1024), 297_000_000),
    "ideogram-v3": (Made(count=4), 432_000_000),
    "imagen-4": (Made(count=3), 162_000_000),
    "imagen-4-fast": (Made(), 27_000_000),
    "imagen-4-ultra": (Made(), 81_000_000),
    "minimax-image-01": (Made(count=4), 20_000_000),
    "nano-banana": (Made(), 46_000_000),
    "nano-banana-3-flash": (Made(count=4), 184_000_000),
    "recraft-v3": (Made(), 54_000_000),
    "recraft-v4": (Made(count=2), 108_000_000),
    "recraft-v4-pro": (Made(), 338_000_000),
    "recraft-v4-vector": (Made(count=3), 324_000_000),
    "recraft-v4-vector-pro": (Made(), 405_000_000),
}
VIDEOS = {
    "hailuo-02-1080p": (Made(duration_ms=6_000), 780_000_000),
    "hailuo-02-512p": (Made(duration_ms=6_000), 140_000_000),
    "hailuo-02-768p": (Made(duration_ms=6_000), 420_000_000),
    "kling-2.5-pro": (Made(duration_ms=5_000), 472_500_000),
    "kling-3-pro": (Made(duration_ms=15_000), 2_268_000_000),
    "kling-3-pro-audio": (Made(duration_ms=7_000), 1_587_600_000),
    "seedance-2-fast": (Made(duration_ms=8_000), 2_612_520_000),
    "seedance-2-pro": (Made(duration_ms=5_000), 2_047_950_000),
    "veo-3": (Made(duration_ms=8_000), 4_320_000_000),
    "veo-3-fast": (Made(duration_ms=6_000), 810_000_000),
}
LIVE = "gemini-2.5-flash-native-audio-preview-12-2025"
AUDIO = {
    "eleven-flash-v2-5": (Made(characters=333), 67_432_500),
    "eleven-multilingual-v2": (Made(characters=5_000), 2_025_000_000),
    "eleven-turbo-v2-5": (Made(characters=1), 202_500),
    "eleven-v3": (Made(characters=1_234), 499_770_000),
    "elevenlabs-music": (Made(duration_ms=12_345), 1_666_575_000),
    "elevenlabs-sfx": (Made(), 27_000_000),
    LIVE: (Made(text_input=1_000, media_input=45_000, text_output=200, media_output=30_000), 669_465_000),
    "gemini-3-flash-audio": (Made(duration_ms=10_000), 648_000),
    "gpt-4o-mini-transcribe-2025-12-15": (Made(duration_ms=3_600_000), 243_000_000),
    "gpt-realtime-translate": (Made(duration_ms=90_000), 91_800_000),
    "minimax-music": (Made(), 45_000_000),
    "minimax-music-pro": (Made(), 210_000_000),
    "minimax-speech-hd": (Made(characters=250), 35_000_000),
    "minimax-speech-turbo": (Made(characters=1_111), 99_990_000),
    "minimax-voice-clone": (Made(), 2_100_000_000),
    "minimax-voice-design": (Made(), 4_200_000_000),
    "whisper-v3-turbo": (Made(duration_ms=61_000), 1_800_000),
}
MADE = IMAGES | VIDEOS | AUDIO

CONTRACT = (
    *("glm-4.7-flash", "gemma-4-31b", "deepseek-v4-flash", "gpt-oss-120b", "glm-4.5-air", "qwen-3-32b", "minimax-m2.5"),
    *("minimax-m2.7", "deepseek-v3", "llama-3.3-70b", "qwen-3-coder", "deepseek-r1", "kimi-k2.6", "kimi-k2.5"),
    *("qwen-3.6-plus", "deepseek-v4-pro", "claude-opus-4-7", "claude-sonnet-4-6", "gemini-2.5-flash"),
    *("gemini-3-flash", "glm-5.1", "qwen-3.7-max", "glm-5.2", "gemini-3.5-flash-lite", "gpt-4o-mini", "qwen3.8-flash"),
    *("minimax-image-01", "imagen-4-fast", "imagen-4", "imagen-4-ultra", "nano-banana", "nano-banana-3-flash"),
    *("recraft-v4", "recraft-v4-pro", "recraft-v4-vector", "recraft-v4-vector-pro", "flux-2-pro", "flux-kontext-pro"),
    *("ideogram-v3", "gpt-image-2", "flux-1.1-ultra", "recraft-v3"),
    *("kling-2.5-pro", "kling-3-pro", "kling-3-pro-audio", "seedance-2-pro", "seedance-2-fast", "hailuo-02-512p"),
    *("hailuo-02-768p", "hailuo-02-1080p", "veo-3-fast", "veo-3"),
    *("whisper-v3-turbo", "gpt-4o-mini-transcribe-2025-12-15", "gemini-3-flash-audio", "eleven-v3"),
    *("eleven-multilingual-v2", "eleven-flash-v2-5", "eleven-turbo-v2-5", "minimax-speech-hd", "minimax-speech-turbo"),
    *("elevenlabs-music", "minimax-music", "minimax-music-pro", "elevenlabs-sfx", "minimax-voice-clone"),
    *("minimax-voice-design", "gemini-2.5-flash-native-audio-preview-12-2025", "gpt-realtime-translate"),
)
"""Every SKU that the contract names, in its order; what it says is gone is not among them."""


@pytest.mark.parametrize("model_id", TOLD)
def test_a_call_costs_what_is_worked_out_here(here: Here, model_id: str) -> None:
    usage, cost = TOLD[model_id]
    model = here().models[model_id]
    meter = Meter(chat(max_tokens=max(1, usage.output), searches=usage.searches, keeps_an_hour=True), model)
    meter.see(UsageReport(usage))
    assert meter.bill(Outcome.FINISHED, model.price).cost == cost


@pytest.mark.parametrize("model_id", MADE)
def test_what_is_made_costs_what_is_worked_out_here(here: Here, model_id: str) -> None:
    made, cost = MADE[model_id]
    assert here().media[model_id].rate.cost(made) == cost


def test_every_sku_has_an_example_and_nothing_else_has(here: Here) -> None:
    catalog = here()
    assert set(TOLD) == set(catalog.models)
    assert set(MADE) == set(catalog.media)


def test_every_sku_of_the_contract_is_here(here: Here) -> None:
    catalog = here()
    assert [model_id for model_id in CONTRACT if model_id not in catalog.models and model_id not in catalog.media] == []
    assert len(set(CONTRACT)) == len(CONTRACT) == 69


@pytest.mark.parametrize(
    ("made", "cost"),
    [
        (Made(width=1024, height=1024), 40_500_000),
        (Made(width=1500, height=1000), 60_750_000),
        (Made(width=1499, height=1000), 40_500_000),
        (Made(width=2000, height=2000), 101_250_000),
        (Made(width=100, height=100), 40_500_000),
    ],
)
def test_megapixels_are_the_nearest_whole_and_at_least_one(here: Here, made: Made, cost: int) -> None:
    assert here().media["flux-2-pro"].rate.cost(made) == cost


@pytest.mark.parametrize(
    ("made", "cost"),
    [
        (Made(), 81_000_000),
        (Made(count=4), 324_000_000),
        (Made(quality="low"), 14_000_000),
        (Made(quality="low", width=1024, height=1536), 14_000_000),
        (Made(quality="medium", width=1536, height=1152), 81_000_000),
        (Made(quality="high", width=1920, height=1080), 297_000_000),
        (Made(quality="low", width=2048, height=2048), 16_200_000),
        (Made(width=2048, height=2048), 136_350_000),
        (Made(quality="high", width=2048, height=2048, count=2), 1_082_700_000),
    ],
)
def test_quality_and_size_price_an_image(here: Here, made: Made, cost: int) -> None:
    assert here().media["gpt-image-2"].rate.cost(made) == cost


@pytest.mark.parametrize(("duration_ms", "minutes"), [(0, 1), (1, 1), (60_000, 1), (60_001, 2), (3_600_000, 60)])
def test_minutes_are_begun_ones_and_at_least_one(here: Here, duration_ms: int, minutes: int) -> None:
    assert here().media["whisper-v3-turbo"].rate.cost(Made(duration_ms=duration_ms)) == 900_000 * minutes
