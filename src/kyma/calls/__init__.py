"""One metered upstream call of any kind: opened against credit and limits, pumped to its end, settled once."""

from kyma.calls.asking import Terms, model_counted
from kyma.calls.call import Call
from kyma.calls.calls import Calls, CallSettings
from kyma.calls.explain import Considered, Explanation, explain_model, explain_request
from kyma.calls.outlet import Outlet
from kyma.calls.probe import Probed, probe
from kyma.calls.prober import Prober
from kyma.calls.settle import Settled, apply_settled
from kyma.calls.stream_pump import PumpSettings
from kyma.calls.upstream import Upstream

__all__ = [
    "Call",
    "CallSettings",
    "Calls",
    "Considered",
    "Explanation",
    "Outlet",
    "Probed",
    "Prober",
    "PumpSettings",
    "Settled",
    "Terms",
    "Upstream",
    "apply_settled",
    "explain_model",
    "explain_request",
    "model_counted",
    "probe",
]
