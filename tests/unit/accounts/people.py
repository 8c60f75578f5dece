"""Users put straight into the tables, without the sign-up that needs a ledger."""

from kyma.accounts import Accounts, NewKey, UserRow, store
from kyma.storage.database import Database


async def add_user(
    db: Database,
    name: str,
    *,
    password_hash: str | None = None,
    tier_override: int | None = None,
    is_operator: bool = False,
) -> UserRow:
    user = UserRow(
        f"usr_{name}", f"{name}@example.com", password_hash, f"acc_{name}", tier_override, is_operator, created_at=1
    )
    assert await db.write(lambda conn: store.insert_user(conn, user))
    return user


async def add_key(db: Database, accounts: Accounts, name: str) -> NewKey:
    """A user of that name and a key of theirs."""
    user = await add_user(db, name)
    return await accounts.create_key(user.id, "laptop")


async def add_session(db: Database, accounts: Accounts, user_id: str, now_ms: int) -> str:
    made = accounts.mint_session()
    await db.write(lambda conn: store.insert_session(conn, made.id, user_id, made.digest, now_ms))
    return made.token
