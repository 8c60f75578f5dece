"""What usage and logs may be asked: times, filters, groups, pages."""

import base64
from typing import Annotated, Literal

import msgspec
from fastapi import Depends, Query

from kyma.core.errors import InvalidRequest
from kyma.usage.logs import LogPage, Place

Since = Annotated[
    str | None, Query(alias="from", description="A date or a time; 30 days before `to` without it, 7 by hour")
]
Until = Annotated[str | None, Query(alias="to", description="A date, which is taken in, or a time; now without it")]
Groups = Annotated[str, Query(description="One or more of day, hour, model, key, app; separated by commas")]
Form = Annotated[Literal["json", "csv"] | None, Query(description="Or by the header Accept")]
Word = Annotated[str | None, Query(max_length=256)]
Limit = Annotated[int, Query(ge=1, le=1000)]
Cursor = Annotated[str | None, Query(max_length=512, description="`next_cursor` of the page before")]
_cursors = msgspec.json.Decoder(tuple[Annotated[int, msgspec.Meta(ge=0, lt=1 << 53)], str])


def times_of(since: Since = None, until: Until = None) -> tuple[str | None, str | None]:
    return since, until


def filters_of(model: Word = None, key: Word = None, app: Word = None, status: Word = None) -> dict[str, str]:
    """What was given. Raises: InvalidRequest for characters that no value has."""
    given = {"model": model, "key": key, "app": app, "status": status}
    return {name: _printable(name, value) for name, value in given.items() if value is not None}


def account_of(account: Word = None) -> str | None:
    """Raises: InvalidRequest as for filters."""
    return None if account is None else _printable("account", account)


def _printable(name: str, value: str) -> str:
    if not value.isprintable():
        raise InvalidRequest(f"{name}: it holds characters that cannot be printed", param=name)
    return value


Times = Annotated[tuple[str | None, str | None], Depends(times_of)]
Filters = Annotated[dict[str, str], Depends(filters_of)]
Account = Annotated[str | None, Depends(account_of)]


def cursor_of(page: LogPage) -> str | None:
    """What goes on after this page; None after the last."""
    if page.next is None:
        return None
    return base64.urlsafe_b64encode(msgspec.json.encode(page.next)).decode().rstrip("=")


def place_of(cursor: str) -> Place:
    """Raises: InvalidRequest for what was never a cursor."""
    try:
        created_at, request_id = _cursors.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, msgspec.MsgspecError):
        raise InvalidRequest("cursor: send a `next_cursor` as it came", param="cursor") from None
    if not request_id.isprintable():
        raise InvalidRequest("cursor: send a `next_cursor` as it came", param="cursor")
    return Place(created_at, request_id)
