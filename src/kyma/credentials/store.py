"""Statements on the tables of keys. Every function runs inside the caller's transaction."""

import msgspec
from sqlalchemy import Connection, bindparam, insert, select, update

from kyma.credentials.sealing import WrappedKey
from kyma.credentials.tables import provider_key, provider_key_change, tenant_key


class KeyRow(msgspec.Struct, frozen=True):
    """A key as stored; `sealed` is None for one that was removed. Fields in the order of the table's columns."""

    id: str
    tenant: str
    provider_id: str
    version: int
    sealed: bytes | None
    last4: str
    is_on: bool
    changed: int
    created_at: int


_NEXT_CHANGE = (
    update(provider_key_change).values(number=provider_key_change.c.number + 1).returning(provider_key_change.c.number)
)
_LAST_CHANGE = select(provider_key_change.c.number)
_KEYS = select(provider_key)
_CHANGED = _KEYS.where(provider_key.c.changed > bindparam("since")).order_by(provider_key.c.changed)
_KEY = _KEYS.where(provider_key.c.id == bindparam("key_id"))
_OF_TENANT = _KEYS.where(provider_key.c.tenant == bindparam("of"), provider_key.c.sealed.is_not(None)).order_by(
    provider_key.c.provider_id, provider_key.c.created_at, provider_key.c.id
)
_OWN = _KEYS.where(provider_key.c.tenant == bindparam("of"), provider_key.c.provider_id == bindparam("at"))
_REPLACE = (
    update(provider_key)
    .where(provider_key.c.id == bindparam("key_id"))
    .values(
        {name: bindparam(f"new_{name}") for name in ("version", "sealed", "last4", "is_on", "changed", "created_at")}
    )
)
_TENANTS = select(tenant_key.c.tenant, tenant_key.c.master_id, tenant_key.c.wrapped)
_TENANT = _TENANTS.where(tenant_key.c.tenant == bindparam("of"))
_CHANGED_TENANTS = _TENANTS.where(
    tenant_key.c.tenant.in_(select(provider_key.c.tenant).where(provider_key.c.changed > bindparam("since")))
)
_REWRAP = (
    update(tenant_key)
    .where(tenant_key.c.tenant == bindparam("of"))
    .values(master_id=bindparam("new_master_id"), wrapped=bindparam("new_wrapped"))
)


def next_change(connection: Connection) -> int:
    """The number of the change that this transaction makes; others that change keys wait until it ends."""
    number: int = connection.execute(_NEXT_CHANGE).scalar_one()
    return number


def last_change(connection: Connection) -> int:
    """The number of the last change that was committed."""
    number: int = connection.execute(_LAST_CHANGE).scalar_one()
    return number


def fetch_changed(connection: Connection, since: int) -> list[KeyRow]:
    """Keys that have changed after that number, removed ones among them."""
    return [KeyRow(*row) for row in connection.execute(_CHANGED, {"since": since})]


def fetch_key(connection: Connection, key_id: str) -> KeyRow | None:
    """A key of anybody's, removed or not."""
    row = connection.execute(_KEY, {"key_id": key_id}).one_or_none()
    return None if row is None else KeyRow(*row)


def fetch_keys(connection: Connection, tenant: str) -> list[KeyRow]:
    """A tenant's keys by provider, oldest first, without the removed ones."""
    return [KeyRow(*row) for row in connection.execute(_OF_TENANT, {"of": tenant})]


def fetch_own(connection: Connection, account_id: str, provider_id: str) -> KeyRow | None:
    """The row of an account's key for a provider, removed or not."""
    row = connection.execute(_OWN, {"of": account_id, "at": provider_id}).one_or_none()
    return None if row is None else KeyRow(*row)


def insert_key(connection: Connection, row: KeyRow) -> None:
    """Store a new key."""
    connection.execute(insert(provider_key), msgspec.structs.asdict(row))


def replace_key(connection: Connection, row: KeyRow) -> None:
    """Write what may change of a key."""
    values = {f"new_{name}": value for name, value in msgspec.structs.asdict(row).items()}
    for fixed in ("new_id", "new_tenant", "new_provider_id"):
        del values[fixed]
    connection.execute(_REPLACE, values | {"key_id": row.id})


def fetch_wrapped(connection: Connection, tenant: str) -> WrappedKey | None:
    """A tenant's data key, if it has one."""
    row = connection.execute(_TENANT, {"of": tenant}).one_or_none()
    return None if row is None else WrappedKey(*row)


def fetch_all_wrapped(connection: Connection) -> list[WrappedKey]:
    """The data keys of all tenants."""
    return [WrappedKey(*row) for row in connection.execute(_TENANTS)]


def fetch_wrapped_since(connection: Connection, since: int) -> list[WrappedKey]:
    """The data keys of tenants whose keys have changed after that number."""
    return [WrappedKey(*row) for row in connection.execute(_CHANGED_TENANTS, {"since": since})]


def insert_wrapped(connection: Connection, wrapped: WrappedKey, now: int) -> None:
    """Store a tenant's first data key."""
    connection.execute(insert(tenant_key), msgspec.structs.asdict(wrapped) | {"created_at": now})


def replace_wrapped(connection: Connection, wrapped: WrappedKey) -> None:
    """Store a data key under another master key."""
    values = {"of": wrapped.tenant, "new_master_id": wrapped.master_id, "new_wrapped": wrapped.wrapped}
    connection.execute(_REWRAP, values)
