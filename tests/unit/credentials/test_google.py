"""Tokens are minted for a service account, renewed before they end, and taken back when they are no good."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from kyma.core.credential import Credential
from kyma.core.errors import RefusedUs, Throttled
from kyma.credentials import Vault
from kyma.credentials.google import CannotMint, GoogleTokens, mint
from tests.google_stand_in import EMAIL, PROJECT, GoogleStandIn

SECRET_WORDS = (EMAIL, PROJECT, "ya29", "PRIVATE KEY", "127.0.0.1")


@pytest.fixture
def google() -> Iterator[GoogleStandIn]:
    with GoogleStandIn() as stand_in:
        yield stand_in


class Kept:
    """A vault with the tokens of one account for one provider, and what was handed over so far."""

    def __init__(self, google: GoogleStandIn) -> None:
        self.vault = Vault()
        self.handed: asyncio.Queue[str | None] = asyncio.Queue()
        self.tokens = GoogleTokens(google.service_account(), self._take)
        self.vault.watch_minted("vertex", self.tokens.refused)

    def _take(self, token: str | None) -> None:
        self.vault.put_minted("vertex", token)
        self.handed.put_nowait(token)

    async def next(self) -> str | None:
        async with asyncio.timeout(10):
            return await self.handed.get()

    @property
    def usable(self) -> list[str]:
        return [credential.secret for credential in self.vault.usable("vertex", "acc_1")]

    @property
    def credential(self) -> Credential:
        (credential,) = self.vault.usable("vertex", "acc_1")
        return credential


@asynccontextmanager
async def kept_for(google: GoogleStandIn) -> AsyncIterator[Kept]:
    kept = Kept(google)
    task = asyncio.create_task(kept.tokens.keep())
    try:
        yield kept
    finally:
        task.cancel()
        await asyncio.wait([task])


def test_the_assertion_is_signed_by_the_account_and_asks_for_the_platform(google: GoogleStandIn) -> None:
    """The stand-in checks signature, issuer, audience, scope and times, and gives no token for less."""
    assert mint(google.service_account()).token == "ya29.c.stand-in-1"


def test_a_token_lives_as_long_as_it_is_told(google: GoogleStandIn) -> None:
    google.life_s = 1000
    assert 990 < mint(google.service_account()).life_s <= 1000


def test_nothing_of_a_token_shows_in_its_text(google: GoogleStandIn) -> None:
    assert "ya29" not in repr(mint(google.service_account()))


async def test_there_is_no_key_before_the_first_token(google: GoogleStandIn) -> None:
    assert Kept(google).usable == []


async def test_a_token_is_the_providers_key_from_then_on(google: GoogleStandIn) -> None:
    async with kept_for(google) as kept:
        token = await kept.next()
        assert kept.usable == [token] == ["ya29.c.stand-in-1"]


async def test_a_token_is_renewed_before_it_ends(google: GoogleStandIn) -> None:
    google.life_s = 4
    async with kept_for(google) as kept:
        assert [await kept.next(), await kept.next()] == ["ya29.c.stand-in-1", "ya29.c.stand-in-2"]
        assert google.is_good("ya29.c.stand-in-1")


async def test_the_old_token_serves_while_renewal_fails_and_goes_when_it_ends(google: GoogleStandIn) -> None:
    google.life_s = 4
    async with kept_for(google) as kept:
        await kept.next()
        google.is_down = True
        assert await kept.next() is None
        assert kept.usable == [] and not google.is_good("ya29.c.stand-in-1")


async def test_minting_goes_on_until_the_endpoint_is_back(google: GoogleStandIn) -> None:
    google.refusal = (400, {"error": "invalid_grant", "error_description": f"Invalid grant: {EMAIL} not found"})
    async with kept_for(google) as kept:
        await asyncio.to_thread(google.wait_minted, 1)
        assert kept.usable == []
        google.refusal = None
        assert await kept.next() == "ya29.c.stand-in-2"


async def test_a_refused_token_is_taken_back_and_renewed_at_once(google: GoogleStandIn) -> None:
    async with kept_for(google) as kept:
        await kept.next()
        kept.vault.failed(kept.credential, RefusedUs("HTTP 401", upstream_status=401))
        assert kept.usable == []
        assert [await kept.next(), await kept.next()] == [None, "ya29.c.stand-in-2"]


async def test_many_refusals_of_one_token_make_one_renewal(google: GoogleStandIn) -> None:
    async with kept_for(google) as kept:
        await kept.next()
        stale = kept.credential
        for _ in range(50):
            kept.vault.failed(stale, RefusedUs("HTTP 401", upstream_status=401))
        assert [await kept.next(), await kept.next()] == [None, "ya29.c.stand-in-2"]
        kept.vault.failed(stale, RefusedUs("HTTP 401", upstream_status=401))
        assert kept.usable == ["ya29.c.stand-in-2"] and len(google.assertions) == 2


@pytest.mark.parametrize(
    "error", [RefusedUs("HTTP 403", upstream_status=403), Throttled("HTTP 429", upstream_status=429)]
)
async def test_other_troubles_are_no_reason_to_renew(google: GoogleStandIn, error: RefusedUs | Throttled) -> None:
    async with kept_for(google) as kept:
        await kept.next()
        kept.vault.failed(kept.credential, error)
        await asyncio.sleep(0)
        assert len(google.assertions) == 1


@pytest.mark.parametrize(
    "key", ["", "{", "[]", '{"type":"service_account"}', json.dumps({"client_email": EMAIL, "private_key": "PRIVATE"})]
)
def test_a_key_that_is_none_is_said_to_be_so_without_its_words(key: str) -> None:
    with pytest.raises(CannotMint, match="no usable Google credentials") as caught:
        mint(key)
    assert EMAIL not in str(caught.value) and "PRIVATE" not in str(caught.value)


async def test_the_log_names_what_went_wrong_and_neither_account_nor_project(
    google: GoogleStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    google.refusal = (400, {"error": "invalid_grant", "error_description": f"Invalid grant: {EMAIL} not found"})
    with caplog.at_level(logging.DEBUG, "kyma"):
        async with kept_for(google):
            await asyncio.to_thread(google.wait_minted, 1)
            while not caplog.messages:
                await asyncio.sleep(0.01)
    assert caplog.messages == [
        "no access token for Vertex AI: the token endpoint refused us: invalid_grant; tried again in 1 s"
    ]
    assert not any(word in caplog.text for word in SECRET_WORDS)
