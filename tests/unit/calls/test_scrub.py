"""A vendor's words reach a customer without the vendor."""

import msgspec
import pytest

from kyma.calls.scrub import caller_error, reasons_for_operators, scrub
from kyma.core.credential import Credential
from kyma.core.errors import InvalidRequest, NoRouteLeft, Rejected, Throttled, TooLarge, Unreachable, Unsuited
from tests.unit.calls.rows import model, route

OWL = model([route(), route("bolt", "bolt/owl-turbo", name="Bolt AI", host="bolt.example")])


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Acme Cloud: bad temperature", "the source: bad temperature"),
        ("ACME CLOUD says no", "the source says no"),
        ("model acme-owl-v2 is busy", "model owl is busy"),
        ("`BOLT/OWL-TURBO` takes no images", "`owl` takes no images"),
        ("error at api.acme.example:443", "error at the source:443"),
        ("see https://docs.acme.example/errors?id=1 for more", "see for more"),
        ("two  spaces\nand a line", "two spaces and a line"),
        ("Bolt AI behind Acme Cloud", "the source behind the source"),
        ("max_tokens must be at least 1", "max_tokens must be at least 1"),
    ],
)
def test_names_addresses_and_links_are_taken_out(said: str, told: str) -> None:
    assert scrub(said, OWL) == told


def test_a_name_of_two_letters_is_left_where_it_stands() -> None:
    served = model([route(name="xy", host="xy.example", upstream_model="m1")])
    assert scrub("the proxy says m1", served) == "the proxy says m1"


def test_a_special_character_in_a_name_is_only_a_character() -> None:
    served = model([route(upstream_model="o.l+(x)")])
    assert scrub("o.l+(x) and owl", served) == "owl and owl"


@pytest.mark.parametrize(("status", "kind"), [(400, InvalidRequest), (422, InvalidRequest), (413, TooLarge)])
def test_a_refusal_becomes_the_callers_own_mistake(status: int, kind: type[InvalidRequest]) -> None:
    refusal = Rejected("x", upstream_status=status, caller_message="acme-owl-v2: too long", code="invalid_prompt")
    shown = caller_error(refusal, OWL)
    assert type(shown) is kind
    assert shown.message == "owl: too long"


def test_other_errors_are_shown_as_they_are() -> None:
    error = NoRouteLeft("no source")
    assert caller_error(error, OWL) is error


def test_operators_read_every_reason() -> None:
    reasons = (Throttled("HTTP 429: slow down"), Unreachable("api.acme.example refused"))
    told = reasons_for_operators(NoRouteLeft("no source", reasons))
    assert told == "Throttled: HTTP 429: slow down; Unreachable: api.acme.example refused"


def test_what_names_the_operator_to_a_provider_is_taken_out() -> None:
    source = route()
    served = model(
        [msgspec.structs.replace(source, provider=msgspec.structs.replace(source.provider, private=("proj-9",)))]
    )
    assert scrub("no access to projects/proj-9/locations/x", served) == "no access to projects/…/locations/x"


def test_a_refusal_that_quotes_the_key_is_told_without_it() -> None:
    key = Credential("acme#1", "acme", "sk-acme-12345678")
    said = Rejected("HTTP 400", upstream_status=400, caller_message="bad key sk-acme-12345678 for temperature")
    assert caller_error(said, OWL, key).message == "bad key [key] for temperature"


def test_names_of_fields_are_the_callers_words_and_no_operators() -> None:
    unsuited = Unsuited(("x_my_secret_plan",))
    assert "x_my_secret_plan" not in reasons_for_operators(NoRouteLeft("none", (unsuited,)))
    assert "x_my_secret_plan" in caller_error(NoRouteLeft("none", (unsuited,)), OWL).message
