"""A real database with faults on order: away before a transaction, or its answer lost after the commit."""

from collections import deque
from collections.abc import Callable
from typing import Literal, TypeVar

from sqlalchemy import Connection

from kyma.storage.database import Database

T = TypeVar("T")

Fault = Literal["fine", "away", "answer lost"]


class FaultyDatabase:
    """`faults` says what happens to the next writes, one each; without any they succeed."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.faults: deque[Fault] = deque()
        self.writes = 0

    async def write(self, work: Callable[[Connection], T]) -> T:
        self.writes += 1
        fault = self.faults.popleft() if self.faults else "fine"
        if fault == "away":
            raise ConnectionRefusedError("the database is away")
        result = await self._db.write(work)
        if fault == "answer lost":
            raise ConnectionResetError("the connection broke after the commit")
        return result

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await self._db.read(work)

    async def close(self) -> None:
        await self._db.close()
