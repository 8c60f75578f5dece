"""A streamed chat completion put together again."""

from typing import Any

import msgspec

from kyma.core.chat import AnswerPart, ChatRequest, Native, RefusalPart, TextPart, ThinkingPart
from kyma.dialects.assemble import Assembler, Draft, natives_of, outer_of
from kyma.dialects.openai_chat.wire import NAME, NULL, RawFields, head, to_raw

WHOLE_ONLY = ("logprobs", "audio", "modalities", "functions", "reasoning_split")
"""Fields that bring what vendors stream in pieces of more than one make, which cannot be joined without knowing whose:
probabilities (Together streams a number where OpenAI has a list), sound, the old form of calls, and MiniMax's details
of reasoning, of which each piece may repeat all before it. Source: vendors' pages and clients, November 2026."""

DETAILS = "reasoning_details"
"""In streams, fragments: those of one index and type in a row are one detail. Source: OpenRouter's page on reasoning
tokens and its own SDK, November 2026."""

ASKS_FOR_NOTHING = (NULL, msgspec.Raw(b"false"), msgspec.Raw(b'["text"]'), msgspec.Raw(b"[]"))
ORDER = (ThinkingPart, TextPart, RefusalPart)

_list_decoder = msgspec.json.Decoder(list[msgspec.Raw])
_details_decoder = msgspec.json.Decoder(list[Any])


class ChatAssembler(Assembler):
    """A message has one text, one thought and one refusal, however they were interleaved."""

    __slots__ = ()

    @staticmethod
    def can_tell(request: ChatRequest) -> bool:
        fields = request.native.fields
        return all(fields.get(name, NULL) in ASKS_FOR_NOTHING for name in WHOLE_ONLY)

    def _parts(self, draft: Draft) -> tuple[AnswerPart, ...]:
        found = super()._parts(draft)
        parts: list[AnswerPart] = []
        for kind in ORDER:
            if text := "".join([part.text for part in found if isinstance(part, kind)]):
                parts.append(kind(text))
        return (*parts, *(part for part in found if not isinstance(part, ORDER)))

    def _natives(self, draft: Draft) -> tuple[Native | None, Native | None]:
        fields: RawFields = {}
        for native in natives_of(draft):
            for name, raw in native.delta.items():
                fields[name] = _joined(fields[name], raw) if name in fields else raw
        if DETAILS in fields and head(fields[DETAILS]) == b"[":
            fields[DETAILS] = to_raw(_details(_details_decoder.decode(fields[DETAILS])))
        outer = outer_of(draft)
        return Native(NAME, fields) if fields else None, Native(NAME, outer) if outer else None


def _details(fragments: list[Any]) -> list[Any]:
    """Fragments as the details they belong to; whatever is none stays as it is."""
    details: list[Any] = []
    for fragment in fragments:
        last = details[-1] if details else None
        if not (isinstance(fragment, dict) and isinstance(last, dict) and _place(fragment) == _place(last)):
            details.append(fragment)
            continue
        for name, value in fragment.items():
            if name in ("text", "summary") and isinstance(value, str):
                last[name] = (last.get(name) or "") + value
            elif value is not None:
                last[name] = value
    return details


def _place(detail: dict[str, Any]) -> tuple[object, ...]:
    """Where text of it goes on; what is encrypted stands alone."""
    kind = detail.get("type")
    return (detail.get("index"), kind) if kind in ("reasoning.text", "reasoning.summary") else (id(detail),)


def _joined(before: msgspec.Raw, more: msgspec.Raw) -> msgspec.Raw:
    """Lists grow, as annotations do; of anything else the last word holds."""
    if head(before) != b"[" or head(more) != b"[":
        return more
    return to_raw(_list_decoder.decode(before) + _list_decoder.decode(more))
