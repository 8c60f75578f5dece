"""The packaged rows, read once, and a way to write a small catalog of one's own."""

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import pytest

from kyma.catalog import Catalog, Sheets, assemble, builtin_data, load, read

TODAY = date(2026, 11, 21)
ENGINES = {"local": "http://127.0.0.1:40123/v1"}
"""The embedded chat model runs, and no other."""

Here = Callable[..., Catalog]
Overlay = Callable[[Mapping[str, str]], Path]

PROVIDERS = """
[near]
name = "Near"
dialect = "openai_chat"
base_url = "https://near.example/v1"
key_env = "NEAR_KEY"
source = "test, 2026-11-21"

[far]
name = "Far"
dialect = "openai_chat"
base_url = "https://far.example/v1"
key_env = "FAR_KEY"
source = "test, 2026-11-21"

[shed]
name = "Shed"
dialect = "openai_chat"
base_url_env = "SHED_URL"
key_env = "SHED_KEY"
is_local = true
source = "test, 2026-11-21"
"""

MODEL = """
name = "Owl"
description = "A test model."
best_for = "Tests"
created = 2026-01-02
context_window = 1000
supports = []
latency_tier = "fast"
cost_tier = "cheap"
quality_tier = "efficient"
recommended_for = []
"""

LIST_PRICE = 'list_price = { input = "1", output = "2", source = "test, 2026-11-21" }'


def route(provider: str, cost_input: str = "0.5", cost_output: str = "1", more: str = "") -> str:
    """A route row of `provider`."""
    costs = f'input = "{cost_input}", output = "{cost_output}"'
    return f'{{ provider = "{provider}", model = "owl-1", {costs}, {more}source = "test, 2026-11-21" }}'


def model_file(*routes: str, price: str = LIST_PRICE, more: str = "", model_id: str = "owl") -> str:
    """A creator's file with one model."""
    return (
        f'owned_by = "Forest"\nprefixes = ["forest"]\n[model."{model_id}"]\n{MODEL}{more}\n{price}\n'
        f"routes = [{', '.join(routes)}]\n"
    )


@pytest.fixture(scope="session")
def sheets() -> Sheets:
    """The packaged rows."""
    return read(builtin_data(), None)


@pytest.fixture(scope="session")
def here(sheets: Sheets) -> Here:
    """The packaged catalog where these environment names are set."""

    def assembled(*names: str, engines: Mapping[str, str] = {}, today: date = TODAY) -> Catalog:
        environment = dict.fromkeys(names, "a-secret")
        return assemble(sheets, environment=environment, engines=engines, today=today)

    return assembled


@pytest.fixture
def overlay(tmp_path: Path) -> Callable[[Mapping[str, str]], Path]:
    """Writes an overlay folder from file names and texts."""

    def written(texts: Mapping[str, str]) -> Path:
        for name, text in texts.items():
            file = tmp_path / "overlay" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return tmp_path / "overlay"

    return written


@pytest.fixture
def owl(overlay: Callable[[Mapping[str, str]], Path]) -> Here:
    """The packaged catalog, three test providers and the model file given; near and far are on."""

    def loaded(
        text: str,
        *,
        providers: str = PROVIDERS,
        environment: Mapping[str, str] | None = None,
        today: date = TODAY,
        **others: str,
    ) -> Catalog:
        files = {"providers.toml": providers, "models/forest.toml": text}
        files |= {f"{name}.toml": content for name, content in others.items()}
        on = {"NEAR_KEY": "n", "FAR_KEY": "f"} if environment is None else environment
        return load(builtin_data(), overlay(files), environment=on, engines={}, today=today)

    return loaded
