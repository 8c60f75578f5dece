"""The rows that docs/providers.md shows work as they stand."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from kyma.catalog.load import load
from kyma.catalog.sheets import builtin_data

from .conftest import TODAY

PAGE = Path(__file__).resolve().parents[3] / "docs" / "providers.md"
FILES = {
    text.splitlines()[0].removeprefix("# "): text for text in re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.S)
}
ACCOUNT = {"AZURE_RESOURCE_NAME": "contoso", "CLOUDFLARE_ACCOUNT_ID": "4711"}
KEYS = dict.fromkeys(
    ("AZURE_OPENAI_API_KEY", "ANTHROPIC_FOUNDRY_API_KEY", "CLOUDFLARE_API_TOKEN", "COHERE_API_KEY"), "k"
)

Write = Callable[[Mapping[str, str]], Path]


@pytest.mark.parametrize(
    ("file", "model", "route"),
    [
        ("models/mine.toml", "gpt-oss-120b", "azure/my-oss-deployment"),
        ("models/cohere-chat.toml", "command-r-08-2024", "cohere/command-r-08-2024"),
    ],
)
def test_a_row_of_the_page_is_served(overlay: Write, file: str, model: str, route: str) -> None:
    catalog = load(builtin_data(), overlay(FILES), environment=ACCOUNT | KEYS, engines={}, today=TODAY)
    assert file in FILES
    assert [found.id for found in catalog.models[model].routes] == [route]


@pytest.mark.parametrize(
    ("provider", "address"),
    [
        ("azure", ("contoso.openai.azure.com", "/openai/v1")),
        ("foundry", ("contoso.services.ai.azure.com", "/anthropic/v1")),
        ("cloudflare", ("api.cloudflare.com", "/client/v4/accounts/4711/ai/v1")),
        ("cohere", ("api.cohere.com", "/v2")),
    ],
)
def test_an_account_stands_in_the_address(provider: str, address: tuple[str, str]) -> None:
    catalog = load(builtin_data(), None, environment=ACCOUNT | KEYS, engines={}, today=TODAY)
    found = catalog.providers[provider]
    assert (found.origin.host, found.base_path) == address


@pytest.mark.parametrize("provider", ["azure", "foundry", "cloudflare"])
def test_without_its_account_a_provider_is_off(provider: str) -> None:
    assert provider not in load(builtin_data(), None, environment=KEYS, engines={}, today=TODAY).providers
