"""How often somebody may try to sign in: per e-mail address and per network address, in memory.

An address is never locked for good: after five attempts the wait doubles from one second to fifteen minutes.
Counts are of this process; they are lost with it and bounded in number, the longest untouched going first.
"""

from collections import deque
from ipaddress import IPv6Address, ip_address
from math import ceil
from typing import Final

import msgspec

from kyma.core.errors import RateLimited
from kyma.core.ids import Clock

FREE_ATTEMPTS: Final = 5
LONGEST_WAIT_S: Final = 900
FORGOTTEN_AFTER_S: Final = 86_400
PER_NETWORK_A_MINUTE: Final = 20


class _Attempts(msgspec.Struct):
    count: int
    last_at: float
    free_at: float


class LoginThrottle:
    """Counts attempts when they begin, so that guesses sent at once do not slip through together."""

    def __init__(self, clock: Clock, size: int = 10_000) -> None:
        self._clock = clock
        self._size = size
        self._addresses: dict[str, _Attempts] = {}
        self._networks: dict[str, deque[float]] = {}

    def attempt(self, email: str, ip: str) -> None:
        """Count one attempt as failed until `succeeded` says otherwise. Raises: RateLimited; that counts nothing."""
        now = self._clock.monotonic()
        network = _network(ip)
        self._check_network(network, now)
        self._check_address(email, now)
        self._count_network(network, now)
        self._count_address(email, now)

    def attempt_from(self, ip: str) -> None:
        """Count one attempt of a network address only, for what has no account yet. Raises: RateLimited."""
        now = self._clock.monotonic()
        network = _network(ip)
        self._check_network(network, now)
        self._count_network(network, now)

    def succeeded(self, email: str) -> None:
        """Forget the attempts for an address: its owner has signed in."""
        self._addresses.pop(email, None)

    def _check_network(self, network: str, now: float) -> None:
        recent = self._networks.get(network)
        if recent is not None and len(recent) == PER_NETWORK_A_MINUTE and recent[0] + 60 > now:
            raise _too_many(
                f"More than {PER_NETWORK_A_MINUTE} sign-in attempts a minute from your network.", recent[0] + 60 - now
            )

    def _check_address(self, email: str, now: float) -> None:
        attempts = self._addresses.get(email)
        if attempts is not None and attempts.free_at > now:
            raise _too_many("Too many sign-in attempts for this account.", attempts.free_at - now)

    def _count_network(self, network: str, now: float) -> None:
        recent = self._networks.pop(network, None) or deque(maxlen=PER_NETWORK_A_MINUTE)
        recent.append(now)
        self._networks[network] = recent
        _drop_oldest(self._networks, self._size)

    def _count_address(self, email: str, now: float) -> None:
        attempts = self._addresses.pop(email, None)
        count = 1 if attempts is None or attempts.last_at + FORGOTTEN_AFTER_S <= now else attempts.count + 1
        self._addresses[email] = _Attempts(count, now, now + _wait_s(count))
        _drop_oldest(self._addresses, self._size)


def _wait_s(count: int) -> int:
    """Seconds until the next attempt after `count` of them: 0 for the first four, then 1, 2, 4 … 900."""
    return 0 if count < FREE_ATTEMPTS else min(LONGEST_WAIT_S, 1 << min(count - FREE_ATTEMPTS, 10))


def _network(ip: str) -> str:
    """An IPv6 client owns a whole /64, so that is what is counted; anything that is no address is itself."""
    try:
        address = ip_address(ip)
    except ValueError:
        return ip
    if not isinstance(address, IPv6Address):
        return ip
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return address.packed[:8].hex()


def _drop_oldest(entries: dict[str, _Attempts] | dict[str, deque[float]], size: int) -> None:
    while len(entries) > size:
        del entries[next(iter(entries))]


def _too_many(message: str, wait_s: float) -> RateLimited:
    retry_after_s = max(1, ceil(wait_s))
    return RateLimited(
        f"{message} Try again in {retry_after_s} s.", code="too_many_attempts", retry_after_s=retry_after_s
    )
