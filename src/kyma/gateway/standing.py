"""Whether this gateway and each model are in order, by a rule that docs/operations.md states in words.

A model is *down* when each of its sources is out, or of three or more requests in the last ten minutes none was
served; *degraded* when one request in twenty was lost or half of its sources are out. A source is out while it is
switched off, left alone for its faults, or without a key that its provider takes. The whole is an *outage* when the
process shuts down, the database takes no settlements, or every model is down; *degraded* when it takes no more calls,
offers no model, or one of its models is not in order.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from kyma.core.ids import Clock
from kyma.core.model import Model, Route

Word = Literal["operational", "degraded", "outage"]
ModelWord = Literal["operational", "degraded", "down"]

FEW_REQUESTS = 3
LOST_IN = 20
GOOD_FOR_S = 1.0
LOOK_S = 5.0


class Standing(msgspec.Struct, frozen=True):
    """How things stand; `since` is when this gateway first saw `status` so, in epoch milliseconds."""

    status: Word
    api: Word
    database: Word
    models: Mapping[str, ModelWord]
    since: int


class Sight(msgspec.Struct, frozen=True):
    """What is looked at. `recent` are requests served and lost by model, in the last minutes."""

    models: tuple[Model, ...]
    recent: Mapping[str, tuple[int, int]]
    is_out: Callable[[Route], bool]
    is_draining: bool
    is_full: bool
    is_stalled: bool


class Board:
    """The latest standing, looked up anew when it is asked for and more than a second old."""

    def __init__(self, clock: Clock, see: Callable[[], Sight]) -> None:
        self._clock = clock
        self._see = see
        self._standing: Standing | None = None
        self._looked_at = 0.0

    def look(self) -> Standing:
        """How things stand now."""
        now = self._clock.monotonic()
        if self._standing is None or now - self._looked_at >= GOOD_FOR_S:
            before, self._looked_at = self._standing, now
            self._standing = judge(self._see(), self._clock.now_ms())
            if before is not None and before.status == self._standing.status:
                self._standing = msgspec.structs.replace(self._standing, since=before.since)
        return self._standing

    async def keep(self) -> None:
        """Look now and then also while nobody asks, so that `since` is right, until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_S)


def judge(sight: Sight, now_ms: int) -> Standing:
    """The rule."""
    models = {model.id: _of_model(model, sight) for model in sight.models}
    api: Word = "outage" if sight.is_draining else "degraded" if sight.is_full else "operational"
    database: Word = "outage" if sight.is_stalled else "operational"
    words = set(models.values())
    if "outage" in (api, database) or words == {"down"}:
        status: Word = "outage"
    else:
        status = "operational" if api == "operational" and words == {"operational"} else "degraded"
    return Standing(status, api, database, models, now_ms)


def _of_model(model: Model, sight: Sight) -> ModelWord:
    served, lost = sight.recent.get(model.id, (0, 0))
    out = sum(map(sight.is_out, model.routes))
    if out == len(model.routes) or (lost >= FEW_REQUESTS and not served):
        return "down"
    if (lost and lost * LOST_IN >= served + lost) or 2 * out >= len(model.routes):
        return "degraded"
    return "operational"
