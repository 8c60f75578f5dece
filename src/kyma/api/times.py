"""Times as the contract writes them."""

from datetime import UTC, date, datetime, timedelta

from kyma.core.errors import InvalidRequest
from kyma.core.ids import DAY_MS

END_MS = 32_503_680_000_000
"""The year 3000: what comes later is no time that anybody means."""
MAX_DAYS = 366
DEFAULT_DAYS = 30
DAYS_BY_HOUR = 7
"""The default where each hour is told."""


def iso(epoch_ms: int) -> str:
    """Epoch milliseconds as ISO 8601 in UTC, to the millisecond, with a Z."""
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_day(epoch_ms: int) -> str:
    """The UTC day of that moment."""
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).date().isoformat()


def span(
    start: str | None, end: str | None, now_ms: int, step_ms: int = 1, days: int = DEFAULT_DAYS
) -> tuple[int, int]:
    """The time from `from` up to `to`, rounded out to whole steps; without them the last `days` up to now.

    Each is a date or a date and time, in UTC unless it says otherwise; a date as `to` takes its day in.
    Raises: InvalidRequest unless `from` is before `to` by 366 days at most.
    """
    until = now_ms + 1 if end is None else _moment(end, "to", 1)
    since = until - days * DAY_MS if start is None else _moment(start, "from", 0)
    if since >= until:
        raise InvalidRequest("from: it must be before `to`", code="invalid_time", param="from")
    if until - since > MAX_DAYS * DAY_MS:
        raise InvalidRequest(
            f"from: at most {MAX_DAYS} days can be asked for at once", code="invalid_time", param="from"
        )
    return since // step_ms * step_ms, -(-until // step_ms) * step_ms


def _moment(text: str, param: str, days: int) -> int:
    """Epoch milliseconds; of a date those of its beginning, `days` later. Raises: InvalidRequest."""
    try:
        if len(text) == len("2026-11-30"):
            day = date.fromisoformat(text)
            moment = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days)
        else:
            moment = datetime.fromisoformat(text)
        found = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
        if not 0 <= found < END_MS:
            raise ValueError
        return found
    except (ValueError, OverflowError):
        shown = "2026-11-30 or 2026-11-30T12:00:00Z"
        raise InvalidRequest(f"{param}: no date or time such as {shown}", code="invalid_time", param=param) from None
