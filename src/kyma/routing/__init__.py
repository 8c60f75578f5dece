"""Which source of a model is asked, in which order, and what a failure means for the next."""

from kyma.routing.attempt import Attempted, attempt
from kyma.routing.health import Health
from kyma.routing.plan import Candidate, Plan, plan

__all__ = ["Attempted", "Candidate", "Health", "Plan", "attempt", "plan"]
