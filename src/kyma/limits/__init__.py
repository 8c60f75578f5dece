"""How fast an account may go: requests and tokens a minute, in memory. What a tier is comes from the caller."""

from kyma.limits.limits import Limits
from kyma.limits.state import Admission, LimitsView

__all__ = ["Admission", "Limits", "LimitsView"]
