"""OpenAI moderations, both sides: a request and its verdicts travel as they came, but for the names of models.

Source: openai-python 3.52 types (moderation_create_params, moderation_create_response).
"""

from typing import ClassVar, Literal

import msgspec

from kyma.core.answer import Bill, UsageReport
from kyma.core.chat import CallRequest, Native, Rendered
from kyma.core.errors import Garbled, InvalidRequest
from kyma.core.model import Kind, Quirks
from kyma.dialects.base import Reply
from kyma.dialects.json_input import decode_body
from kyma.dialects.openai_shared import InputUsageOut, render_error, render_input_usage
from kyma.dialects.preferences import take_preferences
from kyma.dialects.raw_fields import NULL, RawFields, encoder, fields_decoder, raw
from kyma.dialects.vendor_errors import error_in_answer, parse_error

__all__ = [
    "NAME",
    "ModerationRequest",
    "ModerationResponse",
    "parse_error",
    "parse_request",
    "parse_response",
    "render_error",
    "render_request",
    "render_response",
    "target",
]

NAME = "openai_moderations"
DEFAULT_MODEL = "omni-moderation-latest"
"""What OpenAI takes when no model is named."""


class ModerationRequest(CallRequest, frozen=True, kw_only=True):
    """Texts to be judged each by itself, or parts (texts, images) to be judged together."""

    kind: ClassVar[Kind] = "moderation"


class ModerationResponse(msgspec.Struct, frozen=True):
    """The verdicts, as they came. Nobody counts tokens here."""

    results: msgspec.Raw
    report: UsageReport | None = None

    @property
    def is_blank(self) -> bool:
        return False


class ImageUrl(msgspec.Struct):
    url: str


class PartIn(msgspec.Struct):
    type: Literal["text", "image_url"]
    text: str = ""
    image_url: ImageUrl | None = None


class ModerationsBody(msgspec.Struct):
    """Body of POST /v1/moderations. Fields not listed here travel to the model unchanged."""

    input: str | list[str | PartIn]
    model: str | None = None


class Verdict(msgspec.Struct):
    flagged: bool


class WireAnswer(msgspec.Struct):
    results: list[Verdict] | None = None
    error: msgspec.Raw = NULL


class RawResults(msgspec.Struct):
    results: msgspec.Raw


class ModerationsOut(msgspec.Struct):
    id: str
    model: str
    results: msgspec.Raw
    usage: InputUsageOut


_body_decoder = msgspec.json.Decoder(ModerationsBody)
_answer_decoder = msgspec.json.Decoder(WireAnswer)
_results_decoder = msgspec.json.Decoder(RawResults)


def parse_request(body: bytes) -> ModerationRequest:
    """Read a request body. Raises: InvalidRequest naming the field."""
    wire = decode_body(_body_decoder, body)
    fields = fields_decoder.decode(body)
    model, preferences = wire.model or "", None
    if "provider" in fields or "models" in fields:
        model, preferences = take_preferences(fields, model)
    given = [wire.input] if isinstance(wire.input, str) else wire.input
    parts = [part for part in given if isinstance(part, PartIn)]
    if not given:
        raise InvalidRequest("input must hold at least one text or part", param="input")
    if parts and len(parts) < len(given):
        raise InvalidRequest("input must be a text, a list of texts, or a list of parts", param="input")
    texts = [part.text if isinstance(part, PartIn) else part for part in given]
    return ModerationRequest(
        model=model or DEFAULT_MODEL,
        preferences=preferences,
        native=Native(NAME, fields),
        input_bytes=sum(len(text.encode()) for text in texts),
        image_count=sum(part.type == "image_url" for part in parts),
        readings=1 if parts else len(given),
    )


def render_response(response: ModerationResponse, reply: Reply, bill: Bill, request: ModerationRequest) -> bytes:
    """The verdicts under our names, with what they cost."""
    digits = reply.request_id.removeprefix("req_")
    return encoder.encode(ModerationsOut("modr-" + digits, reply.model_id, response.results, render_input_usage(bill)))


def target(upstream_model: str, is_streaming: bool) -> str:
    """Path behind the provider's base path."""
    return "/moderations"


def render_request(request: ModerationRequest, upstream_model: str, quirks: Quirks) -> Rendered:
    """The body to send: the customer's, under the vendor's name of the model. Of the quirks `drop` alone counts."""
    fields: RawFields = dict(request.native.fields)
    fields.pop("idempotency_key", None)
    fields["model"] = raw(upstream_model)
    dropped = [name for name in quirks.drop if fields.pop(name, NULL) != NULL]
    return Rendered(encoder.encode(fields), tuple(dropped))


def parse_response(body: bytes, request: ModerationRequest) -> ModerationResponse:
    """Read a vendor's 200.

    Raises: Garbled unless it has a verdict on each of what was sent, UpstreamError when it holds an error.
    """
    try:
        wire = _answer_decoder.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise Garbled("the answer is no list of verdicts") from None
    if wire.error != NULL:
        raise error_in_answer(wire.error)
    if len(wire.results or ()) != request.readings:
        raise Garbled(f"the answer has no verdict on each of the {request.readings} inputs")
    return ModerationResponse(_results_decoder.decode(body).results)
