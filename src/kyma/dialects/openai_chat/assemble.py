"""A streamed chat completion put together again."""

import msgspec

from kyma.core.chat import AnswerPart, ChatRequest, Native, RefusalPart, TextPart, ThinkingPart
from kyma.dialects.assemble import Assembler, Draft, natives_of, outer_of
from kyma.dialects.openai_chat.wire import NAME, NULL, RawFields, head, to_raw

WHOLE_ONLY = (
    *("logprobs", "audio", "modalities", "functions"),
    *("reasoning", "include_reasoning", "reasoning_split"),
)
"""Fields that bring what vendors stream in pieces of more than one make, which cannot be joined without knowing whose:
probabilities (Together streams a number where OpenAI has a list), sound, the old form of calls, and reasoning details
(MiniMax repeats in each piece all that came before it). Source: vendors' pages and clients, November 2026."""

ASKS_FOR_NOTHING = (NULL, msgspec.Raw(b"false"), msgspec.Raw(b'["text"]'), msgspec.Raw(b"[]"))
ORDER = (ThinkingPart, TextPart, RefusalPart)

_list_decoder = msgspec.json.Decoder(list[msgspec.Raw])


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
        outer = outer_of(draft)
        return Native(NAME, fields) if fields else None, Native(NAME, outer) if outer else None


def _joined(before: msgspec.Raw, more: msgspec.Raw) -> msgspec.Raw:
    """Lists grow, as annotations do; of anything else the last word holds."""
    if head(before) != b"[" or head(more) != b"[":
        return more
    return to_raw(_list_decoder.decode(before) + _list_decoder.decode(more))
