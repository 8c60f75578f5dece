"""Which source of a model is asked, in which order, and what a failure means for the next."""

from kyma.routing.attempt import Attempted, attempt
from kyma.routing.explain import Explained, explain
from kyma.routing.health import Health
from kyma.routing.plan import Candidate, Plan, plan
from kyma.routing.state import RouteState
from kyma.routing.switches import Switches

__all__ = [
    "Attempted",
    "Candidate",
    "Explained",
    "Health",
    "Plan",
    "RouteState",
    "Switches",
    "attempt",
    "explain",
    "plan",
]
