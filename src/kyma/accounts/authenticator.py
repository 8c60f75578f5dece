"""From a token to its principal: the shape, the cache, the look-up, and a lazy note of when it was used."""

from collections.abc import Callable
from hmac import compare_digest
from typing import Final

from sqlalchemy import Connection

from kyma.accounts import keys, store
from kyma.accounts.cache import PrincipalCache, Refusal
from kyma.accounts.store import TokenRow
from kyma.core.errors import Unauthenticated
from kyma.core.ids import Clock
from kyma.core.principal import Principal
from kyma.storage.database import Database

TierOf = Callable[[Connection, str, int | None], int]
"""The tier of an account, given its override if it has one, read in the caller's transaction."""

_NOTE_USE_EVERY_MS: Final = 60_000
_HOW: Final = "Send a key that starts with ky- as 'Authorization: Bearer ky-…' or as 'x-api-key: ky-…'."


class Authenticator:
    """Finds principals. A token in use is looked up once in `ttl_s` seconds, so a revoked one dies within them."""

    def __init__(
        self, db: Database, clock: Clock, pepper: bytes, tier_of: TierOf, ttl_s: float = 5.0, size: int = 10_000
    ) -> None:
        self._db = db
        self._clock = clock
        self._pepper = pepper
        self._tier_of = tier_of
        self._cache = PrincipalCache(clock, ttl_s, size)
        self._keys_used: dict[str, int] = {}
        self._sessions_used: dict[str, int] = {}

    def digest(self, token: str) -> str:
        """What is stored of a token."""
        return keys.hash_token(token, self._pepper)

    def known(self, digest: str) -> Principal | None:
        """The principal if it was looked up in the last `ttl_s` seconds; never raises."""
        return self._cache.get(digest)

    async def authenticate(self, token: str | None) -> Principal:
        """The principal, looked up if need be. Raises: Unauthenticated."""
        if not token:
            raise Unauthenticated(f"An API key is needed. {_HOW}", code="missing_api_key")
        if not keys.looks_valid(token):
            raise Unauthenticated(f"This is not a whole API key; perhaps a part was not copied. {_HOW}")
        load = self._load_session if token.startswith(keys.SESSION_PREFIX) else self._load_key
        answer = await self._cache.find(self.digest(token), load)
        if isinstance(answer, Refusal):
            raise Unauthenticated(answer.message, code=answer.code)
        return answer

    def forget(self, digest: str) -> None:
        """Look the token up anew the next time, because it was revoked."""
        self._cache.forget(digest)

    async def flush_last_used(self) -> None:
        """Store what was noted; after a failure the notes are kept for the next time."""
        used_keys, self._keys_used = self._keys_used, {}
        used_sessions, self._sessions_used = self._sessions_used, {}
        if not used_keys and not used_sessions:
            return
        try:
            await self._db.write(lambda conn: store.mark_used(conn, used_keys, used_sessions))
        except BaseException:
            self._keys_used = used_keys | self._keys_used
            self._sessions_used = used_sessions | self._sessions_used
            raise

    async def _load_key(self, digest: str) -> Principal | Refusal:
        row, tier = await self._fetch(digest, store.fetch_key_by_hash)
        if row is None:
            return Refusal(f"This API key does not exist. {_HOW}", "invalid_api_key")
        if row.ends_at is not None:
            return Refusal("This API key was revoked. Use another one.", "api_key_revoked")
        self._note_use(row, self._keys_used)
        return _principal(row, tier, is_session=False)

    async def _load_session(self, digest: str) -> Principal | Refusal:
        row, tier = await self._fetch(digest, store.fetch_session_by_hash)
        if row is None or row.ends_at is None or row.ends_at <= self._clock.now_ms():
            return Refusal("This session has ended. Sign in again.", "session_ended")
        self._note_use(row, self._sessions_used)
        return _principal(row, tier, is_session=True)

    async def _fetch(
        self, digest: str, fetch: Callable[[Connection, str], TokenRow | None]
    ) -> tuple[TokenRow | None, int]:
        def work(conn: Connection) -> tuple[TokenRow | None, int]:
            row = fetch(conn, digest)
            if row is None or not compare_digest(row.token_hash, digest):
                return None, 0
            return row, self._tier_of(conn, row.account_id, row.tier_override)

        return await self._db.read(work)

    def _note_use(self, row: TokenRow, used: dict[str, int]) -> None:
        now = self._clock.now_ms()
        if row.used_at is None or now - row.used_at >= _NOTE_USE_EVERY_MS:
            used[row.token_id] = now


def _principal(row: TokenRow, tier: int, *, is_session: bool) -> Principal:
    return Principal(
        user_id=row.user_id,
        account_id=row.account_id,
        email=row.email,
        key_id=row.key_id,
        key_name=row.key_name,
        tier=tier,
        is_session=is_session,
        is_operator=row.is_operator,
    )
