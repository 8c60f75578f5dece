"""Accounts for tests, each opened from an address of its own, because sign-ups from one address are limited."""

import itertools
from collections.abc import Sequence

from tests.gateway_process import PASSWORD
from tests.server.api import Answer, Api

_numbers = itertools.count(1)


def stranger(port: int, forbidden: Sequence[bytes] = ()) -> Api:
    """Somebody without an account, at a loopback address that nobody else has."""
    number = next(_numbers)
    return Api(port, "", forbidden, source_ip=f"127.0.{1 + number // 250}.{1 + number % 250}")


def register(api: Api, email: str = "") -> Answer:
    """Sign up; by default with an address that nobody else has."""
    return api.post(
        "/v1/auth/register", {"email": email or f"customer-{next(_numbers)}@example.com", "password": PASSWORD}
    )


def open_account(port: int, forbidden: Sequence[bytes] = ()) -> Api:
    """A new account with its sign-up credit, by its key."""
    api = stranger(port, forbidden)
    answer = register(api)
    assert answer.status == 200, answer
    return api.as_(answer.json()["api_key"])
