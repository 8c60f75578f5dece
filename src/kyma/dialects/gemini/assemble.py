"""A streamed GenerateContentResponse put together again.

What stands beside the content is said anew by later pieces, and the last one holds. Source: Google's own SDK for the
web, `aggregateResponses`, November 2026.
"""

import msgspec

from kyma.core.chat import ChatRequest, Native
from kyma.dialects.assemble import Assembler, Draft, natives_of, outer_of
from kyma.dialects.gemini.response import PROMPT_FEEDBACK
from kyma.dialects.gemini.wire import EMPTY, NAME, NULL, fields_decoder, to_raw

WHOLE_ONLY = ("responseLogprobs", "responseModalities", "speechConfig")
"""Of the settings, those that bring what cannot be joined: each piece has the probabilities of its own tokens, and
sound comes in pieces where a whole answer has one."""

ASKS_FOR_NOTHING = (*EMPTY, msgspec.Raw(b"false"), msgspec.Raw(b'["TEXT"]'))

_list_decoder = msgspec.json.Decoder(list[msgspec.Raw])


class PieceAssembler(Assembler):
    """Parts that only this dialect knows stand behind the others, as in whole answers."""

    __slots__ = ()

    @staticmethod
    def can_tell(request: ChatRequest) -> bool:
        raw = request.native.fields.get("generationConfig", NULL)
        if raw == NULL:
            return True
        config = fields_decoder.decode(raw)
        return all(config.get(name, NULL) in ASKS_FOR_NOTHING for name in WHOLE_ONLY)

    def _natives(self, draft: Draft) -> tuple[Native | None, Native | None]:
        fields: dict[str, msgspec.Raw] = {}
        parts: list[msgspec.Raw] = []
        for native in natives_of(draft):
            if PROMPT_FEEDBACK in native.delta:
                fields[PROMPT_FEEDBACK] = native.delta[PROMPT_FEEDBACK]
            if "parts" in native.delta:
                parts += _list_decoder.decode(native.delta["parts"])
        if parts:
            fields["parts"] = to_raw(parts)
        outer = outer_of(draft)
        return Native(NAME, fields) if fields else None, Native(NAME, outer) if outer else None
