"""Answers that need no translation: a vendor's candidates that a customer of this dialect may be given as they came.

They hold only members that we know, none of which can name the vendor, and say nothing that we would say differently.
"""

from functools import partial
from typing import Literal

import msgspec

from kyma.core.answer import Relay
from kyma.dialects.gemini.candidates import read_candidates
from kyma.dialects.gemini.wire import NAME, NULL


class CleanCall(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    id: str
    args: dict[str, msgspec.Raw] = {}


class CleanPart(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    text: str | None = None
    thought: bool = False
    thought_signature: str | None = None
    function_call: CleanCall | None = None


class CleanContent(msgspec.Struct, forbid_unknown_fields=True):
    role: Literal["model"]
    parts: list[CleanPart] = []


class CleanCandidate(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    content: CleanContent
    finish_reason: Literal["STOP", "MAX_TOKENS", "SAFETY", "RECITATION"]
    index: int
    safety_ratings: msgspec.Raw = NULL
    avg_logprobs: msgspec.Raw = NULL
    logprobs_result: msgspec.Raw = NULL
    citation_metadata: msgspec.Raw = NULL
    grounding_metadata: msgspec.Raw = NULL
    url_context_metadata: msgspec.Raw = NULL
    token_count: msgspec.Raw = NULL


_decoder = msgspec.json.Decoder(list[CleanCandidate])


def relay(raw: msgspec.Raw, response_id: str) -> Relay | None:
    """Candidates to be given back as they came; None if anything about them is out of the ordinary.

    Calls without an id are: our customers are given ids.
    """
    try:
        candidates = _decoder.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    is_blank = all(map(_is_blank, candidates))
    return Relay(NAME, raw, is_blank, partial(read_candidates, raw, response_id)) if candidates else None


def _is_blank(candidate: CleanCandidate) -> bool:
    if candidate.finish_reason != "STOP":
        return False
    return all(
        part.function_call is None and not (part.text and not part.text.isspace()) for part in candidate.content.parts
    )
