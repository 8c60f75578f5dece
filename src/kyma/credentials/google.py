"""Access tokens of Google Cloud, minted for a service account and renewed long before they end.

Knows neither providers nor the vault: who uses a token is told it by a function. The only module that imports
google-auth, so it is loaded only where a provider wants such tokens. What goes wrong is logged in words of ours, since
the library's may name the account or the project.
"""

import asyncio
import json
import logging
import re
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import google.auth
import msgspec
import requests
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, RefreshError
from google.auth.transport.requests import Request
from google.oauth2 import service_account as accounts

log = logging.getLogger("kyma.credentials.google")

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
"""What Vertex AI asks for. Source: google-genai 3.4.0 and anthropic 2.12.0 SDKs, 2026-11-21."""

ATTEMPT_S = 10.0
LEAD_S = 600.0
"""Renewal begins so long before the end, or at half of a shorter life. Google's tokens live an hour."""
SHORTEST_LIFE_S = 300.0
"""Taken for the life of a token whose end is not told."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
REFUSED_PAUSE_S = 30.0
"""Between two renewals because of refusals: a token that Google refuses for good must not make us ask all the time."""

_WORD = re.compile(r"[a-z_]{1,40}")


class Minted(msgspec.Struct, frozen=True):
    token: str
    life_s: float

    def __repr__(self) -> str:
        return "Minted()"


class CannotMint(Exception):
    """There is no token to be had now; the message is in words of ours."""


class GoogleTokens:
    """The tokens of one account, one mint at a time. `hand_over` gets each new one, and None when the last has ended.

    `service_account` is the JSON of its key; without it the library looks where it always does: the file that
    GOOGLE_APPLICATION_CREDENTIALS names, gcloud's own, the metadata server of a Google machine.
    """

    def __init__(self, service_account: str | None, hand_over: Callable[[str | None], None]) -> None:
        self._mint = partial(mint, service_account)
        self._hand_over = hand_over
        self._token: str | None = None
        self._ends_at = 0.0
        self._refused = asyncio.Event()

    def refused(self, token: str) -> None:
        """Google answered 401 to this token: it is used no more, and renewed at once if it is the newest."""
        if token == self._token:
            self._token = None
            self._hand_over(None)
            self._refused.set()

    async def keep(self) -> None:
        """Mint and renew for as long as the gateway runs."""
        pause_s, earliest = FIRST_PAUSE_S, 0.0
        loop = asyncio.get_running_loop()
        while True:
            self._refused.clear()
            try:
                minted = await asyncio.to_thread(self._mint)
            except CannotMint as error:
                log.warning("no access token for Vertex AI: %s; tried again in %g s", error, pause_s)
                await self._wait(pause_s)
                pause_s = min(LONGEST_PAUSE_S, pause_s * 2)
                continue
            pause_s = FIRST_PAUSE_S
            self._take(minted, loop.time())
            if await self._wait(max(FIRST_PAUSE_S, minted.life_s - min(LEAD_S, minted.life_s / 2))):
                await asyncio.sleep(earliest - loop.time())
                earliest = loop.time() + REFUSED_PAUSE_S

    def _take(self, minted: Minted, now: float) -> None:
        self._token, self._ends_at = minted.token, now + minted.life_s
        self._refused.clear()
        self._hand_over(minted.token)

    async def _wait(self, seconds: float) -> bool:
        """Sleep, and take a token back that ends meanwhile; True if it was refused before."""
        loop = asyncio.get_running_loop()
        wakes_at = loop.time() + seconds
        while (now := loop.time()) < wakes_at:
            if self._token is not None and now >= self._ends_at:
                self._token = None
                self._hand_over(None)
            until = min(wakes_at, self._ends_at) if self._token is not None else wakes_at
            try:
                async with asyncio.timeout_at(until):
                    await self._refused.wait()
            except TimeoutError:
                continue
            return True
        return False


def mint(service_account: str | None) -> Minted:
    """A fresh token; blocks. The key is read anew each time, so a replaced one is found. Raises: CannotMint."""
    try:
        credentials = _credentials(service_account)
        with requests.Session() as session:
            credentials.refresh(partial(Request(session), timeout=ATTEMPT_S))
    except RefreshError as error:
        raise CannotMint(f"the token endpoint refused us{_named(error)}") from None
    except (DefaultCredentialsError, ValueError, OSError) as error:
        raise CannotMint(f"there are no usable Google credentials ({type(error).__name__})") from None
    except GoogleAuthError as error:
        raise CannotMint(f"the token endpoint cannot be asked ({type(error).__name__})") from None
    if not credentials.token:
        raise CannotMint("the token endpoint gave none")
    return Minted(str(credentials.token), _life_s(credentials.expiry))


def _credentials(service_account: str | None) -> Any:
    if service_account is not None:
        info = json.loads(service_account)
        if not isinstance(info, dict):
            raise ValueError
        return accounts.Credentials.from_service_account_info(info, scopes=SCOPES)  # type: ignore[no-untyped-call]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return google.auth.default(scopes=SCOPES)[0]


def _life_s(expiry: datetime | None) -> float:
    """Seconds left; the library's times are UTC without saying so."""
    if expiry is None:
        return SHORTEST_LIFE_S
    return (expiry.replace(tzinfo=UTC) - datetime.now(UTC)).total_seconds()


def _named(error: RefreshError) -> str:
    """The error code of RFC 6749 that came along, e.g. `: invalid_grant`, and nothing else of what was said."""
    body = error.args[1] if len(error.args) > 1 else None
    word = body.get("error") if isinstance(body, dict) else None
    return f": {word}" if isinstance(word, str) and _WORD.fullmatch(word) else ""
