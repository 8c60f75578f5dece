"""Asks sources that nobody has asked for a while, so that their uptime is known and a broken one is found before a
customer finds it.

Never one that is switched off, whose keys are all at rest, that is left alone for its faults, or whose models appear
by themselves: its server is asked for them anyway, and might load each model for a probe. All probes are real calls of
the first operator's, within the day's budget.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from kyma.calls.calls import Calls
from kyma.calls.probe import AT_ONCE, Probed, probe_bound, probe_one
from kyma.catalog import Catalog
from kyma.core.ids import Clock
from kyma.core.model import Model, Route
from kyma.core.principal import Principal
from kyma.core.tally import Tallies
from kyma.credentials import Vault
from kyma.routing import Health
from kyma.uptime import ProbeBudget

log = logging.getLogger("kyma.calls")

LOOKS_AN_INTERVAL = 4
LONGEST_LOOK_S = 60.0


class Prober:
    """Scheduled probes of one gateway; of several on one database each source is asked by one."""

    def __init__(
        self,
        *,
        calls: Calls,
        catalog: Callable[[], Catalog],
        health: Health,
        vault: Vault,
        budget: ProbeBudget,
        tallies: Tallies,
        operator: Callable[[], Awaitable[Principal]],
        clock: Clock,
    ) -> None:
        self._calls = calls
        self._catalog = catalog
        self._health = health
        self._vault = vault
        self._budget = budget
        self._tallies = tallies
        self._operator = operator
        self._clock = clock

    async def keep(self, interval_s: float) -> None:
        """Probe what is due, again and again, until cancelled."""
        while True:
            await asyncio.sleep(min(LONGEST_LOOK_S, interval_s / LOOKS_AN_INTERVAL))
            try:
                await self.look()
            except Exception as error:
                log.warning("sources not probed, tried again soon: %r", error)

    async def look(self) -> list[Probed]:
        """Probe every source that is due and may be asked now."""
        models = {model.id: model for model in self._catalog().offered()}
        sources = {
            (model.id, route.id): (model, route)
            for model in models.values()
            for route in model.routes
            if self._may_be_asked(route)
        }
        due = [sources[pair] for pair in await self._budget.due(sources)]
        if not due:
            return []
        operator, turns = await self._operator(), asyncio.Semaphore(AT_ONCE)

        async def one(model: Model, route: Route) -> Probed | None:
            async with turns:
                try:
                    return await self._probe(operator, model, route)
                except Exception as error:  # of this one alone: the others are under way
                    log.warning("source %s not probed: %r", route.id, error)
                    return None

        asked = await asyncio.gather(*(one(model, route) for model, route in due))
        done = [probed for probed in asked if probed is not None]
        for model_id in {probed.model for probed in done}:
            self._count(models[model_id], [probed for probed in done if probed.model == model_id])
        return done

    async def _probe(self, operator: Principal, model: Model, route: Route) -> Probed | None:
        """None if it was not to be: the budget is used up, or somebody else has asked."""
        if not self._may_be_asked(route):  # it may have had to wait for its turn
            return None
        pair, bound = (model.id, route.id), probe_bound(model)
        day = await self._budget.take(pair, bound)
        if day is None:
            return None
        probed = await probe_one(self._calls, self._clock, operator, model, route)
        await self._budget.settle(pair, day, bound, probed.cost)
        if not probed.is_ok:
            log.info("probe of %s for %s: %s", route.id, model.id, probed.error)
        return probed

    def _count(self, model: Model, probed: Sequence[Probed]) -> None:
        """Probes of a model count together as one request to it: served if one of its sources answers, lost if each
        that is on was asked now, or is left alone, and none does."""
        served = any(one.is_ok for one in probed)
        faulty = {one.route for one in probed if one.is_fault}
        others = (route for route in model.routes if self._health.is_on(route) and route.id not in faulty)
        if not served and not (faulty and all(self._health.is_left_alone(route) for route in others)):
            return
        tally = self._tallies.of(model.id)
        tally.probes += 1
        if served:
            tally.served += 1
        else:
            tally.lost += 1

    def _may_be_asked(self, route: Route) -> bool:
        provider = route.provider
        if provider.discovery is not None or not self._health.is_on(route) or self._health.is_left_alone(route):
            return False
        keys = [key for key in self._vault.states() if key.provider_id == provider.id]
        return any(key.state == "ready" for key in keys) or (provider.is_local and not keys)
