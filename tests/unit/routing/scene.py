"""Routing on its own: models of tests, a vault with a key for each provider, a clock that stands still."""

from collections.abc import Iterable, Sequence

from kyma.core.errors import UpstreamError, UpstreamFailed
from kyma.core.model import Model, Route
from kyma.credentials import Vault
from kyma.routing import Ask, Candidate, Health, Plan, plan
from tests.clock import ManualClock
from tests.unit.calls.rows import model, vault

ACCOUNT = "acc_1"
ASK = Ask(ACCOUNT, 0.0)
PROVIDERS = tuple(f"p{number}" for number in range(9))


class Scene:
    """`health` with what it stands on."""

    def __init__(self, keys: Vault | None = None) -> None:
        self.clock = ManualClock()
        self.keys = keys or vault(*PROVIDERS)
        self.health = Health(self.clock, self.keys)

    def plan(self, routes: Sequence[Route] | Model, ask: Ask = ASK) -> Plan:
        asked = routes if isinstance(routes, Model) else model(routes)
        return plan(asked, self.health, ask)

    def everybody(self, routes: Sequence[Route] | Model, ask: Ask = ASK) -> list[Candidate]:
        """The whole plan, first to last."""
        made = self.plan(routes, ask)
        return [made.first, *made.rest()] if made.first else []

    def order(self, routes: Sequence[Route] | Model, ask: Ask = ASK) -> list[tuple[str, int]]:
        """Provider and layer of everybody in the plan."""
        return names(self.everybody(routes, ask))

    def only(self, route: Route) -> Candidate:
        """The candidate that a model with nothing but this route has."""
        (candidate,) = self.everybody([route])
        return candidate

    def fail(self, route: Route, times: int = 1, error: UpstreamError | None = None) -> None:
        """Calls of this source that failed."""
        candidate = self.only(route)
        for _ in range(times):
            self.health.begin(candidate)
            self.health.failed(candidate, error or UpstreamFailed("500"))

    def answer(self, route: Route, times: int = 1, ms: int = 100, tokens: int = 0) -> None:
        """Streams of this source that went well, each a second long."""
        candidate = self.only(route)
        for _ in range(times):
            self.health.begin(candidate)
            self.health.answered(candidate, ms / 1000, True)
            self.health.ended(candidate, tokens, 1.0)


def names(candidates: Iterable[Candidate]) -> list[tuple[str, int]]:
    return [(candidate.route.provider.id, candidate.layer) for candidate in candidates]
