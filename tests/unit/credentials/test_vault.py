"""Keys take turns; one that its provider refuses or throttles is left alone, and only that one."""

import logging
from collections.abc import Sequence

import pytest

from kyma.core.credential import Credential
from kyma.core.errors import Garbled, RefusedUs, Throttled, UpstreamError, UpstreamFailed, UpstreamTimeout
from kyma.credentials import Vault
from kyma.credentials.safe import Changes
from kyma.credentials.sealing import DataKey, Masters, Place, mint_master
from kyma.credentials.store import KeyRow
from tests.clock import ManualClock

ACCOUNT, OTHER = "acct_1", "acct_2"


def vault_of(clock: ManualClock, *secrets: str, falls_back: bool = True) -> Vault:
    vault = Vault(clock, falls_back=falls_back)
    vault.replace({"acme": secrets})
    return vault


def secrets(vault: Vault, account_id: str = ACCOUNT) -> list[str]:
    return [credential.secret for credential in vault.usable("acme", account_id)]


def throttled(wait_s: int | None = 7) -> Throttled:
    return Throttled("HTTP 429", upstream_status=429, retry_after_s=wait_s)


def refused(status: int = 401) -> RefusedUs:
    return RefusedUs(f"HTTP {status}", upstream_status=status)


def first(vault: Vault, account_id: str = ACCOUNT) -> Credential:
    return vault.usable("acme", account_id)[0]


def row(data_key: DataKey, tenant: str, secret: str | None, *, id: str = "pk_1", version: int = 1) -> KeyRow:
    sealed = data_key.seal(Place(tenant, "acme", id, version), secret) if secret else None
    return KeyRow(id, tenant, "acme", version, sealed, "", True, version, 0)


def data_key_of(tenant: str) -> DataKey:
    return Masters.parse(mint_master()).make(tenant)[1]


def bring(vault: Vault, tenant: str, secret: str | None = "own-key", *, version: int = 1) -> None:
    data_key = data_key_of(tenant)
    vault.take(
        Changes(version, [row(data_key, tenant, secret, id=f"pk_{tenant}", version=version)], {tenant: data_key})
    )


def test_an_unknown_provider_has_no_key(clock: ManualClock) -> None:
    assert vault_of(clock, "a").usable("other", ACCOUNT) == ()


def test_the_only_key_is_given_without_making_anything(clock: ManualClock) -> None:
    vault = vault_of(clock, "a")
    assert vault.usable("acme", ACCOUNT) is vault.usable("acme", OTHER)


def test_keys_take_turns_and_each_time_all_are_named(clock: ManualClock) -> None:
    vault = vault_of(clock, "a", "b", "c")
    assert [secrets(vault) for _ in range(4)] == [["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"], ["a", "b", "c"]]


def test_a_throttled_key_cools_down_alone(clock: ManualClock) -> None:
    vault = vault_of(clock, "a", "b")
    vault.failed(first(vault), throttled(7))
    assert [secrets(vault) for _ in range(2)] == [["b"], ["b"]]
    clock.advance(6.9)
    assert secrets(vault) == ["b"]
    clock.advance(0.2)
    assert sorted(secrets(vault)) == ["a", "b"]


@pytest.mark.parametrize(("said", "rests"), [(None, 1), (0, 1), (1, 1), (30, 30), (3600, 60)])
def test_the_wait_a_provider_asks_for_is_bounded(clock: ManualClock, said: int | None, rests: int) -> None:
    vault = vault_of(clock, "a")
    vault.failed(first(vault), throttled(said))
    clock.advance(rests - 0.01)
    assert secrets(vault) == []
    clock.advance(0.02)
    assert secrets(vault) == ["a"]


@pytest.mark.parametrize("status", [401, 402, 403])
def test_a_refused_key_is_parked_for_five_minutes(clock: ManualClock, status: int) -> None:
    vault = vault_of(clock, "a", "b")
    vault.failed(first(vault), refused(status))
    clock.advance(299)
    assert secrets(vault) == ["b"]
    clock.advance(2)
    assert sorted(secrets(vault)) == ["a", "b"]


@pytest.mark.parametrize("error", [UpstreamFailed("HTTP 500"), UpstreamTimeout("slow"), Garbled("html")], ids=repr)
def test_what_is_not_the_keys_fault_leaves_it_in_use(clock: ManualClock, error: UpstreamError) -> None:
    vault = vault_of(clock, "a")
    vault.failed(first(vault), error)
    assert secrets(vault) == ["a"]


def test_a_shorter_wait_does_not_shorten_a_longer_one(clock: ManualClock) -> None:
    vault = vault_of(clock, "a")
    key = first(vault)
    vault.failed(key, refused())
    vault.failed(key, throttled(1))
    clock.advance(2)
    assert secrets(vault) == []


def test_when_all_rest_none_is_usable_and_those_that_cool_down_are_held(clock: ManualClock) -> None:
    vault = vault_of(clock, "a", "b", "c")
    a, b, c = vault.usable("acme", ACCOUNT)
    vault.failed(a, throttled(20))
    vault.failed(b, throttled(10))
    vault.failed(c, refused())
    assert vault.usable("acme", ACCOUNT) == ()
    assert vault.held("acme", ACCOUNT) == (b, a)
    clock.advance(10)
    assert vault.usable("acme", ACCOUNT) == (b,)
    assert vault.held("acme", ACCOUNT) == (b, a)


def test_a_provider_without_keys_holds_none(clock: ManualClock) -> None:
    assert vault_of(clock, "a").held("other", ACCOUNT) == ()


def test_a_key_that_was_exchanged_is_fresh_and_the_others_go_on_resting(clock: ManualClock) -> None:
    vault = vault_of(clock, "a", "b")
    a, b = vault.usable("acme", ACCOUNT)
    vault.failed(a, refused())
    vault.failed(b, refused())
    vault.replace({"acme": ["a", "new"]})
    assert secrets(vault) == ["new"]
    vault.failed(b, refused())  # an answer that comes late is about a key that is gone
    assert secrets(vault) == ["new"]


def test_providers_do_not_share_a_rest(clock: ManualClock) -> None:
    vault = Vault(clock)
    vault.replace({"acme": ["a"], "other": ["a"]})
    vault.failed(first(vault), refused())
    assert vault.usable("other", ACCOUNT) != ()


def test_a_refusal_is_logged_once_by_id(clock: ManualClock, caplog: pytest.LogCaptureFixture) -> None:
    vault = vault_of(clock, "sk-secret-1", "sk-secret-2")
    key = first(vault)
    with caplog.at_level(logging.DEBUG):
        for _ in range(3):
            vault.failed(key, refused())
        vault.failed(key, throttled())
    assert [record.getMessage() for record in caplog.records] == [
        "key acme#1 of acme is left alone: refused (HTTP 401)"
    ]
    assert caplog.records[0].levelname == "WARNING"


def test_every_key_has_a_state(clock: ManualClock) -> None:
    vault = vault_of(clock, "a", "b", "c")
    a, b, _ = vault.usable("acme", ACCOUNT)
    vault.failed(a, throttled(7))
    vault.failed(b, refused(403))
    clock.advance(2)
    told = [(state.id, state.state, state.seconds_left, state.reason) for state in vault.states()]
    assert told == [
        ("acme#1", "cooling", 5.0, "throttled (HTTP 429)"),
        ("acme#2", "parked", 298.0, "refused (HTTP 403)"),
        ("acme#3", "ready", None, ""),
    ]
    assert {state.provider_id for state in vault.states()} == {"acme"}


def test_a_provider_without_its_token_has_no_key_until_there_is_one(clock: ManualClock) -> None:
    vault = Vault(clock)
    assert vault.usable("acme", ACCOUNT) == ()
    vault.put_minted("acme", "token-1")
    vault.failed(first(vault), refused())
    assert vault.usable("acme", ACCOUNT) == ()
    vault.put_minted("acme", "token-2")
    assert secrets(vault) == ["token-2"]
    vault.put_minted("acme", None)
    assert vault.usable("acme", ACCOUNT) == ()


@pytest.mark.parametrize(("error", "is_told"), [(refused(401), True), (refused(403), False), (throttled(), False)])
def test_who_mints_learns_of_a_token_that_is_not_accepted(
    clock: ManualClock, error: UpstreamError, is_told: bool
) -> None:
    vault, told = Vault(clock), list[str]()
    vault.watch_minted("acme", told.append)
    vault.put_minted("acme", "token-1")
    vault.failed(first(vault), error)
    assert told == (["token-1"] if is_told else [])


def test_a_customers_own_key_comes_before_ours_for_that_customer_alone(clock: ManualClock) -> None:
    vault = vault_of(clock, "ours")
    bring(vault, ACCOUNT)
    own, ours = vault.usable("acme", ACCOUNT)
    assert (own.secret, own.is_own, ours.secret, ours.is_own) == ("own-key", True, "ours", False)
    assert vault.has_own(ACCOUNT) and not vault.has_own(OTHER)
    assert secrets(vault, OTHER) == ["ours"]


def test_a_customers_own_key_rests_alone(clock: ManualClock) -> None:
    vault = vault_of(clock, "ours")
    bring(vault, ACCOUNT)
    vault.failed(first(vault), throttled(5))
    assert secrets(vault) == ["ours"]
    clock.advance(5)
    assert secrets(vault) == ["own-key", "ours"]


def test_without_fallback_ours_never_serves_who_brought_one(clock: ManualClock) -> None:
    vault = vault_of(clock, "ours", falls_back=False)
    bring(vault, ACCOUNT)
    assert secrets(vault) == ["own-key"]
    vault.failed(first(vault), refused())
    assert secrets(vault) == []
    assert vault.held("acme", ACCOUNT) == ()
    assert secrets(vault, OTHER) == ["ours"]


def test_another_key_of_the_same_customer_is_fresh(clock: ManualClock) -> None:
    vault = vault_of(clock, "ours")
    bring(vault, ACCOUNT)
    vault.failed(first(vault), refused())
    bring(vault, ACCOUNT, "better-key", version=2)
    assert secrets(vault) == ["better-key", "ours"]
    bring(vault, ACCOUNT, None, version=3)
    assert secrets(vault) == ["ours"]
    assert not vault.has_own(ACCOUNT)


def test_a_customers_refused_key_warns_nobody(clock: ManualClock, caplog: pytest.LogCaptureFixture) -> None:
    vault = vault_of(clock, "ours")
    bring(vault, ACCOUNT)
    vault.failed(first(vault), refused())
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_key_moved_from_another_customer_is_not_used(clock: ManualClock, caplog: pytest.LogCaptureFixture) -> None:
    vault = vault_of(clock, "ours")
    data_key = data_key_of(ACCOUNT)
    theirs = row(data_key, ACCOUNT, "their-key")
    stolen = KeyRow("pk_2", OTHER, "acme", 1, theirs.sealed, "", True, 1, 0)
    vault.take(Changes(1, [stolen], {OTHER: data_key}))
    assert [secrets(vault, OTHER) for _ in range(2)] == [["ours"], ["ours"]]
    assert len(caplog.records) == 1 and "their-key" not in caplog.text


def test_a_customers_key_without_its_master_key_is_not_used(clock: ManualClock) -> None:
    vault = vault_of(clock, "ours")
    vault.take(Changes(1, [row(data_key_of(ACCOUNT), ACCOUNT, "own-key")]))
    assert secrets(vault) == ["ours"]


def stored(rows: Sequence[KeyRow], data_key: DataKey) -> Changes:
    return Changes(1, list(rows), {"operator": data_key})


def test_a_stored_key_joins_those_of_the_environment(clock: ManualClock) -> None:
    vault = vault_of(clock, "a")
    data_key = data_key_of("operator")
    vault.take(stored([row(data_key, "operator", "b")], data_key))
    assert secrets(vault) == ["a", "b"]
    assert vault.stored_providers == {"acme"}
    vault.take(stored([row(data_key, "operator", None)], data_key))
    assert secrets(vault) == ["a"]
    assert vault.stored_providers == frozenset()


def test_a_stored_key_that_is_off_or_does_not_open_is_shown_and_not_used(clock: ManualClock) -> None:
    vault = Vault(clock)
    data_key = data_key_of("operator")
    off = KeyRow("pk_1", "operator", "acme", 1, b"sealed", "", False, 1, 0)
    broken = KeyRow("pk_2", "operator", "acme", 1, b"sealed", "", True, 1, 0)
    vault.take(stored([off, broken], data_key))
    assert vault.usable("acme", ACCOUNT) == ()
    told = [(state.id, state.state, state.reason) for state in vault.states()]
    assert told[0] == ("pk_1", "off", "switched off")
    assert told[1][:2] == ("pk_2", "off") and told[1][2].startswith("cannot be opened")


def test_no_credential_shows_its_secret(clock: ManualClock) -> None:
    vault = vault_of(clock, "sk-secret")
    assert "sk-secret" not in repr((vault.usable("acme", ACCOUNT), vault.states(), vars(vault)["_given"]))


def test_a_text_that_quotes_a_secret_is_told_without_it() -> None:
    pair = Credential("aws#1", "aws", "AKIAEXAMPLE\nwJalrXUtnFEMI")
    said = "the key AKIAEXAMPLE with wJalrXUtnFEMI is wrong"
    assert pair.hidden_in(said) == "the key [key] with [key] is wrong"
