"""What was used and what it cost: sums, and call by call. Customers see their own account, operators also the others'.

Metadata only; prompts and answers are kept nowhere. A call of somebody else does not exist.
"""

import csv
import io
from functools import partial
from typing import Any, Final

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from kyma.api.depends import Caller, Operator, TheGateway
from kyma.api.times import DAYS_BY_HOUR, DEFAULT_DAYS, iso, span
from kyma.api.usage_query import Account, Cursor, Filters, Form, Groups, Limit, Times, Word, cursor_of, place_of
from kyma.api.usage_views import (
    Counts,
    LogDetail,
    LogList,
    OperatorLogDetail,
    OperatorLogList,
    UsageView,
    charge,
    counts,
    group,
    log_row,
    operator_row,
)
from kyma.core.errors import InvalidRequest, NotFound
from kyma.core.ids import DAY_MS, HOUR_MS
from kyma.core.money import usd_text
from kyma.gateway import Gateway
from kyma.usage import UsageRow
from kyma.usage.logs import LogAsked, LogPage, fetch_call, fetch_price_book, read_logs
from kyma.usage.reading import FILTERS, GROUPS, MAX_GROUPS, Asked, Used, read_usage

router = APIRouter(tags=["Usage"])
operators = APIRouter(
    prefix="/v1/admin", tags=["Operators"], responses={403: {"description": "Only operators may do this"}}
)

OF_ALL: Final = ("day", "model", "app")
"""What all accounts together are summed by."""

UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"description": "No such call of yours"}}
CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}


@router.get("/v1/usage", summary="What was used", response_model=UsageView, responses=CSV)
async def get_usage(
    request: Request,
    gateway: TheGateway,
    caller: Caller,
    times: Times,
    filters: Filters,
    group_by: Groups = "day",
    format: Form = None,
) -> Response:
    """Sums of your account's calls, exact to the last one that has ended."""
    return await _usage(request, gateway, caller.account_id, times, group_by, filters, format)


@router.get("/v1/logs", summary="Call by call, newest first", response_model=LogList)
async def list_logs(
    gateway: TheGateway,
    caller: Caller,
    times: Times,
    filters: Filters,
    request_id: Word = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """With filters a page may be short, even empty, and not be the last: `next_cursor` goes on."""
    page = await _page(gateway, caller.account_id, times, filters, request_id, limit, cursor)
    labels = await gateway.accounts.key_labels({row.key_id for row in page.rows})
    return _list([log_row(row, labels) for row in page.rows], page)


@router.get("/v1/logs/{request_id}", summary="One call, and how its cost came about", responses=UNKNOWN)
async def get_log(gateway: TheGateway, caller: Caller, request_id: str) -> LogDetail:
    row = await _call(gateway, request_id)
    if row is None or row.account_id != caller.account_id:
        raise NotFound("You have made no such call.", code="request_not_found")
    labels = await gateway.accounts.key_labels({row.key_id})
    return LogDetail.model_validate(log_row(row, labels) | {"object": "log", "charge": await _charge(gateway, row)})


@operators.get("/usage", summary="What anybody has used", response_model=UsageView, responses=CSV)
async def get_any_usage(
    request: Request,
    gateway: TheGateway,
    _operator: Operator,
    times: Times,
    filters: Filters,
    account: Account,
    group_by: Groups = "day",
    format: Form = None,
) -> Response:
    """Of one account, or of all together: these by day, model and app only."""
    return await _usage(request, gateway, account, times, group_by, filters, format)


@operators.get("/logs", summary="Calls of one account, or of all", response_model=OperatorLogList)
async def list_any_logs(
    gateway: TheGateway,
    _operator: Operator,
    times: Times,
    filters: Filters,
    account: Account,
    request_id: Word = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """As customers see them, with the account and the source that served."""
    page = await _page(gateway, account, times, filters, request_id, limit, cursor)
    labels = await gateway.accounts.key_labels({row.key_id for row in page.rows})
    return _list([operator_row(row, labels) for row in page.rows], page)


@operators.get("/logs/{request_id}", summary="Any call, and how its cost came about", responses=UNKNOWN)
async def get_any_log(gateway: TheGateway, _operator: Operator, request_id: str) -> OperatorLogDetail:
    row = await _call(gateway, request_id)
    if row is None:
        raise NotFound("There is no such call.", code="request_not_found")
    members = operator_row(row, await gateway.accounts.key_labels({row.key_id}))
    return OperatorLogDetail.model_validate(members | {"object": "log", "charge": await _charge(gateway, row)})


async def _usage(
    request: Request,
    gateway: Gateway,
    account_id: str | None,
    times: tuple[str | None, str | None],
    group_by: str,
    filters: dict[str, str],
    form: str | None,
) -> Response:
    known = GROUPS if account_id is not None else OF_ALL
    names = tuple(dict.fromkeys(name for name in group_by.replace(" ", "").split(",") if name))
    if wrong := [name for name in names if name not in known]:
        raise InvalidRequest(f"group_by: {wrong[0]!r} is none of {', '.join(known)}", param="group_by")
    if account_id is None and (wrong := [name for name in filters if name not in OF_ALL]):
        raise InvalidRequest(
            f"{wrong[0]}: it can be told apart of one account only; name it by `account`", param=wrong[0]
        )
    step_ms, days = DAY_MS if account_id is None else HOUR_MS, DAYS_BY_HOUR if "hour" in names else DEFAULT_DAYS
    start, end = span(*times, gateway.clock.now_ms(), step_ms, days)
    asked = Asked(account_id, start, end, names, filters)
    used = await gateway.database.read(partial(read_usage, asked=asked))
    if len(used) > MAX_GROUPS:
        raise InvalidRequest(
            f"group_by: more than {MAX_GROUPS} groups; ask for less time or fewer kinds", param="group_by"
        )
    if (form or _accepted(request)) == "csv":
        return Response(_csv(names, used), media_type="text/csv", headers={"content-disposition": ATTACHED})
    members = {
        "object": "usage",
        "from": iso(start),
        "to": iso(end),
        "group_by": names,
        "data": [group(names, one) for one in used],
        "totals": counts(_total(used)),
    }
    return Response(msgspec.json.encode(members), media_type="application/json")


ATTACHED = 'attachment; filename="usage.csv"'


def _accepted(request: Request) -> str:
    return "csv" if request.headers.get("accept", "").startswith("text/csv") else "json"


def _total(used: list[Used]) -> Used:
    sums = (sum(getattr(one, name) for one in used) for name in Counts.model_fields)
    return Used((), **dict(zip(Counts.model_fields, sums, strict=True)))


def _csv(names: tuple[str, ...], used: list[Used]) -> str:
    """A line a group, with a head; dollars to the last digit."""
    out = io.StringIO()
    lines = csv.writer(out)
    lines.writerow([*names, *Counts.model_fields])
    for one in used:
        lines.writerow((group(names, one) | {"cost": usd_text(one.cost)}).values())
    return out.getvalue()


async def _page(
    gateway: Gateway,
    account_id: str | None,
    times: tuple[str | None, str | None],
    filters: dict[str, str],
    request_id: str | None,
    limit: int,
    cursor: str | None,
) -> LogPage:
    start, end = span(*times, gateway.clock.now_ms())
    if request_id is None:
        asked = LogAsked(account_id, start, end, limit, place_of(cursor) if cursor else None, filters)
        return await gateway.database.read(partial(read_logs, asked=asked))
    row = await _call(gateway, request_id)
    is_meant = (
        row is not None
        and account_id in (None, row.account_id)
        and start <= row.created_at < end
        and all(getattr(row, FILTERS[name]) == value for name, value in filters.items())
    )
    return LogPage([row] if row is not None and is_meant else [], None)


def _list(rows: list[dict[str, object]], page: LogPage) -> Response:
    """A thousand rows would take the models that describe them a tenth of a second."""
    members = {"object": "list", "data": rows, "has_more": page.next is not None, "next_cursor": cursor_of(page)}
    return Response(msgspec.json.encode(members), media_type="application/json")


async def _call(gateway: Gateway, request_id: str) -> UsageRow | None:
    if not request_id.isprintable():
        return None
    return await gateway.database.read(partial(fetch_call, request_id=request_id))


async def _charge(gateway: Gateway, row: UsageRow) -> object:
    return charge(row, await gateway.database.read(partial(fetch_price_book, version=row.price_version)))
