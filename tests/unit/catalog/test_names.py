"""What is said of names that nobody has, that ended, or that are of another kind; and what aliases stand for."""

import pytest

from kyma.catalog import AskedElsewhere, CatalogError
from kyma.core.errors import NotFound

from .conftest import ENGINES, Here, model_file, route


def closest(here: Here, name: str, *on: str) -> list[str]:
    with pytest.raises(NotFound) as caught:
        here(*on, engines=ENGINES).resolve(name)
    return caught.value.message.split("Closest names: ")[1].split(". ")[0].split(", ")


@pytest.mark.parametrize(
    ("name", "on", "first"),
    [
        ("gpt-oss-120", ("GROQ_API_KEY",), "gpt-oss-120b"),
        ("flux-2-por", (), "flux-2-pro"),
        ("transcrib", (), "transcribe"),
        ("balancd", (), "balanced"),
        ("atuo", (), "auto"),
        ("qwen-3.6-puls", (), "qwen-3.6-plus"),
    ],
)
def test_the_closest_names_are_those_of_models_media_and_aliases(
    here: Here, name: str, on: tuple[str, ...], first: str
) -> None:
    assert closest(here, name, *on)[0] == first


def test_what_can_be_had_goes_before_what_is_retired_or_has_no_source(here: Here) -> None:
    assert closest(here, "gemini-2-flash", "GEMINI_API_KEY")[0] == "gemini-3-flash"
    found = closest(here, "gemini-2.5-flsh", "GEMINI_API_KEY")
    assert found.index("gemini-3-flash") < found.index("gemini-2.5-flash")


def test_a_star_is_no_name(owl: Here) -> None:
    with pytest.raises(NotFound) as caught:
        owl(model_file(route("near")), aliases='["owl-*"]\ntargets = ["owl"]\nsource = "t"\n').resolve("ow-")
    assert "*" not in caught.value.message


def test_a_retired_model_names_its_successor(here: Here) -> None:
    with pytest.raises(NotFound) as caught:
        here("GEMINI_API_KEY").resolve("google/gemini-2.5-flash")
    said = "The model 'gemini-2.5-flash' was retired on 2026-10-20. Ask for 'gemini-3-flash' in its place."
    assert caught.value.message == said


@pytest.mark.parametrize("successor", ["bat", "owl", "flux-2-pro"])
def test_a_successor_is_another_model(owl: Here, successor: str) -> None:
    with pytest.raises(CatalogError, match=rf"\[model.owl\]: successor: '{successor}' is no other model"):
        owl(model_file(route("near"), more=f'successor = "{successor}"'))


@pytest.mark.parametrize(
    ("name", "sku", "endpoint"),
    [
        ("flux-2-pro", "flux-2-pro", "/v1/images/generations"),
        ("Kling-3-Pro", "kling-3-pro", "/v1/videos/generations"),
        ("google/imagen-4", "imagen-4", "/v1/images/generations"),
        ("OpenAI/gpt-image-2", "gpt-image-2", "/v1/images/generations"),
        ("transcribe", "whisper-v3-turbo", "/v1/audio/transcriptions"),
        ("TRANSCRIBE-quality", "gpt-4o-mini-transcribe-2025-12-15", "/v1/audio/transcriptions"),
        ("audio-understand", "gemini-3-flash-audio", "/v1/audio/understand"),
    ],
)
def test_a_media_sku_is_known_and_asked_elsewhere(here: Here, name: str, sku: str, endpoint: str) -> None:
    catalog = here("GROQ_API_KEY")
    named = catalog.media_named(name)
    assert named is not None and named.id == sku
    with pytest.raises(AskedElsewhere, match=f"{sku} is no text model: ask it at POST {endpoint}") as caught:
        catalog.resolve(name)
    assert (caught.value.status, caught.value.param) == (400, "model")


def test_another_creators_prefix_is_no_name_of_a_media_sku(here: Here) -> None:
    assert here().media_named("openai/flux-2-pro") is None


@pytest.mark.parametrize(
    ("alias", "target"),
    [
        ("transcribe", "whisper-v3-turbo"),
        ("transcribe-quality", "gpt-4o-mini-transcribe-2025-12-15"),
        ("audio-understand", "gemini-3-flash-audio"),
        ("best", "qwen-3.6-plus"),
        ("vision", "gemma-4-31b"),
    ],
)
def test_every_alias_has_a_first_target_servable_or_not(here: Here, alias: str, target: str) -> None:
    catalog = here()
    assert catalog.first_targets[alias] == target
    assert alias not in catalog.aliases


def test_an_alias_stands_for_texts_or_for_media(owl: Here) -> None:
    mixed = '[night]\ntargets = ["owl", "flux-2-pro"]\nsource = "t"\n'
    with pytest.raises(CatalogError, match=r"aliases.toml \[night\]: targets: media stand with media, and texts with"):
        owl(model_file(route("near")), aliases=mixed)
    assert owl(model_file(route("near")), aliases=mixed.replace('"owl", ', "")).first_targets["night"] == "flux-2-pro"
