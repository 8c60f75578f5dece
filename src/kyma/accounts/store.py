"""The statements of accounts. Every function runs inside the caller's transaction; times are epoch milliseconds."""

from collections.abc import Collection, Mapping
from typing import Final

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, insert, or_, select, text, update

from kyma.accounts.tables import api_key, app_user, session
from kyma.core.ids import DAY_MS

SESSION_IDLE_MS: Final = 14 * DAY_MS
SESSION_LIFE_MS: Final = 30 * DAY_MS


class UserRow(msgspec.Struct, frozen=True):
    """A user as stored; `password_hash` is None for an account that has no password."""

    id: str
    email: str
    password_hash: str | None
    account_id: str
    tier_override: int | None
    is_operator: bool
    created_at: int


class TokenRow(msgspec.Struct, frozen=True):
    """A key or session with its owner. `key_id` and `key_name` are empty for a session."""

    token_id: str
    token_hash: str
    key_id: str
    key_name: str
    user_id: str
    email: str
    account_id: str
    tier_override: int | None
    is_operator: bool
    used_at: int | None
    ends_at: int | None
    """When a session ends; 0 for a revoked key, whatever the clock says now, and None for a live one."""


class KeyRow(msgspec.Struct, frozen=True):
    """What may be shown of a key."""

    id: str
    name: str
    prefix: str
    created_at: int
    last_used_at: int | None


class KeyLabel(msgspec.Struct, frozen=True):
    """A key's name, and its first characters."""

    name: str
    prefix: str


# `on conflict` is not in SQLAlchemy's common language, and both engines spell it alike.
_INSERT_USER = text(
    "insert into app_user (id, email, password_hash, account_id, tier_override, is_operator, created_at)"
    " values (:id, :email, :password_hash, :account_id, :tier_override, :is_operator, :created_at)"
    " on conflict (email) do nothing returning id"
)
_USER = select(
    app_user.c.id,
    app_user.c.email,
    app_user.c.password_hash,
    app_user.c.account_id,
    app_user.c.tier_override,
    app_user.c.is_operator,
    app_user.c.created_at,
)
_USER_BY_EMAIL = _USER.where(app_user.c.email == bindparam("email"))
_USER_BY_ID = _USER.where(app_user.c.id == bindparam("user_id"))
_FIRST_OPERATOR = _USER.where(app_user.c.is_operator).order_by(app_user.c.created_at, app_user.c.id).limit(1)
_AN_OPERATOR = select(app_user.c.id).where(app_user.c.is_operator).limit(1)
_SET_PASSWORD = (
    update(app_user).where(app_user.c.id == bindparam("user_id")).values(password_hash=bindparam("new_hash"))
)

_OWNER = (app_user.c.email, app_user.c.account_id, app_user.c.tier_override, app_user.c.is_operator)
_KEY_BY_HASH = (
    select(api_key, *_OWNER)
    .join(app_user, app_user.c.id == api_key.c.user_id)
    .where(api_key.c.key_hash == bindparam("digest"))
)
_SESSION_BY_HASH = (
    select(session, *_OWNER)
    .join(app_user, app_user.c.id == session.c.user_id)
    .where(session.c.token_hash == bindparam("digest"))
)
_LIVE_KEYS = (api_key.c.user_id == bindparam("owner"), api_key.c.revoked_at.is_(None))
_KEYS = (
    select(api_key.c.id, api_key.c.name, api_key.c.prefix, api_key.c.created_at, api_key.c.last_used_at)
    .where(*_LIVE_KEYS)
    .order_by(api_key.c.created_at, api_key.c.id)
)
_LABELS = select(api_key.c.id, api_key.c.name, api_key.c.prefix).where(
    api_key.c.id.in_(bindparam("ids", expanding=True))
)
_COUNT_KEYS = select(func.count()).select_from(api_key).where(*_LIVE_KEYS)
_REVOKE_KEY = (
    update(api_key)
    .where(api_key.c.id == bindparam("key_id"), *_LIVE_KEYS)
    .values(revoked_at=bindparam("at"))
    .returning(api_key.c.key_hash)
)
_KEY_USED = (
    update(api_key)
    .where(
        api_key.c.id == bindparam("token_id"),
        or_(api_key.c.last_used_at.is_(None), api_key.c.last_used_at < bindparam("at")),
    )
    .values(last_used_at=bindparam("at"))
)
_SESSION_USED = (
    update(session)
    .where(session.c.id == bindparam("token_id"), session.c.last_seen_at < bindparam("at"))
    .values(last_seen_at=bindparam("at"))
)
_DELETE_ENDED_SESSIONS = delete(session).where(
    session.c.user_id == bindparam("user_id"),
    or_(session.c.expires_at <= bindparam("now"), session.c.last_seen_at <= bindparam("idle_since")),
)


def insert_user(conn: Connection, user: UserRow) -> bool:
    """Store a user; False, and nothing done, if the e-mail address is taken."""
    return conn.execute(_INSERT_USER, msgspec.structs.asdict(user)).first() is not None


def insert_key(conn: Connection, key: KeyRow, user_id: str, digest: str) -> None:
    conn.execute(
        insert(api_key),
        {
            "id": key.id,
            "user_id": user_id,
            "name": key.name,
            "prefix": key.prefix,
            "key_hash": digest,
            "created_at": key.created_at,
        },
    )


def insert_session(conn: Connection, session_id: str, user_id: str, digest: str, now: int) -> None:
    """Store a session that lives 30 days at most, and drop the user's ended ones."""
    conn.execute(_DELETE_ENDED_SESSIONS, {"user_id": user_id, "now": now, "idle_since": now - SESSION_IDLE_MS})
    conn.execute(
        insert(session),
        {
            "id": session_id,
            "user_id": user_id,
            "token_hash": digest,
            "created_at": now,
            "last_seen_at": now,
            "expires_at": now + SESSION_LIFE_MS,
        },
    )


def fetch_user(conn: Connection, user_id: str) -> UserRow | None:
    row = conn.execute(_USER_BY_ID, {"user_id": user_id}).first()
    return UserRow(*row) if row is not None else None


def fetch_user_by_email(conn: Connection, email: str) -> UserRow | None:
    """`email` is in its normal form."""
    row = conn.execute(_USER_BY_EMAIL, {"email": email}).first()
    return UserRow(*row) if row is not None else None


def fetch_operator(conn: Connection) -> UserRow | None:
    """The first operator."""
    row = conn.execute(_FIRST_OPERATOR).first()
    return UserRow(*row) if row is not None else None


def has_operator(conn: Connection) -> bool:
    return conn.execute(_AN_OPERATOR).first() is not None


def set_password_hash(conn: Connection, user_id: str, password_hash: str) -> None:
    conn.execute(_SET_PASSWORD, {"user_id": user_id, "new_hash": password_hash})


def fetch_key_by_hash(conn: Connection, digest: str) -> TokenRow | None:
    """A key, revoked or not."""
    row = conn.execute(_KEY_BY_HASH, {"digest": digest}).first()
    if row is None:
        return None
    return TokenRow(
        token_id=row.id,
        token_hash=row.key_hash,
        key_id=row.id,
        key_name=row.name,
        user_id=row.user_id,
        email=row.email,
        account_id=row.account_id,
        tier_override=row.tier_override,
        is_operator=row.is_operator,
        used_at=row.last_used_at,
        ends_at=None if row.revoked_at is None else 0,
    )


def fetch_session_by_hash(conn: Connection, digest: str) -> TokenRow | None:
    """A session, ended or not."""
    row = conn.execute(_SESSION_BY_HASH, {"digest": digest}).first()
    if row is None:
        return None
    return TokenRow(
        token_id=row.id,
        token_hash=row.token_hash,
        key_id="",
        key_name="",
        user_id=row.user_id,
        email=row.email,
        account_id=row.account_id,
        tier_override=row.tier_override,
        is_operator=row.is_operator,
        used_at=row.last_seen_at,
        ends_at=min(row.expires_at, row.last_seen_at + SESSION_IDLE_MS),
    )


def fetch_keys(conn: Connection, user_id: str) -> list[KeyRow]:
    """The user's keys that are not revoked, oldest first."""
    return [KeyRow(*row) for row in conn.execute(_KEYS, {"owner": user_id})]


def fetch_labels(conn: Connection, ids: Collection[str]) -> dict[str, KeyLabel]:
    """What people know these keys by, revoked ones too."""
    return {id: KeyLabel(name, prefix) for id, name, prefix in conn.execute(_LABELS, {"ids": list(ids)})}


def count_keys(conn: Connection, user_id: str) -> int:
    return conn.execute(_COUNT_KEYS, {"owner": user_id}).scalar_one()


def revoke_key(conn: Connection, user_id: str, key_id: str, now: int) -> str | None:
    """Revoke a live key of this user; its hash, or None if the user has no such key."""
    return conn.execute(_REVOKE_KEY, {"owner": user_id, "key_id": key_id, "at": now}).scalar_one_or_none()


def mark_used(conn: Connection, keys: Mapping[str, int], sessions: Mapping[str, int]) -> None:
    """Note when keys and sessions were used, time by id; an older note never replaces a newer one."""
    for statement, marks in ((_KEY_USED, keys), (_SESSION_USED, sessions)):
        if marks:
            conn.execute(statement, [{"token_id": token_id, "at": at} for token_id, at in sorted(marks.items())])
