"""Messages of this dialect made fit for a vendor of it, when an answer from elsewhere stands among them.

A customer whose turns were served by other vendors holds thoughts that are not signed for this dialect and tool ids
that it does not allow: the one would be refused as forged, the other as malformed. All else is kept to the byte.
"""

import re
from hashlib import sha256

import msgspec

from kyma.core.model import Quirks
from kyma.dialects.anthropic_messages.outcome import Outcome
from kyma.dialects.anthropic_messages.proofs import is_ours
from kyma.dialects.anthropic_messages.wire import RawFields, encoder, fields_decoder, to_raw

USER = msgspec.Raw(b'"user"')

_FORBIDDEN = re.compile(r"[^a-zA-Z0-9_-]|^$")


class WireForm(msgspec.Struct, gc=False):
    """What of a block decides whether a vendor takes it as it is."""

    type: str
    signature: str | None = None
    data: str | None = None
    id: str | None = None
    tool_use_id: str | None = None


class WireContent(msgspec.Struct, gc=False):
    role: str
    content: str | list[WireForm]


_forms_decoder = msgspec.json.Decoder(list[WireContent])
_content_decoder = msgspec.json.Decoder(str | list[RawFields])
_text_decoder = msgspec.json.Decoder(str)
_raws_decoder = msgspec.json.Decoder(list[msgspec.Raw])


def mend(messages: msgspec.Raw, quirks: Quirks, outcome: Outcome) -> msgspec.Raw:
    """The messages as they came, unless something in them must not be sent."""
    view = bytes(messages)
    if b"thinking" not in view and b'"tool_use' not in view and not (quirks.single_system and b'"system"' in view):
        return messages
    forms = _forms_decoder.decode(messages)
    if not any(_is_wrong(form, quirks) for form in forms):
        return messages
    mended: list[msgspec.Raw | RawFields] = []
    waiting: list[RawFields] = []
    for form, raw in zip(forms, _raws_decoder.decode(messages), strict=True):
        if form.role == "system" and quirks.single_system:
            outcome.emulate_field("messages.role")
            waiting.append(_as_user(fields_decoder.decode(raw)))
            continue
        if form.role == "assistant":
            _move(waiting, mended)
        if isinstance(form.content, str) or not _is_wrong(form, quirks):
            mended.append(raw)
        else:
            message = fields_decoder.decode(raw)
            if content := _mend_blocks(form.content, _raws_decoder.decode(message["content"]), quirks, outcome):
                mended.append({**message, "content": to_raw(content)})
        _move(waiting, mended)
    _move(waiting, mended)
    return msgspec.Raw(encoder.encode(mended))


def as_system(text: str) -> str:
    """Words of the system for a vendor that takes them only at the start."""
    return f"<system>\n{text}\n</system>"


def tool_id(wanted: str) -> str:
    """A tool call's id in the letters that this dialect allows; a call and its result share it with no other."""
    allowed = _FORBIDDEN.sub("_", wanted)
    return allowed if allowed == wanted else f"{allowed}_{sha256(wanted.encode()).hexdigest()[:8]}"


def _move(waiting: list[RawFields], mended: list[msgspec.Raw | RawFields]) -> None:
    mended.extend(waiting)
    waiting.clear()


def _is_wrong(message: WireContent, quirks: Quirks) -> bool:
    if message.role == "system" and quirks.single_system:
        return True
    blocks = () if isinstance(message.content, str) else message.content
    return any(_is_foreign(form, quirks) or _has_bad_id(form) for form in blocks)


def _as_user(message: RawFields) -> RawFields:
    """What the system says in the middle, as marked text behind the user's turn: results must come first in it."""
    content: str | list[RawFields] = _content_decoder.decode(message["content"])
    if isinstance(content, str):
        said = to_raw(as_system(content))
    else:
        said = to_raw([block | {"text": to_raw(as_system(_text_decoder.decode(block["text"])))} for block in content])
    return {"role": USER, "content": said}


def _is_foreign(form: WireForm, quirks: Quirks) -> bool:
    """A thought that the vendor would not know as its own. One that wants thoughts back takes unsigned ones too."""
    if form.type == "thinking":
        return not is_ours(form.signature) and not (quirks.reasoning_required and not form.signature)
    return form.type == "redacted_thinking" and not is_ours(form.data)


def _has_bad_id(form: WireForm) -> bool:
    if form.type not in ("tool_use", "tool_result"):
        return False
    return any(name is not None and _FORBIDDEN.search(name) for name in (form.id, form.tool_use_id))


def _mend_blocks(
    forms: list[WireForm], raws: list[msgspec.Raw], quirks: Quirks, outcome: Outcome
) -> list[msgspec.Raw | RawFields]:
    kept: list[msgspec.Raw | RawFields] = []
    for form, raw in zip(forms, raws, strict=True):
        if _is_foreign(form, quirks):
            outcome.drop_field(f"messages.content.{form.type}")
        elif _has_bad_id(form):
            block = fields_decoder.decode(raw)
            for name in ("id", "tool_use_id"):
                if name in block:
                    block[name] = to_raw(tool_id(getattr(form, name) or ""))
            kept.append(block)
        else:
            kept.append(raw)
    return kept
