"""What the upstream saw, in memory: one entry for every chat, kept until `reset`.

No message content is kept but blocks that a vendor signed: those must come back to it as they were.
"""

import random
import time
from collections import Counter, deque
from typing import Literal

import msgspec

Outcome = Literal["open", "finished", "cut", "client_gone"]
KEPT_ENTRIES = 50_000


class Entry(msgspec.Struct):
    """One chat. Times are epoch milliseconds.

    `body` is the request without its texts (see `reading`); `signed` the JSON of every signed block as it arrived.
    """

    id: str
    model: str
    is_streaming: bool
    body: dict[str, object]
    headers: dict[str, str]
    started_at: int
    dialect: str = "openai_chat"
    signed: list[str] = []
    prompt_tokens: int = 0
    outcome: Outcome = "open"
    tokens_sent: int = 0
    first_sent_at: int | None = None
    ended_at: int | None = None

    def count_token(self) -> None:
        """One more token went out."""
        self.tokens_sent += 1
        if self.first_sent_at is None:
            self.first_sent_at = now_ms()


class Journal:
    """The entries, their totals, and what scripts remember between requests."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything; chats that still run are not counted when they end."""
        self.entries: deque[Entry] = deque(maxlen=KEPT_ENTRIES)
        self._open: dict[str, Entry] = {}
        self.outcomes: Counter[str] = Counter()
        self.requests_by_model: Counter[str] = Counter()
        self.tokens_sent = 0
        self._dice: dict[str, random.Random] = {}

    def open(self, entry: Entry) -> int:
        """Take up a chat; returns how many this model string has had, this one included."""
        self.entries.append(entry)
        self.requests_by_model[entry.model] += 1
        self._open[entry.id] = entry
        return self.requests_by_model[entry.model]

    def close(self, entry: Entry, outcome: Outcome) -> None:
        """Write down how a chat ended."""
        entry.outcome, entry.ended_at = outcome, now_ms()
        if self._open.pop(entry.id, None) is not None:
            self.outcomes[outcome] += 1
            self.tokens_sent += entry.tokens_sent

    def dice(self, model: str, seed: int) -> random.Random:
        """The random numbers of one model string: the same sequence after every reset."""
        return self._dice.setdefault(model, random.Random(seed))

    def stats(self) -> dict[str, object]:
        """Totals since the last reset."""
        return {
            "requests": self.requests_by_model.total(),
            "open": len(self._open),
            "finished": self.outcomes["finished"],
            "cut": self.outcomes["cut"],
            "client_gone": self.outcomes["client_gone"],
            "tokens_sent": self.tokens_sent,
            "requests_by_model": dict(self.requests_by_model),
        }


def now_ms() -> int:
    """Wall time in epoch milliseconds, comparable between processes of one machine."""
    return time.time_ns() // 1_000_000
