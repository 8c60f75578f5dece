"""Requests in snake_case, which Google takes too, as the camelCase that the rest of this package reads."""

import re

import msgspec

from kyma.dialects.gemini.wire import RawFields, encoder, fields_decoder, head
from kyma.dialects.json_input import decode_body

OPAQUE = frozenset(
    {
        "args",
        "labels",
        "parameters",
        "parametersJsonSchema",
        "partMetadata",
        "response",
        "responseJsonSchema",
        "responseSchema",
    }
)
"""Members whose insides are the customer's own and keep their names."""

_KNOWN = re.compile(
    rb'"(?:system_instruction|generation_config|tool_config|safety_settings|cached_content|service_tier'
    rb"|continuation_token|generate_content_request|inline_data|file_data|mime_type|file_uri|display_name"
    rb"|function_call|function_response|function_declarations|function_calling_config|thought_signature"
    rb"|parameters_json_schema|response_json_schema|executable_code|code_execution|code_execution_result"
    rb"|google_search|google_search_retrieval|google_maps|url_context|file_search|computer_use|mcp_servers"
    rb"|tool_call|tool_response|video_metadata|media_resolution|part_metadata|allowed_function_names"
    rb"|max_output_tokens|top_p|top_k|candidate_count|stop_sequences|presence_penalty|frequency_penalty"
    rb"|response_mime_type|response_schema|response_logprobs|response_modalities|speech_config|image_config"
    rb'|thinking_config|include_thoughts|thinking_budget|thinking_level)"\s*:'
)
_list_decoder = msgspec.json.Decoder(list[msgspec.Raw])


def camel_cased(body: bytes) -> bytes:
    """The body with its own words in camelCase; one that has them so already is given back as it is.

    Raises: InvalidRequest for what is no JSON object or too deep.
    """
    if b"_" not in body or _KNOWN.search(body) is None:
        return body
    return encoder.encode(_renamed(decode_body(fields_decoder, body)))


def _renamed(fields: RawFields) -> RawFields:
    renamed = {}
    for name, raw in fields.items():
        camel = _camel(name)
        renamed[camel] = raw if camel in OPAQUE else _inside(raw)
    return renamed


def _inside(raw: msgspec.Raw) -> msgspec.Raw:
    match head(raw):
        case b"{":
            return msgspec.Raw(encoder.encode(_renamed(fields_decoder.decode(raw))))
        case b"[":
            return msgspec.Raw(encoder.encode([_inside(item) for item in _list_decoder.decode(raw)]))
    return raw


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)
