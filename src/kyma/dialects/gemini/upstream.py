"""A chat as a request body for the Gemini API: a customer's own Gemini request nearly to the byte, or translated."""

import msgspec

from kyma.core.chat import ChatRequest, Rendered
from kyma.core.model import Quirks
from kyma.dialects.gemini.conversation import as_list
from kyma.dialects.gemini.signatures import PLACEHOLDER, WRAPPED_START
from kyma.dialects.gemini.translate import translate
from kyma.dialects.gemini.wire import NAME, NULL, RawFields, encoder, fields_decoder, is_gemini_3, to_raw

FUNCTION_CALL = b'"functionCall"'
WRAPPED = b'"' + WRAPPED_START.encode()
SIGNATURE = "thoughtSignature"


_contents_decoder = msgspec.json.Decoder(list[RawFields] | RawFields)
_parts_decoder = msgspec.json.Decoder(list[RawFields] | RawFields)


def target(upstream_model: str, is_streaming: bool) -> str:
    """Path and query behind the provider's base path."""
    return f"/models/{upstream_model}:{'streamGenerateContent?alt=sse' if is_streaming else 'generateContent'}"


def render_request(request: ChatRequest, upstream_model: str, quirks: Quirks) -> Rendered:
    """The body to send. The model and whether to stream stand in the target, not here."""
    if request.native.dialect != NAME:
        return translate(request.chat(), upstream_model, quirks)
    fields = dict(request.native.fields)
    fields.pop("model", None)
    config = fields_decoder.decode(fields["generationConfig"]) if _has(fields, "generationConfig") else {}
    limit = msgspec.Raw(b"%d" % request.max_tokens)
    dropped = [name for name in quirks.drop if fields.pop(name, None) is not None]
    unwanted = [name for name in quirks.drop if config.pop(name, None) is not None]
    if quirks.n_must_be_one and request.n > 1:
        unwanted.append("candidateCount")
        del config["candidateCount"]
    if unwanted or config.get("maxOutputTokens") != limit:
        config["maxOutputTokens"] = limit
        fields["generationConfig"] = to_raw(config)
    emulated = _make_acceptable(fields, is_gemini_3(upstream_model))
    fields.update(quirks.force)
    dropped += [f"generationConfig.{name}" for name in unwanted]
    return Rendered(encoder.encode(fields), tuple(dropped), emulated)


def _has(fields: RawFields, name: str) -> bool:
    return name in fields and fields[name] != NULL


def _make_acceptable(fields: RawFields, needs_proof: bool) -> tuple[str, ...]:
    """Take foreign proofs of thought out of the history, and give calls of other models the placeholder.

    Only a history that another vendor's model had a part in is touched. Returns what is reported as emulated.
    """
    contents = bytes(memoryview(fields["contents"]))
    is_foreign = WRAPPED in contents
    if not is_foreign and not (needs_proof and FUNCTION_CALL in contents):
        return ()
    turns = as_list(_contents_decoder.decode(contents))
    touched = [_prove(turn, needs_proof) for turn in turns]
    if not any(touched):
        return ()
    fields["contents"] = to_raw(turns)
    return ("contents.parts.thoughtSignature",)


def _prove(turn: RawFields, needs_proof: bool) -> bool:
    """Whether the turn had to be changed; the first call of a turn is the one that needs the proof."""
    if "parts" not in turn or turn["parts"] == NULL:
        return False
    parts = as_list(_parts_decoder.decode(turn["parts"]))
    is_changed = False
    for part in parts:
        if memoryview(part.get(SIGNATURE, NULL))[: len(WRAPPED)] == WRAPPED:
            del part[SIGNATURE]
            is_changed = True
    first_call = next((part for part in parts if "functionCall" in part), None)
    if needs_proof and first_call is not None and SIGNATURE not in first_call:
        first_call[SIGNATURE] = to_raw(PLACEHOLDER)
        is_changed = True
    if is_changed:
        turn["parts"] = to_raw([part for part in parts if not _is_empty_text(part)])
    return is_changed


def _is_empty_text(part: RawFields) -> bool:
    """What is left of a part that held nothing but a proof."""
    return part.keys() <= {"text", "thought"} and part.get("text") == msgspec.Raw(b'""')
