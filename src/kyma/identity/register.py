"""Sign-up: a user, an account with its first credit, a key and a session, made in one transaction or not at all."""

from typing import Final, Literal

import msgspec
from sqlalchemy import Connection

from kyma.accounts import Accounts, NewKey, UserRow, normal_email
from kyma.accounts import store as accounts_store
from kyma.core.errors import Conflict
from kyma.core.ids import Clock, new_id
from kyma.core.money import Nanos
from kyma.ledger import store as ledger_store
from kyma.storage.database import Database

SIGNUP_NANOS: Final = 500_000_000
OPERATOR_TIER: Final = 4

FIRST_KEY_NAME: Final = "default"


class Registered(msgspec.Struct, frozen=True):
    """A new user; the key and the session token are shown this once."""

    user_id: str
    account_id: str
    email: str
    api_key: str
    session_token: str


class Registration:
    """Makes users. `signup_nanos` is the credit that each of them starts with."""

    def __init__(self, db: Database, clock: Clock, accounts: Accounts, signup_nanos: Nanos = SIGNUP_NANOS) -> None:
        self._db = db
        self._clock = clock
        self._accounts = accounts
        self.signup_nanos = signup_nanos

    async def register(self, email: str, password: str | None = None, ip: str | None = None) -> Registered:
        """A new user with the sign-up credit, a key and a session; without a password there is only the key.

        With `ip`, sign-ups share the sign-in limit of that network. A taken address is said to be taken: the answer
        carries a key, so it could not be the same anyway.
        Raises: InvalidRequest, Conflict (`email_taken`), RateLimited, Overloaded.
        """
        address = normal_email(email)
        if ip is not None:
            self._accounts.throttle.attempt_from(ip)
        password_hash = await self._accounts.hash_password(password) if password is not None else None
        user = UserRow(
            new_id("usr"),
            address,
            password_hash,
            new_id("acc"),
            None,
            is_operator=False,
            created_at=self._clock.now_ms(),
        )
        key, session = self._accounts.mint_key(FIRST_KEY_NAME), self._accounts.mint_session()

        def work(conn: Connection) -> None:
            _insert(conn, user, key, self.signup_nanos, "signup")
            accounts_store.insert_session(conn, session.id, user.id, session.digest, user.created_at)

        await self._db.write(work)
        return Registered(user.id, user.account_id, address, key.token, session.token)

    async def ensure_operator(self, email: str, grant_nanos: Nanos) -> str | None:
        """The API key of the first operator, made now with `grant_nanos` of credit; None if there is one already.

        Raises: InvalidRequest, Conflict (`email_taken`) if the address belongs to an ordinary user.
        """
        user = UserRow(
            new_id("usr"),
            normal_email(email),
            None,
            new_id("acc"),
            OPERATOR_TIER,
            is_operator=True,
            created_at=self._clock.now_ms(),
        )
        key = self._accounts.mint_key(FIRST_KEY_NAME)

        def work(conn: Connection) -> bool:
            if accounts_store.has_operator(conn):
                return False
            try:
                _insert(conn, user, key, grant_nanos, "grant")
            except Conflict:
                if accounts_store.has_operator(conn):  # another replica started at the same moment
                    return False
                raise
            return True

        return key.token if await self._db.write(work) else None


def _insert(conn: Connection, user: UserRow, key: NewKey, credit: Nanos, kind: Literal["signup", "grant"]) -> None:
    if not accounts_store.insert_user(conn, user):
        raise Conflict(
            "This e-mail address has an account already. Sign in instead.", code="email_taken", param="email"
        )
    accounts_store.insert_key(conn, key.key, user.id, key.digest)
    ledger_store.insert_account(conn, user.account_id, user.id, ledger_store.CUSTOMER, user.created_at)
    if credit > 0:
        ledger_store.grant(conn, user.account_id, credit, kind, "user", user.id, user.created_at)
