"""Ciphertexts carried to other places: by chance in memory, and by hand in a gateway's own database."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from random import Random

import msgspec

from kyma.credentials.sealing import CannotOpen, DataKey, Masters, Place, mint_master


class Moved(msgspec.Struct):
    """`stuck`: did not open where it belongs; `opened`: opened where it does not."""

    stuck: int = 0
    opened: list[str] = []
    tried: int = 0


def carry(dice: Random, count: int, secret: str) -> Moved:
    """Secrets of several tenants, each tried in its own place and in others, and data keys of other tenants."""
    found = Moved()
    masters = Masters.parse(mint_master())
    made = {f"acct_{number}": masters.make(f"acct_{number}") for number in range(4)}
    for _ in range(count):
        places = [_place(dice, made) for _ in range(2)]
        here, there = places
        data_key = made[here.tenant][1]
        sealed = data_key.seal(here, secret)
        found.stuck += not _opens(data_key, here, sealed)
        for field in (*here.__struct_fields__, ""):
            other = msgspec.structs.replace(here, **{field: getattr(there, field)}) if field else there
            if other != here:
                found.tried += 1
                found.opened += [f"{here} at {other}"] if _opens(data_key, other, sealed) else []
    for mine, theirs in pairwise(sorted(made)):
        found.tried += 1
        try:
            masters.open(msgspec.structs.replace(made[mine][0], tenant=theirs))
            found.opened.append(f"the data key of {mine} for {theirs}")
        except CannotOpen:
            pass
    return found


def exchange(path: Path) -> int:
    """Give every customer's key the ciphertext of the next one, whoever's and for whatever; how many were moved."""
    with closing(sqlite3.connect(path)) as books, books:
        rows = books.execute("select id, sealed from provider_key where sealed is not null and tenant <> 'operator'")
        held = sorted(rows.fetchall())
        for (key_id, _), (_, sealed) in zip(held, held[1:] + held[:1], strict=True):
            books.execute("update provider_key set sealed = ? where id = ?", (sealed, key_id))
    return len(held)


def _place(dice: Random, tenants: Iterable[str]) -> Place:
    return Place(dice.choice(sorted(tenants)), dice.choice("abc"), f"pk_{dice.randrange(9)}", dice.randrange(1, 4))


def _opens(data_key: DataKey, place: Place, sealed: bytes) -> bool:
    try:
        data_key.open(place, sealed)
    except CannotOpen:
        return False
    return True
