"""A chat as a request body for a vendor that speaks OpenAI chat, its quirks applied."""

from functools import lru_cache

import msgspec

from kyma.core.chat import ChatRequest, Rendered
from kyma.core.model import Quirks
from kyma.dialects.openai_chat.translate import translate
from kyma.dialects.openai_chat.upstream_messages import needs_rewriting, rewrite
from kyma.dialects.openai_chat.wire import NAME, RawFields, encoder, head, to_raw

REPLACED = ("idempotency_key", "max_tokens", "max_completion_tokens", "stream_options")
"""Fields that are Kyma's own, or that it writes itself."""

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""Every value of `reasoning_effort`, weakest first."""

INCLUDE_USAGE = msgspec.Raw(b'{"include_usage":true}')
JSON_OBJECT = msgspec.Raw(b'{"type":"json_object"}')
AUTO = msgspec.Raw(b'"auto"')
TRUE = msgspec.Raw(b"true")


class WireSchemaFormat(msgspec.Struct):
    schema: msgspec.Raw = msgspec.Raw(b"{}")


class WireResponseFormat(msgspec.Struct):
    type: str = "text"
    json_schema: WireSchemaFormat | None = None


_messages_decoder = msgspec.json.Decoder(list[RawFields])
_word_decoder = msgspec.json.Decoder(str)
_format_decoder = msgspec.json.Decoder(WireResponseFormat)


def target(upstream_model: str, is_streaming: bool) -> str:
    """Path and query behind the provider's base path."""
    return "/chat/completions"


def render_request(request: ChatRequest, upstream_model: str, quirks: Quirks) -> Rendered:
    """The body to send. Usage is always asked for; what the vendor refuses is left out or said another way."""
    if request.native.dialect == NAME:
        fields = dict(request.native.fields)
        for name in REPLACED:
            fields.pop(name, None)
        body, dropped, emulated = _finish(fields, request, upstream_model, quirks)
        return Rendered(body, tuple(dropped), tuple(emulated))
    told = translate(request.chat(), returns_reasoning=quirks.reasoning_required)
    body, dropped, emulated = _finish(told.fields, request, upstream_model, quirks)
    for name in dropped:
        told.dropped[told.paths.get(name, name)] = None
    for name in emulated:
        told.emulated[told.paths.get(name, name)] = None
    return Rendered(body, *told.both)


def _finish(
    fields: RawFields, request: ChatRequest, upstream_model: str, quirks: Quirks
) -> tuple[bytes, list[str], list[str]]:
    """Fields as this vendor takes them, then which of them are left out for that, and which said another way."""
    dropped = [name for name in quirks.drop if fields.pop(name, None) is not None]
    emulated: list[str] = []
    fields["model"] = _name(upstream_model)
    fields[quirks.max_tokens_field] = msgspec.Raw(b"%d" % request.max_tokens)
    if request.is_streaming:
        fields["stream"] = TRUE
        if quirks.stream_options:
            fields["stream_options"] = INCLUDE_USAGE
    if quirks.n_must_be_one and fields.pop("n", None) is not None and request.n > 1:
        dropped.append("n")
    if quirks.min_temperature and request.temperature is not None and request.temperature < quirks.min_temperature:
        fields["temperature"] = to_raw(quirks.min_temperature)
        emulated.append("temperature")
    if "tool_choice" in fields and _limit_tool_choice(fields, quirks):
        dropped.append("tool_choice")
    if quirks.efforts and "reasoning_effort" in fields and _limit_effort(fields, quirks):
        emulated.append("reasoning_effort")
    instruction = "" if quirks.json_schema or "response_format" not in fields else _say_schema(fields)
    if instruction:
        emulated.append("response_format")
    if instruction or needs_rewriting(fields["messages"], request.roles, quirks):
        messages = _messages_decoder.decode(fields["messages"])
        dropped += [f"messages.{name}" for name in quirks.drop_message_fields if any(name in said for said in messages)]
        fields["messages"] = to_raw(rewrite(messages, quirks, instruction))
    fields.update(quirks.force)
    return encoder.encode(fields), dropped, emulated


@lru_cache(maxsize=1024)
def _name(upstream_model: str) -> msgspec.Raw:
    return to_raw(upstream_model)


def _limit_tool_choice(fields: RawFields, quirks: Quirks) -> bool:
    """Whether what was asked for had to give way."""
    raw = fields["tool_choice"]
    form = _word_decoder.decode(raw) if head(raw) == b'"' else "named"
    if form in quirks.tool_choices or head(raw) == b"n":
        return False
    if "auto" in quirks.tool_choices:
        fields["tool_choice"] = AUTO
    else:
        del fields["tool_choice"]
    return form != "auto"


def _limit_effort(fields: RawFields, quirks: Quirks) -> bool:
    """The nearest effort that the vendor takes; of two as near, the higher. Whether that is another one."""
    if head(fields["reasoning_effort"]) != b'"':
        return False
    word = _word_decoder.decode(fields["reasoning_effort"])
    if word in quirks.efforts or word not in EFFORTS:
        return False
    wanted = EFFORTS.index(word)
    nearest = min(quirks.efforts, key=lambda taken: (abs(EFFORTS.index(taken) - wanted), -EFFORTS.index(taken)))
    fields["reasoning_effort"] = to_raw(nearest)
    return True


def _say_schema(fields: RawFields) -> str:
    """Ask for a JSON object instead of a schema; returns the words that tell the model the schema."""
    try:
        wanted = _format_decoder.decode(fields["response_format"])
    except msgspec.DecodeError:
        return ""
    if wanted.type != "json_schema":
        return ""
    fields["response_format"] = JSON_OBJECT
    schema = bytes(wanted.json_schema.schema).decode() if wanted.json_schema else "{}"
    return f"Answer with one JSON object, and nothing else, that is valid under this JSON schema:\n{schema}"
