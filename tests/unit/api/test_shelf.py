"""Media go on sale with the endpoint that they are asked at, and with a vendor's key; nothing else is needed."""

from datetime import date

import pytest

from kyma.api.shelf import Shelf
from kyma.catalog import Catalog, Sheets, assemble, builtin_data, read

IMAGES, CHAT = "POST /v1/images/generations", "POST /v1/chat/completions"


@pytest.fixture(scope="module")
def sheets() -> Sheets:
    return read(builtin_data(), None)


def shelf(sheets: Sheets, *names: str, served: tuple[str, ...] = (CHAT,)) -> Shelf:
    return Shelf(catalog(sheets, *names), served)


def catalog(sheets: Sheets, *names: str) -> Catalog:
    environment = dict.fromkeys(names, "a-secret")
    return assemble(sheets, environment=environment, engines={}, today=date(2026, 11, 22))


def offered(shelf: Shelf) -> set[str]:
    return {sku.id for sku in shelf.offered()}


def test_a_vendors_key_alone_is_not_enough(sheets: Sheets) -> None:
    assert "recraft-v4" not in offered(shelf(sheets, "FAL_KEY"))


def test_an_endpoint_alone_is_not_enough(sheets: Sheets) -> None:
    here = shelf(sheets, served=(CHAT, IMAGES))
    assert "recraft-v4" not in offered(here)
    assert "FAL_KEY" in here.missing(here.catalog.media["recraft-v4"])


def test_both_together_are(sheets: Sheets) -> None:
    here = shelf(sheets, "FAL_KEY", served=(CHAT, IMAGES))
    assert "recraft-v4" in offered(here)
    assert here.missing(here.catalog.media["recraft-v4"]) == []
    assert "kling-3-pro" not in offered(here), "videos are asked for elsewhere"


def test_a_provider_of_texts_is_a_vendor_too(sheets: Sheets) -> None:
    here = shelf(sheets, "GROQ_API_KEY", served=(CHAT, "POST /v1/audio/transcriptions"))
    assert offered(here) == {"gpt-oss-120b", "whisper-v3-turbo"}


def test_an_empty_key_is_none(sheets: Sheets) -> None:
    made = assemble(sheets, environment={"FAL_KEY": ""}, engines={}, today=date(2026, 11, 22))
    assert "recraft-v4" not in offered(Shelf(made, (CHAT, IMAGES)))
