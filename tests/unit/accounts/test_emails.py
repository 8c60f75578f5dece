"""Which e-mail addresses are taken, and in what form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyma.accounts import normal_email
from kyma.core.errors import InvalidRequest


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        (" Ada.Lovelace@Example.COM ", "ada.lovelace@example.com"),
        ("me+kyma@nas.local", "me+kyma@nas.local"),
        ("operator@localhost", "operator@localhost"),
        ("operator@localhost.localdomain", "operator@localhost.localdomain"),
        ("me@printer.home.arpa", "me@printer.home.arpa"),
        ("me@local.example", "me@local.example"),
        ("jürgen@bücher.example", "jürgen@bücher.example"),
    ],
)
def test_an_address_has_one_normal_form(written: str, normal: str) -> None:
    assert normal_email(written) == normal


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a@b",
        "@b.com",
        "a@",
        "a b@c.com",
        "a@b..com",
        "a@b.com\x00",
        "a@@b.local",
        "a@192.0.2.1",
        "a@.local",
        "a" * 400,
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        normal_email(text)
    assert refused.value.code == "invalid_email"
    assert refused.value.param == "email"


@given(st.text(st.characters(), max_size=40).map(lambda text: text + "@example.com"))
def test_no_text_breaks_the_check(text: str) -> None:
    try:
        normal_email(text).encode()
    except InvalidRequest as refused:
        refused.message.encode()


def test_half_a_character_is_refused_in_plain_words() -> None:
    with pytest.raises(InvalidRequest) as refused:
        normal_email("a\ud800@example.com")
    refused.value.message.encode()
