"""Users, API keys and sessions: who a token stands for, and what its owner may do with keys.

Knows nothing of money and limits: what the tier depends on is handed in as two functions.
"""

from collections.abc import Callable, Collection
from typing import Final

import msgspec
from sqlalchemy import Connection

from kyma.accounts import keys, store
from kyma.accounts.authenticator import Authenticator
from kyma.accounts.emails import normal_email
from kyma.accounts.passwords import Passwords, checked_password
from kyma.accounts.store import KeyLabel, KeyRow, UserRow
from kyma.accounts.throttle import LoginThrottle
from kyma.core.errors import Conflict, InvalidRequest, NotFound, Unauthenticated
from kyma.core.ids import Clock, new_id
from kyma.core.money import Nanos
from kyma.core.principal import Principal
from kyma.storage.database import Database

PurchasedOf = Callable[[Connection, str], Nanos]
"""What an account has bought over its life, in nano-dollars, read in the caller's transaction."""

MAX_KEYS: Final = 100
MAX_KEY_NAME: Final = 64


class NewKey(msgspec.Struct, frozen=True):
    """A key just made; the only time its token is known."""

    key: KeyRow
    token: str
    digest: str


class NewSession(msgspec.Struct, frozen=True):
    """A session just made; the only time its token is known."""

    id: str
    token: str
    digest: str


class SignedIn(msgspec.Struct, frozen=True):
    """What a sign-in hands out."""

    user_id: str
    email: str
    session_token: str


class Profile(msgspec.Struct, frozen=True):
    """A user with the keys that are not revoked; `tier` is the one in force."""

    user: UserRow
    tier: int
    keys: list[KeyRow]


class Accounts:
    """The accounts of this gateway. `pepper` is a secret of the server that every token hash depends on.

    `purchased` comes from the ledger and `tier_for` from the tiers; the composition root gives both, so that this
    feature reads no table but its own and still learns the tier in the same transaction.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        pepper: bytes,
        *,
        tier_for: Callable[[Nanos], int],
        purchased: PurchasedOf,
        cache_ttl_s: float = 5.0,
    ) -> None:
        self.throttle: Final = LoginThrottle(clock)
        self._db = db
        self._clock = clock
        self._tier_for = tier_for
        self._purchased = purchased
        self._passwords = Passwords()
        self._authenticator = Authenticator(db, clock, pepper, self._tier_of, cache_ttl_s)

    def digest(self, token: str) -> str:
        """What stands for a token wherever it is kept. Takes any text."""
        return self._authenticator.digest(token)

    def known(self, digest: str) -> Principal | None:
        """Who the token of this digest stands for if that was looked up in the last five seconds; never raises."""
        return self._authenticator.known(digest)

    async def authenticate(self, token: str | None) -> Principal:
        """Who this API key or session token stands for; a revoked one is refused within five seconds.

        `token` is what stood after `Bearer` or in `x-api-key`; None or blank if there was nothing.
        Raises: Unauthenticated.
        """
        return await self._authenticator.authenticate(token)

    async def flush_last_used(self) -> None:
        """Store when keys and sessions were last used; call it about once a minute and at the end."""
        await self._authenticator.flush_last_used()

    async def login(self, email: str, password: str, ip: str) -> SignedIn:
        """A new session for the right e-mail and password.

        A wrong password, an unknown address and an account without a password get one answer in the same time.
        Raises: Unauthenticated (`invalid_credentials`), RateLimited, Overloaded.
        """
        address = _address_or_nobody(email, ip)
        self.throttle.attempt(address, ip)
        user = await self._db.read(lambda conn: store.fetch_user_by_email(conn, address))
        stored = user.password_hash if user is not None else None
        is_right = await self._passwords.verify(stored, password)
        if user is None or stored is None or not is_right:
            raise Unauthenticated("The e-mail address or the password is wrong.", code="invalid_credentials")
        self.throttle.succeeded(address)
        better = await self._passwords.rehash(stored, password)
        session = self.mint_session()
        now = self._clock.now_ms()

        def work(conn: Connection) -> None:
            if better is not None:
                store.set_password_hash(conn, user.id, better)
            store.insert_session(conn, session.id, user.id, session.digest, now)

        await self._db.write(work)
        return SignedIn(user.id, user.email, session.token)

    async def hash_password(self, password: str) -> str:
        """The hash to store for a new password. Raises: InvalidRequest if it will not do, Overloaded."""
        return await self._passwords.hash(checked_password(password))

    def mint_key(self, name: str) -> NewKey:
        """A new key, not stored yet. Raises: InvalidRequest if the name will not do."""
        token = keys.mint_key()
        row = KeyRow(new_id("key"), _checked_name(name), keys.shown_prefix(token), self._clock.now_ms(), None)
        return NewKey(row, token, self._authenticator.digest(token))

    def mint_session(self) -> NewSession:
        """A new session, not stored yet."""
        token = keys.mint_session_token()
        return NewSession(new_id("ses"), token, self._authenticator.digest(token))

    async def find_user(self, email: str) -> UserRow | None:
        """The user with this address, in any case. Raises: InvalidRequest if it is no address."""
        address = normal_email(email)
        return await self._db.read(lambda conn: store.fetch_user_by_email(conn, address))

    async def operator(self) -> Principal:
        """The first operator, for whoever has proved on this machine to be one. Raises: NotFound if there is none."""

        def work(conn: Connection) -> tuple[UserRow, int]:
            user = store.fetch_operator(conn)
            if user is None:
                raise NotFound("There is no operator yet.", code="user_not_found")
            return user, self._tier_of(conn, user.account_id, user.tier_override)

        user, tier = await self._db.read(work)
        return Principal(user.id, user.account_id, user.email, "", "", tier, is_session=False, is_operator=True)

    async def profile(self, user_id: str) -> Profile:
        """A user with keys and tier. Raises: NotFound."""

        def work(conn: Connection) -> Profile:
            user = store.fetch_user(conn, user_id)
            if user is None:
                raise NotFound("There is no such user.", code="user_not_found")
            tier = self._tier_of(conn, user.account_id, user.tier_override)
            return Profile(user, tier, store.fetch_keys(conn, user_id))

        return await self._db.read(work)

    async def list_keys(self, user_id: str) -> list[KeyRow]:
        """The keys that are not revoked, oldest first."""
        return await self._db.read(lambda conn: store.fetch_keys(conn, user_id))

    async def key_labels(self, ids: Collection[str]) -> dict[str, KeyLabel]:
        """What people know these keys by, revoked ones too; the caller has checked whose they are."""
        return await self._db.read(lambda conn: store.fetch_labels(conn, ids)) if ids else {}

    async def create_key(self, user_id: str, name: str) -> NewKey:
        """A new key of an existing user. Raises: InvalidRequest for a bad name, Conflict beyond 100 live keys."""
        new = self.mint_key(name)

        def work(conn: Connection) -> None:
            if store.count_keys(conn, user_id) >= MAX_KEYS:
                raise Conflict(f"An account has at most {MAX_KEYS} keys. Revoke one first.", code="too_many_keys")
            store.insert_key(conn, new.key, user_id, new.digest)

        await self._db.write(work)
        return new

    async def revoke_key(self, user_id: str, key_id: str) -> None:
        """End a key: here at once, in other processes within five seconds.

        Raises: NotFound, the same for a key that never was, is revoked already or is somebody else's.
        """
        unknown = NotFound("You have no such key.", code="key_not_found")
        if not key_id.isprintable():
            raise unknown
        now = self._clock.now_ms()
        digest = await self._db.write(lambda conn: store.revoke_key(conn, user_id, key_id, now))
        if digest is None:
            raise unknown
        self._authenticator.forget(digest)

    def close(self) -> None:
        """Stop the password threads."""
        self._passwords.close()

    def _tier_of(self, conn: Connection, account_id: str, override: int | None) -> int:
        return override if override is not None else self._tier_for(self._purchased(conn, account_id))


def _address_or_nobody(email: str, ip: str) -> str:
    """What is no address belongs to nobody, yet its attempts are counted like any other's."""
    try:
        return normal_email(email)
    except InvalidRequest:
        return f"nobody at {ip}"


def _checked_name(name: str) -> str:
    stripped = name.strip()
    if not 1 <= len(stripped) <= MAX_KEY_NAME or not stripped.isprintable():
        raise InvalidRequest(
            f"A key's name has 1 to {MAX_KEY_NAME} printable characters.", code="invalid_name", param="name"
        )
    return stripped
