"""Which source of a model is asked, in which order, and what a failure means for the next."""

from kyma.routing.attempt import Attempted, Turn, attempt
from kyma.routing.breaker import BreakerSettings
from kyma.routing.health import Candidate, Health
from kyma.routing.plan import Ask, Plan, plan

__all__ = ["Ask", "Attempted", "BreakerSettings", "Candidate", "Health", "Plan", "Turn", "attempt", "plan"]
