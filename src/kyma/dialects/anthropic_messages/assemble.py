"""A streamed message put together again, block by block.

How deltas add up is Anthropic's own way in its SDK. Source: anthropic-python 2.12, `accumulate_event`.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from kyma.core.answer import ChatResponse, NativeDelta, Relay
from kyma.core.chat import AnswerPart, Native, NativePart
from kyma.dialects.anthropic_messages.content import as_object, render_blocks
from kyma.dialects.anthropic_messages.response import write_choice
from kyma.dialects.anthropic_messages.wire import NAME, NULL, RawFields, encoder, fields_decoder, head, to_raw
from kyma.dialects.assemble import Assembler, Draft, Piece, outer_of

BLOCK, DELTA, CALL = "content_block", "delta", "call"
"""What a `NativeDelta` of this dialect holds: a block that only it knows, more of one, members of a call to come."""

_text_decoder = msgspec.json.Decoder(str | None)
_list_decoder = msgspec.json.Decoder(list[msgspec.Raw])


class MessageAssembler(Assembler):
    """One run of pieces is one block.

    Citations, and what a call says of itself besides its name and input, have no place in Kyma's parts: an answer with
    any becomes a `Relay`, which customers of this dialect are given as it is.
    """

    __slots__ = ()

    @property
    def response(self) -> ChatResponse:
        response, draft = super().response, self._drafts.get(0)
        if draft is None or not any(map(_more, draft.runs)):
            return response
        choices = response.choices
        content = [block for run in draft.runs for block in _blocks(run)]
        raw = msgspec.Raw(write_choice(choices[0], content))
        return ChatResponse(Relay(NAME, raw, False, lambda: choices), response.report)

    def _parts(self, draft: Draft) -> tuple[AnswerPart, ...]:
        return tuple([part for run in draft.runs for part in _parts(run)])

    def _natives(self, draft: Draft) -> tuple[Native | None, Native | None]:
        outer = outer_of(draft)
        return None, Native(NAME, outer) if outer else None


def _parts(run: list[Piece]) -> Iterator[AnswerPart]:
    for piece in run:
        if _is_block(piece):
            fields = _grown(fields_decoder.decode(piece.natives[0].delta[BLOCK]), piece.natives[1:])
            yield NativePart(NAME, _text_decoder.decode(fields["type"]) or "", to_raw(fields))
        elif (part := piece.part) is not None:
            yield part


def _is_block(piece: Piece) -> bool:
    return isinstance(piece.opening, NativeDelta) and BLOCK in piece.opening.delta


def _more(run: list[Piece]) -> list[NativeDelta]:
    """What was said natively of a block that Kyma has a word for."""
    pieces = [piece for piece in run if not _is_block(piece)]
    return [native for piece in pieces for native in piece.natives if native.delta]


def _blocks(run: list[Piece]) -> list[Any]:
    """The blocks of a run, of which the last is the one that more was said of."""
    blocks, more = render_blocks(tuple(_parts(run))), _more(run)
    if more and blocks:
        fields = fields_decoder.decode(encoder.encode(blocks[-1]))
        for native in more:
            if CALL in native.delta:
                fields |= fields_decoder.decode(native.delta[CALL])
        blocks[-1] = _grown(fields, more)
    return blocks


def _grown(fields: RawFields, natives: Iterable[NativeDelta]) -> RawFields:
    """A block with the deltas that came after its start."""
    written = ""
    for native in natives:
        if DELTA not in native.delta:
            continue
        for name, raw in fields_decoder.decode(native.delta[DELTA]).items():
            if name == "partial_json":
                written += _text_decoder.decode(raw) or ""
            elif name == "citation":
                cited = fields.get("citations", NULL)
                fields["citations"] = to_raw([*(() if cited == NULL else _list_decoder.decode(cited)), raw])
            elif name != "type":
                fields[name] = _added(fields.get(name, NULL), raw)
    if written and (said := as_object(written)) is not None:
        fields["input"] = said
    return fields


def _added(before: msgspec.Raw, more: msgspec.Raw) -> msgspec.Raw:
    """Text adds to text; of anything else the last word holds."""
    if head(before) == head(more) == b'"':
        return to_raw(f"{_text_decoder.decode(before)}{_text_decoder.decode(more)}")
    return more
