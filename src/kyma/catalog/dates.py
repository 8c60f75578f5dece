"""Dates of rows, as the snapshot has them. Today comes in as an argument."""

from datetime import UTC, date, datetime, time


def is_past(day: date | None, today: date) -> bool:
    """A last day is one still."""
    return day is not None and day < today


def day_text(day: date | None) -> str | None:
    """ISO 8601, or None."""
    return None if day is None else day.isoformat()


def epoch_s(day: date) -> int:
    """The day's beginning in UTC, in seconds."""
    return int(datetime.combine(day, time(), UTC).timestamp())
