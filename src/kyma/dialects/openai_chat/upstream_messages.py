"""Messages rewritten for a vendor that takes fewer forms than the dialect has. Others keep theirs to the byte."""

import msgspec

from kyma.core.chat import Role
from kyma.core.model import Quirks
from kyma.dialects.openai_chat.wire import NULL, RawFields, head, to_raw

SYSTEM, DEVELOPER, TOOL, ASSISTANT = (
    msgspec.Raw(b'"%s"' % role) for role in (b"system", b"developer", b"tool", b"assistant")
)
REASONING_FIELDS = ("reasoning_content", "reasoning")
EMPTY = msgspec.Raw(b'""')

_parts_decoder = msgspec.json.Decoder(list[RawFields])
_text_decoder = msgspec.json.Decoder(str)


class _Form(msgspec.Struct):
    """What of a message decides whether a vendor takes it as it is."""

    role: str
    name: str | None = None
    reasoning_content: str | None = None


_forms_decoder = msgspec.json.Decoder(list[_Form])


def needs_rewriting(messages: msgspec.Raw, roles: frozenset[Role], quirks: Quirks) -> bool:
    """Whether any message has a form that the vendor does not take."""
    if "developer" in roles and not quirks.roles_developer:
        return True
    if not quirks.limits_messages:
        return False
    system_count = 0
    for message in _forms_decoder.decode(messages):
        match message.role:
            case "system" | "developer":
                system_count += 1
            case "tool" if quirks.string_tool_content:
                return True
            case "assistant" if quirks.reasoning_required or _moves_reasoning(message, quirks):
                return True
        if message.name is not None and "name" in quirks.drop_message_fields:
            return True
    return (quirks.single_system and system_count > 1) or (bool(quirks.default_system) and not system_count)


def rewrite(messages: list[RawFields], quirks: Quirks, instruction: str = "") -> list[RawFields]:
    """The messages as the vendor takes them; `instruction` joins the system message."""
    for message in messages:
        _rewrite_one(message, quirks)
    systems = [message for message in messages if message["role"] == SYSTEM]
    if instruction:
        systems.append({"role": SYSTEM, "content": to_raw(instruction)})
    elif quirks.default_system and not systems:
        systems.append({"role": SYSTEM, "content": to_raw(quirks.default_system)})
    elif not quirks.single_system:
        return messages
    rest = [message for message in messages if message["role"] != SYSTEM]
    if len(systems) == 1:
        return [*systems, *rest]
    joined = "\n\n".join(_text(message.get("content", EMPTY)) for message in systems)
    return [{"role": SYSTEM, "content": to_raw(joined)}, *rest]


def _moves_reasoning(message: _Form, quirks: Quirks) -> bool:
    return quirks.reasoning_field != "reasoning_content" and bool(message.reasoning_content)


def _rewrite_one(message: RawFields, quirks: Quirks) -> None:
    role = message["role"]
    if role == DEVELOPER and not quirks.roles_developer:
        message["role"] = SYSTEM
    for name in quirks.drop_message_fields:
        message.pop(name, None)
    content = message.get("content", NULL)
    if role == TOOL and quirks.string_tool_content and head(content) == b"[":
        message["content"] = to_raw(_joined_text(content))
    if role == ASSISTANT:
        given = [message.pop(name) for name in REASONING_FIELDS if name in message]
        thought = next((raw for raw in given if raw != NULL), None)
        if thought is not None or quirks.reasoning_required:
            message[quirks.reasoning_field] = thought or EMPTY


def _text(content: msgspec.Raw) -> str:
    if head(content) == b'"':
        return _text_decoder.decode(content)
    return _joined_text(content) if head(content) == b"[" else ""


def _joined_text(content: msgspec.Raw) -> str:
    parts = _parts_decoder.decode(content)
    return "\n".join(_text_decoder.decode(part["text"]) for part in parts if "text" in part)
