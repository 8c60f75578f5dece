"""The state of one call, from admission to its receipt."""

from typing import NoReturn
from urllib.parse import quote

import msgspec

from kyma.calls.meter import Meter
from kyma.calls.outlet import HeaderLines
from kyma.catalog import Resolved
from kyma.core.chat import CallRequest, Native
from kyma.core.credential import Credential
from kyma.core.errors import KymaError, NoRouteLeft, RequestError, UpstreamError, Verdict
from kyma.core.model import Model
from kyma.core.money import WHOLE_PRICE, Hold, Nanos
from kyma.core.principal import Principal
from kyma.limits import Admission
from kyma.routing import Ask, Candidate
from kyma.routing.plan import FORGOTTEN
from kyma.transport import Response

MAX_LISTED = 32
PLAIN = "._-[]*$"
GONE = Native("", {})
"""In the place of a request that was let go: one for all."""


class Call:
    """One metered call. Names the answer for the dialect (`request_id`, `model_id`, `created`)."""

    __slots__ = (
        "admission",
        "alias",
        "app",
        "ask",
        "asked",
        "attempts",
        "auto_reason",
        "candidate",
        "cost",
        "created",
        "dialect_name",
        "dropped",
        "emulated",
        "first_token_ms",
        "has_left",
        "hold",
        "is_lost",
        "is_probe",
        "is_settled",
        "is_strict",
        "meter",
        "model",
        "model_id",
        "own_key_share",
        "price",
        "price_share",
        "price_version",
        "principal",
        "request",
        "request_id",
        "started_at",
        "upstream",
    )

    def __init__(
        self,
        request_id: str,
        principal: Principal,
        request: CallRequest,
        resolved: Resolved,
        price_version: str,
        admission: Admission,
        hold: Hold,
        ask: Ask,
        now_ms: int,
        *,
        is_strict: bool = False,
        own_key_share: int = WHOLE_PRICE,
        app: str = "",
    ) -> None:
        self.request_id = request_id
        self.principal = principal
        self.request = request
        self.dialect_name = request.native.dialect
        self.asked: Model = resolved.model
        self.model = resolved.model
        self.model_id = resolved.model.id
        self.price = resolved.model.price
        self.price_share = WHOLE_PRICE
        self.own_key_share = own_key_share
        self.alias = resolved.alias
        self.auto_reason = resolved.auto_reason
        self.price_version = price_version
        self.admission = admission
        self.hold = hold
        self.ask = ask
        self.started_at = now_ms
        self.created = now_ms // 1000
        self.meter = Meter(request, resolved.model)
        self.candidate: Candidate | None = None
        self.attempts = 0
        self.first_token_ms: int | None = None
        self.has_left = False
        self.cost: Nanos = 0
        self.is_settled = False
        self.is_lost = False
        self.is_probe = False
        self.upstream: Response | None = None
        self.is_strict = is_strict
        self.app = app
        self.dropped: tuple[str, ...] = ()
        self.emulated: tuple[str, ...] = ()

    @property
    def input_estimate(self) -> int:
        """About how many tokens the model reads."""
        return self.meter.input_estimate

    def turn_to(self, candidate: Candidate) -> None:
        """This source is asked now; if it answers, it does so as this model and at this price."""
        self.candidate = candidate
        self.price = candidate.price
        if candidate.credential is not None and candidate.credential.is_own:
            self.price_share = self.own_key_share
            self.price = candidate.price.share(self.own_key_share)
        else:
            self.price_share = WHOLE_PRICE
        self.name_model(candidate.model)

    def name_model(self, model: Model) -> None:
        """The answer, if there is one, is of `model`."""
        if model is not self.model:
            self.model, self.model_id = model, model.id
            self.meter.serve(self.request, model)

    @property
    def credential(self) -> Credential | None:
        """The key that the source was asked with last."""
        return None if self.candidate is None else self.candidate.credential

    @property
    def asked_model(self) -> str:
        """The model whose price is the most that this answer may be sold at; empty if that is its own."""
        is_capped = self.candidate is not None and self.candidate.price != self.model.price
        return self.asked.id if is_capped else ""

    def lose(self, error: KymaError) -> None:
        """Nobody answers it, for this reason. It is `is_lost` if we should have had an answer for it."""
        self.is_lost = not self.has_left and _is_ours(error, self.credential)

    def cut(self) -> None:
        """Drop the upstream's connection, if there is one."""
        if self.upstream is not None:
            self.upstream.abort()

    def attach(self, upstream: Response) -> None:
        """This response is being waited for now; a customer who has left by then may end it at once."""
        self.upstream = upstream
        if self.has_left:
            self.abandon()

    def abandon(self) -> None:
        """The customer has left. Cuts the upstream where that stops its charge; otherwise it is drained."""
        self.has_left = True
        if self.candidate is not None and self.candidate.route.provider.cancel_stops_billing:
            self.cut()

    def let_go(self) -> None:
        """A source has begun to answer for good: what was asked is not needed again, and may be large."""
        self.request = msgspec.structs.replace(self.request, native=GONE, roles=frozenset(), chat=_gone)
        self.ask = FORGOTTEN

    def header_lines(self) -> HeaderLines:
        """The receipt: which model answered, by which alias and layer, under which request id."""
        lines = f"x-request-id: {self.request_id}\r\nx-kyma-model: {self.model_id}\r\n"
        if self.alias is not None:
            lines += f"x-kyma-alias: {self.alias}\r\n"
        if self.auto_reason:
            lines += f"x-kyma-auto-reason: {self.auto_reason}\r\n"
        if self.candidate is not None and self.candidate.layer:
            lines += f"x-kyma-fallback: true\r\nx-kyma-fallback-layer: {self.candidate.layer}\r\n"
        if self.dropped:
            lines += f"x-kyma-dropped: {_listed(self.dropped)}\r\n"
        if self.emulated:
            lines += f"x-kyma-emulated: {_listed(self.emulated)}\r\n"
        return lines.encode()


def _is_ours(error: KymaError, credential: Credential | None) -> bool:
    """Whether a request failed for want of a source or by our own fault, and not by its caller's."""
    if isinstance(error, NoRouteLeft):
        verdicts = {reason.verdict for reason in error.reasons}
        is_strange_key = credential is not None and credential.is_own and verdicts == {Verdict.COOL_DOWN}
        return verdicts != {Verdict.PASS} and not is_strange_key
    if isinstance(error, UpstreamError):
        return error.verdict is not Verdict.STOP
    return not isinstance(error, RequestError)


def _listed(paths: tuple[str, ...]) -> str:
    """Paths as a header's value: they hold names that a stranger chose, so all but plain characters are escaped."""
    shown = ", ".join(quote(path, safe=PLAIN) for path in paths[:MAX_LISTED])
    return shown if len(paths) <= MAX_LISTED else f"{shown}, and {len(paths) - MAX_LISTED} more"


def _gone() -> NoReturn:
    raise LookupError("the request was let go")
