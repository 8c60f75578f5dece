"""How well models and their sources have served: counted in memory, kept by the hour, answered from memory."""

from kyma.uptime.budget import ProbeBudget
from kyma.uptime.uptime import Uptime

__all__ = ["ProbeBudget", "Uptime"]
