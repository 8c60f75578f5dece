"""Which source of a model is asked, in which order, and what a failure means for the next."""

from kyma.routing.attempt import Attempted, Turn, attempt
from kyma.routing.breaker import BreakerSettings
from kyma.routing.explain import Explained, explain
from kyma.routing.health import Candidate, Health
from kyma.routing.plan import Ask, Plan, is_ruled_out, pin, plan
from kyma.routing.state import RouteState
from kyma.routing.switches import Switches
from kyma.routing.wishes import may_serve

__all__ = [
    "Ask",
    "Attempted",
    "BreakerSettings",
    "Candidate",
    "Explained",
    "Health",
    "Plan",
    "RouteState",
    "Switches",
    "Turn",
    "attempt",
    "explain",
    "is_ruled_out",
    "may_serve",
    "pin",
    "plan",
]
