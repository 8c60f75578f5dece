"""What the API shows of usage and of the request log. Who served a call is told to operators alone."""

from typing import Literal

from pydantic import BaseModel, Field

from kyma.accounts import KeyLabel, masked
from kyma.api.times import iso, iso_day
from kyma.core.charge import PriceBook, charge_lines
from kyma.core.money import percent_text, picos_text, usd_float
from kyma.usage import UsageRow
from kyma.usage.reading import Used


class KeyName(BaseModel):
    """`key` is the key's beginning, for people to tell keys apart."""

    id: str
    name: str
    key: str


class Counts(BaseModel):
    """Buckets are disjoint; `reasoning_tokens` is a part of `output_tokens`. `cost` is USD, exact."""

    requests: int
    input_tokens: int = Field(description="Read fresh: neither from a cache nor written to one")
    cached_input_tokens: int
    cache_write_tokens: int
    cache_write_1h_tokens: int
    output_tokens: int
    reasoning_tokens: int
    searches: int
    cost: float


class UsageGroup(Counts):
    """One group; it has the members that were grouped by."""

    day: str | None = None
    hour: str | None = None
    model: str | None = None
    key: str | None = Field(None, description="A key's id; empty for sessions")
    app: str | None = None


class UsageView(BaseModel):
    object: Literal["usage"]
    start: str = Field(alias="from", description="Rounded out to a whole hour, of all accounts to a whole day")
    to: str
    group_by: list[str]
    data: list[UsageGroup]
    totals: Counts


class LogRow(BaseModel):
    """One call. `layer` is 0 for the first source asked, 3 for another model; tokens as in usage."""

    request_id: str
    created_at: str = Field(description="When it was settled")
    model: str = Field(description="The one that answered")
    requested_model: str = Field(description="As it was asked for, which may be an alias")
    app: str
    key: KeyName | None = Field(description="None for a session")
    dialect: str
    streaming: bool
    status: str = Field(description="finished, drained, cancelled, cut, failed or blank")
    http_status: int
    input_tokens: int
    cached_input_tokens: int
    cache_write_tokens: int
    cache_write_1h_tokens: int
    output_tokens: int
    reasoning_tokens: int
    searches: int
    cost: float = Field(description="USD, exact")
    estimated: bool = Field(description="Units are the gateway's own count")
    first_token_ms: int | None
    duration_ms: int
    layer: int


class LogList(BaseModel):
    object: Literal["list"]
    data: list[LogRow]
    has_more: bool
    next_cursor: str | None = Field(description="Send it as `cursor` for what is older; null where the log ends")


class OperatorLogRow(LogRow):
    account: str
    route: str = Field(description="provider/upstream-model; empty if none answered")
    attempts: int
    flagged: bool


class OperatorLogList(BaseModel):
    object: Literal["list"]
    data: list[OperatorLogRow]
    has_more: bool
    next_cursor: str | None


class ChargeLine(BaseModel):
    """USD as decimal texts, exact to the pico-dollar."""

    unit: str
    units: int
    unit_price: str
    amount: str


class Charge(BaseModel):
    """`sum` is rounded up once, to whole nano-dollars: that is the cost."""

    price_version: str
    sold_as: list[str] = Field(description="The model, and the one it stood in for: each unit at the lower price")
    share_percent: str = Field(description="Of the price: less where the customer's own key paid the provider")
    lines: list[ChargeLine]
    sum: str
    cost: float


class LogDetail(LogRow):
    object: Literal["log"]
    charge: Charge | None = Field(description="Null for a call whose price book is not on record")


class OperatorLogDetail(OperatorLogRow):
    object: Literal["log"]
    charge: Charge | None


def counts(one: Used) -> dict[str, int | float]:
    """The members of `Counts`."""
    return {name: getattr(one, name) for name in Counts.model_fields} | {"cost": usd_float(one.cost)}


def group(names: tuple[str, ...], one: Used) -> UsageGroup:
    """One group; days and hours as the contract writes them."""
    shown = {"day": lambda at: iso_day(int(at)), "hour": lambda at: iso(int(at))}
    values = {name: shown.get(name, str)(value) for name, value in zip(names, one.group, strict=True)}
    return UsageGroup.model_validate(counts(one) | values)


def log_row(row: UsageRow, labels: dict[str, KeyLabel]) -> dict[str, object]:
    """The members of `LogRow`."""
    label = labels.get(row.key_id)
    copied = {name: getattr(row, name) for name in LogRow.model_fields if name in UsageRow.__struct_fields__}
    return copied | {
        "created_at": iso(row.created_at),
        "key": label and KeyName(id=row.key_id, name=label.name, key=masked(label.prefix)),
        "streaming": row.is_streaming,
        "cost": usd_float(row.cost),
    }


def operator_row(row: UsageRow, labels: dict[str, KeyLabel]) -> dict[str, object]:
    """The members of `OperatorLogRow`."""
    more = {"account": row.account_id, "route": row.route, "attempts": row.attempts, "flagged": row.flagged}
    return log_row(row, labels) | more


def charge(row: UsageRow, prices: str | None) -> Charge | None:
    """How the cost of a call came about, from the price book it names; None if that does not say."""
    price = PriceBook(prices or "{}").price_of(row)
    if price is None:
        return None
    lines = [line for line in charge_lines(row, price) if line[1]]
    return Charge(
        price_version=row.price_version,
        sold_as=[name for name in (row.model, row.asked_model) if name],
        share_percent=percent_text(row.price_share),
        lines=[
            ChargeLine(unit=unit, units=units, unit_price=picos_text(each), amount=picos_text(units * each))
            for unit, units, each in lines
        ],
        sum=picos_text(sum(units * each for _, units, each in lines)),
        cost=usd_float(row.cost),
    )
