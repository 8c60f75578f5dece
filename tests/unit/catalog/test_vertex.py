"""Vertex AI's three rows: where they are for each location, what switches them on, and how Claude's departs."""

from datetime import date

import pytest

from kyma.catalog import Catalog, Sheets, assemble
from kyma.core.model import Provider

ROWS = ("vertex", "vertex-anthropic", "vertex-maas")
TODAY = date(2026, 11, 21)


def catalog_in(sheets: Sheets, **environment: str) -> Catalog:
    return assemble(sheets, environment=environment, engines={}, today=TODAY)


def vertex(sheets: Sheets, location: str, row: str = "vertex", **more: str) -> Provider:
    found = catalog_in(sheets, GOOGLE_VERTEX_PROJECT="acme-1", GOOGLE_VERTEX_LOCATION=location, **more)
    return found.providers[row]


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("europe-west1", "europe-west1-aiplatform.googleapis.com"),
        ("global", "aiplatform.googleapis.com"),
        ("us", "aiplatform.us.rep.googleapis.com"),
        ("eu", "aiplatform.eu.rep.googleapis.com"),
    ],
)
@pytest.mark.parametrize("row", ROWS)
def test_the_host_follows_from_the_location(sheets: Sheets, row: str, location: str, host: str) -> None:
    origin = vertex(sheets, location, row).origin
    assert (origin.host, origin.port, origin.is_tls) == (host, 443, True)


@pytest.mark.parametrize(
    ("row", "path"),
    [
        ("vertex", "/v1beta1/projects/acme-1/locations/global/publishers/google"),
        ("vertex-anthropic", "/v1/projects/acme-1/locations/global/publishers/anthropic"),
        ("vertex-maas", "/v1/projects/acme-1/locations/global/endpoints/openapi"),
    ],
)
def test_project_and_location_stand_in_the_path(sheets: Sheets, row: str, path: str) -> None:
    assert vertex(sheets, "global", row).base_path == path


def test_an_operators_private_endpoint_takes_the_place_of_the_public_one(sheets: Sheets) -> None:
    provider = vertex(sheets, "global", GOOGLE_VERTEX_ENDPOINT="https://vertex.internal.example:8443")
    assert (provider.origin.host, provider.origin.port) == ("vertex.internal.example", 8443)


@pytest.mark.parametrize("set_alone", ["GOOGLE_VERTEX_PROJECT", "GOOGLE_VERTEX_LOCATION", "GOOGLE_VERTEX_ENDPOINT"])
def test_one_of_project_and_location_is_not_enough(sheets: Sheets, set_alone: str) -> None:
    assert not catalog_in(sheets, **{set_alone: "global"}).providers.keys() & set(ROWS)


def test_an_operator_is_told_to_set_both(sheets: Sheets) -> None:
    assert "GOOGLE_VERTEX_PROJECT and GOOGLE_VERTEX_LOCATION" in catalog_in(sheets).missing("gemini-3-flash")


@pytest.mark.parametrize("row", ROWS)
def test_every_row_is_called_with_a_minted_token_and_may_keep_what_it_is_sent(sheets: Sheets, row: str) -> None:
    provider = vertex(sheets, "global", row)
    assert (provider.auth, provider.key_env, provider.key_header) == ("google", None, "authorization")
    assert provider.data_policy.trains is False and not provider.data_policy.collects_nothing


@pytest.mark.parametrize(
    ("model", "route"),
    [
        ("gemini-3-flash", "vertex/gemini-3-flash-preview"),
        ("claude-opus-4-7", "vertex-anthropic/claude-opus-4-7"),
        ("claude-sonnet-4-6", "vertex-anthropic/claude-sonnet-4-6"),
        ("gpt-oss-120b", "vertex-maas/openai/gpt-oss-120b-maas"),
    ],
)
def test_what_it_serves_is_offered_through_it(sheets: Sheets, model: str, route: str) -> None:
    found = catalog_in(sheets, GOOGLE_VERTEX_PROJECT="acme-1", GOOGLE_VERTEX_LOCATION="global")
    assert [source.id for source in found.models[model].routes] == [route]


@pytest.mark.parametrize(("location", "private"), [("global", ("acme-1",)), ("us-east5", ("acme-1", "us-east5"))])
def test_the_project_is_the_operators_own_affair(sheets: Sheets, location: str, private: tuple[str, ...]) -> None:
    assert vertex(sheets, location).private == private
