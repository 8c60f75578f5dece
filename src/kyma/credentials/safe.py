"""The keys of providers that the database holds, sealed: the operator's, and those that customers brought.

Whoever changes a key takes the number of the change first, so changes come one after another on every engine, and a
master key that is read inside such a transaction is the newest.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Final

import msgspec
from sqlalchemy import Connection

from kyma.core.errors import Forbidden, InvalidRequest, NotFound, ServiceError
from kyma.core.ids import Clock, new_id
from kyma.core.model import Auth
from kyma.credentials import store
from kyma.credentials.sealing import CannotOpen, DataKey, Masters, Place, WrappedKey
from kyma.credentials.store import KeyRow
from kyma.storage.database import Database

OPERATOR: Final = "operator"
"""The tenant whose keys serve everybody; accounts have other ids."""

MIN_KEY_CHARS: Final = 8
MAX_KEY_CHARS: Final = 4096
SHOWN_FROM_CHARS: Final = 16
"""Of a shorter key, four characters would be a quarter or more."""


class Changes(msgspec.Struct, frozen=True):
    """What has changed up to `number`. Of a tenant without an entry in `data_keys` nothing can be opened."""

    number: int
    rows: list[KeyRow] = []
    data_keys: Mapping[str, DataKey] = {}

    def open(self, row: KeyRow) -> str:
        """A row's secret. Raises: CannotOpen."""
        return opened(row, self.data_keys.get(row.tenant))

    def opens(self, row: KeyRow) -> bool:
        """Whether a row's secret can be had."""
        try:
            self.open(row)
        except CannotOpen:
            return False
        return True


class Safe:
    """Keys in the database. `masters` gives the master keys as they are now; None: this gateway keeps no keys."""

    def __init__(self, database: Database, clock: Clock, masters: Callable[[], Masters | None]) -> None:
        self._db = database
        self._clock = clock
        self._masters = masters

    async def add(self, provider_id: str, secret: str) -> KeyRow:
        """One more key of the operator's. Raises: Forbidden without a master key."""
        return await self._db.write(lambda connection: self._insert(connection, OPERATOR, provider_id, secret))

    async def put_own(self, account_id: str, provider_id: str, secret: str) -> KeyRow:
        """The key that this account has for a provider from now on. Raises: Forbidden without a master key."""

        def work(connection: Connection) -> KeyRow:
            change = store.next_change(connection)
            before = store.fetch_own(connection, account_id, provider_id)
            if before is None:
                return self._insert(connection, account_id, provider_id, secret, change)
            return self._replace(connection, before, secret, change)

        return await self._db.write(work)

    async def own(self, account_id: str) -> list[KeyRow]:
        """An account's keys, by provider."""
        return await self._db.read(lambda connection: store.fetch_keys(connection, account_id))

    async def operators(self) -> list[KeyRow]:
        """The operator's keys, by provider."""
        return await self._db.read(lambda connection: store.fetch_keys(connection, OPERATOR))

    async def remove(self, key_id: str) -> None:
        """Erase a key of the operator's. Raises: NotFound."""
        await self._change(key_id, sealed=None, last4="")

    async def switch(self, key_id: str, is_on: bool) -> None:
        """Use a key of the operator's, or leave it alone. Raises: NotFound."""
        await self._change(key_id, is_on=is_on)

    async def remove_own(self, account_id: str, provider_id: str) -> None:
        """Erase an account's key. Raises: NotFound."""

        def work(connection: Connection) -> None:
            change = store.next_change(connection)
            row = store.fetch_own(connection, account_id, provider_id)
            if row is None or row.sealed is None:
                raise NotFound("You have stored no key for this provider.", code="provider_key_not_found")
            store.replace_key(connection, msgspec.structs.replace(row, sealed=None, last4="", changed=change))

        await self._db.write(work)

    async def changes(self, since: int) -> Changes:
        """What has changed after that number, and the data keys to open it with."""

        def work(connection: Connection) -> Changes:
            number = store.last_change(connection)
            if number == since:
                return Changes(number)
            rows, wrapped = store.fetch_changed(connection, since), store.fetch_wrapped_since(connection, since)
            return Changes(number, rows, self._open_all(wrapped))

        return await self._db.read(work)

    async def unreadable(self) -> list[str]:
        """Ids of stored keys, the operator's and customers', that do not open."""
        changes = await self.changes(0)
        return [row.id for row in changes.rows if row.sealed is not None and not changes.opens(row)]

    async def rewrap(self) -> int:
        """Put every data key under the first master key; how many were not. Raises: CannotOpen, Forbidden."""

        def work(connection: Connection) -> int:
            store.next_change(connection)
            masters = self._required()
            fresh = [masters.rewrap(wrapped) for wrapped in store.fetch_all_wrapped(connection)]
            moved = [wrapped for wrapped in fresh if wrapped is not None]
            for wrapped in moved:
                store.replace_wrapped(connection, wrapped)
            return len(moved)

        return await self._db.write(work)

    def _open_all(self, wrapped: Iterable[WrappedKey]) -> dict[str, DataKey]:
        """The data keys that can be opened, by tenant."""
        found: dict[str, DataKey] = {}
        if (masters := self._masters()) is not None:
            for one in wrapped:
                with suppress(CannotOpen):
                    found[one.tenant] = masters.open(one)
        return found

    async def _change(self, key_id: str, **values: object) -> None:
        def work(connection: Connection) -> None:
            change = store.next_change(connection)
            row = store.fetch_key(connection, key_id) if key_id.isprintable() else None
            if row is None or row.tenant != OPERATOR or row.sealed is None:
                raise NotFound(f"there is no key {key_id!r}; `kyma provider-keys list` shows those that are")
            store.replace_key(connection, msgspec.structs.replace(row, changed=change, **values))

        await self._db.write(work)

    def _insert(
        self, connection: Connection, tenant: str, provider_id: str, secret: str, change: int | None = None
    ) -> KeyRow:
        change = store.next_change(connection) if change is None else change
        empty = KeyRow(new_id("pk"), tenant, provider_id, 0, None, "", True, change, 0)
        row = self._sealed(connection, empty, secret, change)
        store.insert_key(connection, row)
        return row

    def _replace(self, connection: Connection, before: KeyRow, secret: str, change: int) -> KeyRow:
        row = self._sealed(connection, before, secret, change)
        store.replace_key(connection, row)
        return row

    def _sealed(self, connection: Connection, row: KeyRow, secret: str, change: int) -> KeyRow:
        """The row with another secret, in its next version."""
        place = Place(row.tenant, row.provider_id, row.id, row.version + 1)
        return msgspec.structs.replace(
            row,
            version=place.version,
            sealed=self._data_key(connection, row.tenant).seal(place, secret),
            last4=shown(secret),
            is_on=True,
            changed=change,
            created_at=self._clock.now_ms(),
        )

    def _data_key(self, connection: Connection, tenant: str) -> DataKey:
        masters = self._required()
        if (known := store.fetch_wrapped(connection, tenant)) is not None:
            try:
                return masters.open(known)
            except CannotOpen:
                raise ServiceError("keys cannot be stored now: their master key is not here") from None
        wrapped, data_key = masters.make(tenant)
        store.insert_wrapped(connection, wrapped, self._clock.now_ms())
        return data_key

    def _required(self) -> Masters:
        masters = self._masters()
        if masters is None:
            raise Forbidden(
                "this gateway stores no keys of providers: its operator has set no KYMA_MASTER_KEY",
                code="provider_keys_closed",
            )
        return masters


def place_of(row: KeyRow) -> Place:
    """Where a row's secret was sealed for."""
    return Place(row.tenant, row.provider_id, row.id, row.version)


def opened(row: KeyRow, data_key: DataKey | None) -> str:
    """A row's secret. Raises: CannotOpen."""
    if data_key is None or row.sealed is None:
        raise CannotOpen("sealed under a master key that is not here")
    return data_key.open(place_of(row), row.sealed)


def shown(secret: str) -> str:
    """At most the last four characters, for people to tell keys apart; of a pair, those of its public first half."""
    first = secret.partition("\n")[0]
    return first[-4:] if len(first) >= SHOWN_FROM_CHARS else ""


def checked_key(text: str, auth: Auth) -> str:
    """A key as it may be stored, without space around it. Raises: InvalidRequest, which does not quote it."""
    key = text.strip()
    parts = key.split("\n")
    if auth == "google":
        raise InvalidRequest("this provider takes tokens that are made as they are needed, not a key", param="key")
    if len(parts) > (3 if auth == "aws" else 1):
        raise InvalidRequest("a key is one line; an AWS key two or three", param="key", code="invalid_provider_key")
    if not (MIN_KEY_CHARS <= len(key) <= MAX_KEY_CHARS and all(map(_is_plain, parts))):
        raise InvalidRequest(
            f"a key has {MIN_KEY_CHARS} to {MAX_KEY_CHARS} characters of printable ASCII without spaces",
            param="key",
            code="invalid_provider_key",
        )
    return key


def _is_plain(part: str) -> bool:
    """What may stand in a header."""
    return bool(part) and all("!" <= char <= "~" for char in part)
