"""How tokens look and how they are hashed."""

import hashlib
import string
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyma.accounts import keys


def test_a_key_is_its_prefix_and_44_base62_digits() -> None:
    token = keys.mint_key()
    assert token.startswith("ky-")
    assert len(token) == 3 + 44
    assert set(token[3:]) <= set(string.ascii_letters + string.digits)


def test_a_session_token_carries_at_least_256_bits() -> None:
    token = keys.mint_session_token()
    assert token.startswith("ks-")
    assert 62 ** (len(token) - 3 - 6) >= 2**256


def test_no_two_keys_are_alike() -> None:
    assert len({keys.mint_key() for _ in range(200)}) == 200


@pytest.mark.parametrize("mint", [keys.mint_key, keys.mint_session_token])
def test_what_is_minted_looks_valid(mint: object) -> None:
    assert callable(mint)
    assert all(keys.looks_valid(mint()) for _ in range(50))


def test_the_launch_spelling_is_the_same_key() -> None:
    token = keys.mint_key()
    launch = "kyma-" + token.removeprefix("ky-")
    assert keys.looks_valid(launch)
    assert keys.hash_token(launch, b"p") == keys.hash_token(token, b"p")


def test_every_single_wrong_character_is_seen() -> None:
    token = keys.mint_key()
    for place in range(3, len(token)):
        wrong = "A" if token[place] != "A" else "B"
        assert not keys.looks_valid(token[:place] + wrong + token[place + 1 :])


def test_the_last_six_digits_are_the_crc32_of_all_before_them() -> None:
    token = keys.mint_key()
    digits = string.digits + string.ascii_uppercase + string.ascii_lowercase
    number = 0
    for digit in token[-6:]:
        number = number * 62 + digits.index(digit)
    assert number == zlib.crc32(token[:-6].encode())


@pytest.mark.parametrize("token", ["", "ky-", "kyma-", "sk-" + "a" * 44, "ky-" + "é" * 44, "ky-" + "a" * 45, "ks-x"])
def test_what_is_no_token_does_not_look_valid(token: str) -> None:
    assert not keys.looks_valid(token)


@given(st.text())
def test_any_text_may_be_asked_about(text: str) -> None:
    assert not keys.looks_valid(text)
    assert len(keys.hash_token(text, b"p")) == 64


def test_the_hash_depends_on_the_pepper() -> None:
    token = keys.mint_key()
    assert keys.hash_token(token, b"one") != keys.hash_token(token, b"two")


def test_the_hash_is_sha256_of_pepper_and_token() -> None:
    token = keys.mint_key()
    assert keys.hash_token(token, b"pepper") == hashlib.sha256(b"pepper" + token.encode()).hexdigest()


def test_what_is_shown_of_a_key_is_its_first_eight_characters() -> None:
    token = keys.mint_key()
    assert keys.shown_prefix(token) == token[:8]
    assert keys.masked(keys.shown_prefix(token)) == token[:8] + "…"
