"""Every key of this gateway in memory, by provider: those from its surroundings, from the database, and minted ones.

Nothing here does I/O: `usable` and `failed` are called for every attempt at a provider. The operator's keys are held
open; a customer's own key stays sealed and is opened for the one request that it serves.
"""

import logging
import math
from collections.abc import Callable, Mapping, Sequence

import msgspec

from kyma.core.credential import Credential
from kyma.core.errors import UpstreamError
from kyma.core.ids import Clock, SystemClock
from kyma.credentials.ring import KeyState, Rest, Ring, rest_after
from kyma.credentials.safe import OPERATOR, Changes, opened
from kyma.credentials.sealing import CannotOpen, DataKey
from kyma.credentials.store import KeyRow

log = logging.getLogger("kyma.credentials")

MAX_OWN_RESTS = 10_000


class _Own(msgspec.Struct, frozen=True):
    """A customer's own key, sealed. Its id changes with its secret, so what was said of the old one is forgotten."""

    row: KeyRow
    data_key: DataKey | None

    @property
    def id(self) -> str:
        return f"{self.row.id}/{self.row.version}"

    def open(self) -> Credential:
        """Raises: CannotOpen."""
        return Credential(self.id, self.row.provider_id, opened(self.row, self.data_key), is_own=True)


class Vault:
    """Hands out the keys that may be used now, the one whose turn it is first.

    `falls_back`: after a customer's own key, ours may serve too, at the full price.
    """

    def __init__(self, clock: Clock | None = None, *, falls_back: bool = True) -> None:
        self._clock = clock or SystemClock()
        self._falls_back = falls_back
        self._given: dict[str, tuple[Credential, ...]] = {}
        self._stored: dict[str, Credential] = {}
        self._off: dict[str, KeyState] = {}
        self._minted: dict[str, Credential] = {}
        self._minters: dict[str, Callable[[str], None]] = {}
        self._rings: dict[str, Ring] = {}
        self._own: dict[str, dict[str, _Own]] = {}
        self._own_rests: dict[str, Rest] = {}

    def usable(self, provider_id: str, account_id: str) -> Sequence[Credential]:
        """The keys to try for this account, in order; none when every one is resting or there is none.

        None means that a provider which takes a key cannot be asked now; one of our own machines may be asked without.
        An account's own key comes first. Every call takes a turn, so it is for those who are about to try.
        """
        if self._own and (mine := self._own.get(account_id)) and (own := mine.get(provider_id)):
            return self._with_own(own)
        ring = self._rings.get(provider_id)
        return ring.turn() if ring is not None else ()

    def held(self, provider_id: str, account_id: str) -> Sequence[Credential]:
        """The same, and behind them those that are cooling down, the soonest first: for when nothing else is left.

        Never a key that was refused, nor ours for an account that wants its own or nothing.
        """
        own = self._own.get(account_id, {}).get(provider_id)
        ring = self._rings.get(provider_id) if own is None or self._falls_back else None
        return (*self.usable(provider_id, account_id), *(ring.cooling() if ring is not None else ()))

    def has_own(self, account_id: str) -> bool:
        """Whether the account has brought a key of its own for any provider."""
        return account_id in self._own

    def owns(self, provider_id: str, account_id: str) -> bool:
        """Whether its own key for this provider may be used now; takes no turn."""
        own = self._own.get(account_id, {}).get(provider_id)
        return own is not None and self._is_awake(own)

    def failed(self, credential: Credential, error: UpstreamError) -> None:
        """The provider answered so to this key: busy, it cools down; refused, it is parked. Other keys go on."""
        rest = rest_after(error, self._clock.monotonic())
        if rest is None:
            return
        if credential.is_own:
            self._rest_own(credential, rest)
            return
        ring = self._rings.get(credential.provider_id)
        if ring is not None and ring.rest(credential, rest) and rest.state == "parked":
            log.warning("key %s of %s is left alone: %s", credential.id, credential.provider_id, rest.reason)
        if error.upstream_status == 401 and self._minted.get(credential.provider_id) == credential:
            told = self._minters.get(credential.provider_id)
            if told is not None:
                told(credential.secret)

    def states(self) -> list[KeyState]:
        """Every key of the operator's by provider, those that are off too."""
        states = [state for provider_id in sorted(self._rings) for state in self._rings[provider_id].states()]
        return states + sorted(self._off.values(), key=lambda state: (state.provider_id, state.id))

    def replace(self, secrets: Mapping[str, Sequence[str]]) -> None:
        """Hold these secrets from outside the database, by provider, and no others of the kind."""
        before = self._given
        self._given = {
            provider_id: tuple(
                Credential(f"{provider_id}#{number}", provider_id, secret) for number, secret in enumerate(found, 1)
            )
            for provider_id, found in secrets.items()
        }
        self._renew(before.keys() | self._given.keys())

    def put_minted(self, provider_id: str, token: str | None) -> None:
        """The access token that this provider takes from now on; None while there is none that is good."""
        if token is None:
            self._minted.pop(provider_id, None)
        else:
            self._minted[provider_id] = Credential(f"{provider_id}#minted", provider_id, token)
        self._renew({provider_id})

    def watch_minted(self, provider_id: str, refused: Callable[[str], None]) -> None:
        """Have `refused` told of a token that the provider answers with 401."""
        self._minters[provider_id] = refused

    def take(self, changes: Changes) -> None:
        """Follow what has changed in the database."""
        for row in changes.rows:
            if row.tenant != OPERATOR:
                self._take_own(row, changes.data_keys.get(row.tenant))
            else:
                self._take_ours(row, changes)
        self._renew({row.provider_id for row in changes.rows if row.tenant == OPERATOR})

    @property
    def stored_providers(self) -> frozenset[str]:
        """Providers that are on because the database holds a key for them."""
        return frozenset(credential.provider_id for credential in self._stored.values())

    def _with_own(self, own: _Own) -> Sequence[Credential]:
        ring = self._rings.get(own.row.provider_id) if self._falls_back else None
        ours = ring.turn() if ring is not None else ()
        if not self._is_awake(own):
            return ours
        try:
            return (own.open(), *ours)
        except CannotOpen as error:
            log.error("key %s of a customer cannot be opened: %s", own.id, error)
            self._own_rests[own.id] = Rest(math.inf, "off", "cannot be opened")
            return ours

    def _is_awake(self, own: _Own) -> bool:
        rest = self._own_rests.get(own.id) if self._own_rests else None
        return rest is None or rest.until <= self._clock.monotonic()

    def _rest_own(self, credential: Credential, rest: Rest) -> None:
        """What is wrong with a customer's key is for the customer to mend, so nobody is warned."""
        log.info("key %s of a customer is left alone: %s", credential.id, rest.reason)
        if len(self._own_rests) >= MAX_OWN_RESTS:
            now = self._clock.monotonic()
            self._own_rests = {id: known for id, known in self._own_rests.items() if known.until > now}
        self._own_rests[credential.id] = rest

    def _take_own(self, row: KeyRow, data_key: DataKey | None) -> None:
        mine = self._own.setdefault(row.tenant, {})
        mine.pop(row.provider_id, None)
        if row.sealed is not None:
            mine[row.provider_id] = _Own(row, data_key)
        elif not mine:
            del self._own[row.tenant]

    def _take_ours(self, row: KeyRow, changes: Changes) -> None:
        self._stored.pop(row.id, None)
        self._off.pop(row.id, None)
        if row.sealed is None:
            return
        if not row.is_on:
            self._off[row.id] = KeyState(row.id, row.provider_id, "off", reason="switched off")
            return
        try:
            self._stored[row.id] = Credential(row.id, row.provider_id, changes.open(row))
        except CannotOpen as error:
            log.error("key %s of %s cannot be opened: %s", row.id, row.provider_id, error)
            self._off[row.id] = KeyState(row.id, row.provider_id, "off", reason=f"cannot be opened: {error}")

    def _renew(self, provider_ids: set[str]) -> None:
        for provider_id in provider_ids:
            held = list(self._given.get(provider_id, ()))
            held += [credential for credential in self._stored.values() if credential.provider_id == provider_id]
            held += [self._minted[provider_id]] if provider_id in self._minted else []
            known = self._rings.pop(provider_id, None)
            if held:
                self._rings[provider_id] = known.renewed(held) if known is not None else Ring(held, self._clock)
