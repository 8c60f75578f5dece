"""A sealed secret opens in its place, with its master key, and nowhere else."""

import os
from base64 import b64encode

import msgspec
import pytest

from kyma.credentials.sealing import CannotOpen, Masters, Place, WrappedKey, mint_master

PLACE = Place("acct_1", "acme", "pk_1", 1)
SECRET = "sk-live-0123456789"


def masters(*keys: str) -> Masters:
    return Masters.parse(" ".join(keys))


def test_a_secret_opens_where_it_was_sealed() -> None:
    wrapped, data_key = masters(mint_master()).make("acct_1")
    assert data_key.open(PLACE, data_key.seal(PLACE, SECRET)) == SECRET
    assert SECRET.encode() not in data_key.seal(PLACE, SECRET) + wrapped.wrapped


@pytest.mark.parametrize(
    "elsewhere",
    [{"tenant": "acct_2"}, {"provider_id": "other"}, {"key_id": "pk_2"}, {"version": 2}],
    ids=lambda change: next(iter(change)),
)
def test_it_opens_in_no_other_place(elsewhere: dict[str, object]) -> None:
    _, data_key = masters(mint_master()).make("acct_1")
    with pytest.raises(CannotOpen):
        data_key.open(msgspec.structs.replace(PLACE, **elsewhere), data_key.seal(PLACE, SECRET))


def test_parts_of_a_place_do_not_run_into_each_other() -> None:
    assert Place("a", "bc", "d", 1).bound() != Place("ab", "c", "d", 1).bound()


@pytest.mark.parametrize("damage", [b"", b"short", bytes(60)], ids=["nothing", "short", "zeros"])
def test_damaged_bytes_do_not_open(damage: bytes) -> None:
    _, data_key = masters(mint_master()).make("acct_1")
    with pytest.raises(CannotOpen):
        data_key.open(PLACE, damage)


def test_every_flipped_bit_is_noticed() -> None:
    _, data_key = masters(mint_master()).make("acct_1")
    sealed = data_key.seal(PLACE, SECRET)
    for at in range(len(sealed)):
        with pytest.raises(CannotOpen):
            data_key.open(PLACE, sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :])


def test_the_same_secret_is_never_sealed_alike() -> None:
    _, data_key = masters(mint_master()).make("acct_1")
    assert data_key.seal(PLACE, SECRET) != data_key.seal(PLACE, SECRET)


def test_a_data_key_opens_for_its_tenant_only() -> None:
    ours = masters(mint_master())
    wrapped, _ = ours.make("acct_1")
    with pytest.raises(CannotOpen):
        ours.open(msgspec.structs.replace(wrapped, tenant="acct_2"))


def test_a_data_key_does_not_open_with_another_master_key() -> None:
    wrapped, _ = masters(mint_master()).make("acct_1")
    with pytest.raises(CannotOpen):
        masters(mint_master()).open(wrapped)


def test_a_rotation_wraps_anew_and_what_was_sealed_still_opens() -> None:
    old, new = mint_master(), mint_master()
    wrapped, data_key = masters(old).make("acct_1")
    sealed = data_key.seal(PLACE, SECRET)
    moved = masters(new, old).rewrap(wrapped)
    assert moved is not None and moved.master_id != wrapped.master_id
    assert masters(new).open(moved).open(PLACE, sealed) == SECRET
    assert masters(new, old).rewrap(moved) is None


def test_a_master_key_is_named_by_nothing_of_itself() -> None:
    key = mint_master()
    wrapped: WrappedKey = masters(key).make("acct_1")[0]
    assert wrapped.master_id not in key


def test_master_keys_are_written_in_hex_or_base64() -> None:
    key = os.urandom(32)
    wrapped, _ = masters(key.hex()).make("acct_1")
    masters(b64encode(key).decode()).open(wrapped)
    Masters.parse(f"{mint_master()},{key.hex()}\n").open(wrapped)


@pytest.mark.parametrize("text", ["", "tooshort", "zz" * 32, "00" * 31, b64encode(bytes(31)).decode(), "ß" * 40])
def test_what_is_no_master_key_is_refused_unquoted(text: str) -> None:
    with pytest.raises(ValueError) as error:
        Masters.parse(text)
    assert not text or text not in str(error.value)
