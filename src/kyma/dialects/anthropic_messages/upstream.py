"""A chat as a request body for a vendor that speaks Anthropic Messages, its quirks applied."""

import msgspec

from kyma.core.chat import ChatRequest, Rendered
from kyma.core.model import Quirks
from kyma.dialects.anthropic_messages.mend import mend
from kyma.dialects.anthropic_messages.outcome import Outcome
from kyma.dialects.anthropic_messages.server_tools import limit_lookups
from kyma.dialects.anthropic_messages.translate import say_schema, translate
from kyma.dialects.anthropic_messages.wire import NAME, NULL, RawFields, encoder, fields_decoder, head, to_raw

EFFORTS = ("low", "medium", "high", "xhigh", "max")
"""Every value of `output_config.effort`, weakest first."""

FORMS = {"none": "none", "auto": "auto", "any": "required", "tool": "named"}
"""`tool_choice.type` in the words of `Quirks.tool_choices`."""

AUTO = msgspec.Raw(b'{"type":"auto"}')
TRUE = msgspec.Raw(b"true")


class WireChoiceType(msgspec.Struct):
    type: str = "auto"


class WireFormat(msgspec.Struct):
    schema: msgspec.Raw = msgspec.Raw(b"{}")


_choice_decoder = msgspec.json.Decoder(WireChoiceType)
_format_decoder = msgspec.json.Decoder(WireFormat)
_system_decoder = msgspec.json.Decoder(str | list[msgspec.Raw])
_word_decoder = msgspec.json.Decoder(str)


def target(upstream_model: str, is_streaming: bool) -> str:
    """Path and query behind the provider's base path."""
    return "/messages"


def render_request(request: ChatRequest, upstream_model: str, quirks: Quirks) -> Rendered:
    """The body to send. A request of this dialect keeps its fields to the byte, but for what this vendor refuses."""
    if request.native.dialect == NAME:
        outcome = Outcome()
        fields = dict(request.native.fields)
        fields.pop("idempotency_key", None)
        fields["messages"] = mend(fields["messages"], quirks, outcome)
        if request.searches or request.fetches:
            limit_lookups(fields, outcome)
    else:
        chat = request.chat()
        outcome = Outcome(chat.names, chat.lost)
        fields = translate(chat, quirks, outcome)
        fields["max_tokens"] = msgspec.Raw(b"%d" % request.max_tokens)
    if "{model}" in quirks.target:
        fields.pop("model", None)
    else:
        fields["model"] = to_raw(upstream_model)
    if request.is_streaming:
        fields["stream"] = TRUE
    _apply(quirks, fields, request, outcome)
    return Rendered(encoder.encode(fields), *outcome.both)


def _apply(quirks: Quirks, fields: RawFields, request: ChatRequest, outcome: Outcome) -> None:
    for name in quirks.drop:
        if fields.pop(name, None) is not None:
            outcome.drop_field(name)
    temperature = request.temperature
    if "temperature" in fields and temperature is not None and temperature < quirks.min_temperature:
        fields["temperature"] = to_raw(quirks.min_temperature)
        outcome.emulate_field("temperature")
    if "tool_choice" in fields and len(quirks.tool_choices) < len(FORMS):
        _limit_tool_choice(fields, quirks, outcome)
    if "output_config" in fields and (quirks.efforts or not quirks.json_schema):
        _limit_output(fields, quirks, outcome)
    fields.update(quirks.force)


def _limit_tool_choice(fields: RawFields, quirks: Quirks, outcome: Outcome) -> None:
    if FORMS.get(_choice_decoder.decode(fields["tool_choice"]).type) in quirks.tool_choices:
        return
    if "auto" in quirks.tool_choices:
        fields["tool_choice"] = AUTO
    else:
        del fields["tool_choice"]
    outcome.drop_field("tool_choice")


def _limit_output(fields: RawFields, quirks: Quirks, outcome: Outcome) -> None:
    """The nearest effort that the vendor takes (of two as near, the higher), and the schema in words if need be."""
    config = fields_decoder.decode(fields["output_config"])
    if quirks.efforts and head(config.get("effort", NULL)) == b'"':
        word = _word_decoder.decode(config["effort"])
        taken = [effort for effort in quirks.efforts if effort in EFFORTS]
        if word in EFFORTS and taken and word not in taken:
            wanted = EFFORTS.index(word)
            nearest = min(taken, key=lambda effort: (abs(EFFORTS.index(effort) - wanted), -EFFORTS.index(effort)))
            config["effort"] = to_raw(nearest)
            outcome.emulate_field("output_config.effort")
    if not quirks.json_schema and config.pop("format", None) is not None:
        schema = _format_decoder.decode(fields_decoder.decode(fields["output_config"])["format"]).schema
        fields["system"] = _with_instruction(fields.get("system"), say_schema(schema))
        outcome.emulate_field("output_config.format")
    if config:
        fields["output_config"] = to_raw(config)
    else:
        del fields["output_config"]


def _with_instruction(system: msgspec.Raw | None, words: str) -> msgspec.Raw:
    """The system prompt and one block more."""
    instruction = {"type": "text", "text": words}
    said = "" if system is None else _system_decoder.decode(system)
    if isinstance(said, str):
        return to_raw([{"type": "text", "text": said}, instruction] if said else words)
    return to_raw([*said, instruction])
