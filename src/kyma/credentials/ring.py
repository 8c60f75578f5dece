"""The keys of one provider, in turn: those that the provider refused or wants to rest are left out for a while."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from kyma.core.credential import Credential
from kyma.core.errors import RefusedUs, Throttled, UpstreamError
from kyma.core.ids import Clock

State = Literal["ready", "cooling", "parked", "off"]

PARKED_S = 300.0
MIN_COOL_DOWN_S, MAX_COOL_DOWN_S = 1, 60


class KeyState(msgspec.Struct, frozen=True):
    """A key of the operator's as it stands now; `reason` is in words of ours."""

    id: str
    provider_id: str
    state: State
    seconds_left: float | None = None
    """Until it is used again; None where that is not a matter of time."""
    reason: str = ""


class Rest(msgspec.Struct, frozen=True):
    """Why a key is left alone, and until when on the monotonic clock."""

    until: float
    state: State
    reason: str


def rest_after(error: UpstreamError, now: float) -> Rest | None:
    """How long a key rests after its provider answered so; None where the key is not what is wrong."""
    said = f"HTTP {error.upstream_status}" if error.upstream_status else "no status"
    if isinstance(error, RefusedUs):
        return Rest(now + PARKED_S, "parked", f"refused ({said})")
    if isinstance(error, Throttled):
        wait_s = min(MAX_COOL_DOWN_S, max(MIN_COOL_DOWN_S, error.retry_after_s or MIN_COOL_DOWN_S))
        return Rest(now + wait_s, "cooling", f"throttled ({said})")
    return None


class Ring:
    """One provider's keys; `turn` is the hot path, and makes nothing new."""

    def __init__(self, credentials: Sequence[Credential], clock: Clock) -> None:
        self.credentials = tuple(credentials)
        self._clock = clock
        self._rests: dict[str, Rest] = {}
        self._wakes_at = 0.0
        self._turns: tuple[tuple[Credential, ...], ...] = ((),)
        self._at = 0
        self._arrange()

    def turn(self) -> tuple[Credential, ...]:
        """The keys that may be used, the one whose turn it is first; the next call begins with another one."""
        if self._rests and self._clock.monotonic() >= self._wakes_at:
            self._wake()
        turns = self._turns
        if len(turns) == 1:
            return turns[0]
        at = self._at
        self._at = at + 1 if at + 1 < len(turns) else 0
        return turns[at]

    def cooling(self) -> list[Credential]:
        """The keys that are cooling down, the one that comes back first at the head."""
        waits = {id: rest.until for id, rest in self._rests.items() if rest.state == "cooling"}
        found = [credential for credential in self.credentials if credential.id in waits]
        return sorted(found, key=lambda credential: waits[credential.id])

    def rest(self, credential: Credential, rest: Rest) -> bool:
        """Leave a key alone; False if it is not among these or rests for longer already."""
        known = self._rests.get(credential.id)
        if credential not in self.credentials or (known is not None and known.until >= rest.until):
            return False
        self._rests[credential.id] = rest
        self._arrange()
        return known is None or known.state != rest.state

    def renewed(self, credentials: Sequence[Credential]) -> "Ring":
        """A ring of these keys, of which those that are here already go on resting."""
        ring = Ring(credentials, self._clock)
        kept = {credential.id for credential in ring.credentials if credential in self.credentials}
        ring._rests = {id: rest for id, rest in self._rests.items() if id in kept}
        ring._arrange()
        return ring

    def states(self) -> list[KeyState]:
        """Every key as it stands now."""
        now = self._clock.monotonic()
        return [self._state(credential, now) for credential in self.credentials]

    def _state(self, credential: Credential, now: float) -> KeyState:
        rest = self._rests.get(credential.id)
        if rest is None or rest.until <= now:
            return KeyState(credential.id, credential.provider_id, "ready")
        return KeyState(credential.id, credential.provider_id, rest.state, rest.until - now, rest.reason)

    def _wake(self) -> None:
        now = self._clock.monotonic()
        self._rests = {id: rest for id, rest in self._rests.items() if rest.until > now}
        self._arrange()

    def _arrange(self) -> None:
        """Write every turn down, so that taking one costs nothing."""
        ready = tuple(credential for credential in self.credentials if credential.id not in self._rests)
        self._turns = tuple(ready[at:] + ready[:at] for at in range(len(ready))) or ((),)
        self._at = 0
        self._wakes_at = min((rest.until for rest in self._rests.values()), default=0.0)
