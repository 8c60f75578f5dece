"""Customers' generateContent requests: what is read, what is refused, what travels on unchanged, what is reported."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kyma.core.chat import (
    AudioPart,
    Chat,
    FilePart,
    ImagePart,
    NativePart,
    OutputFormat,
    Reasoning,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolChoice,
    ToolResultPart,
)
from kyma.core.errors import InvalidRequest
from kyma.core.model import Quirks
from kyma.dialects.gemini import parse_count, parse_request, render_count, render_request, target
from kyma.dialects.gemini.signatures import PLACEHOLDER, wrap

USER = {"role": "user", "parts": [{"text": "hi"}]}
Fields = dict[str, Any]


def body(**fields: Any) -> bytes:
    return json.dumps({"contents": [USER], **fields}, separators=(",", ":")).encode()


def read(**fields: Any) -> Chat:
    return parse_request(body(**fields), "m", is_streaming=False).chat()


def sent(model: str = "gemini-2.5-flash", quirks: Quirks | None = None, **fields: Any) -> Fields:
    """What an upstream of the same dialect gets for a request with these fields."""
    rendered = render_request(parse_request(body(**fields), "m", is_streaming=False), model, quirks or Quirks())
    result: Fields = json.loads(rendered.body)
    return result


def turns(*contents: tuple[str, list[Fields]]) -> list[Fields]:
    return [{"role": role, "parts": parts} for role, parts in contents]


def test_model_and_streaming_come_from_the_path() -> None:
    request = parse_request(body(), "fast", is_streaming=True)
    assert (request.model, request.is_streaming) == ("fast", True)


def test_max_tokens_default_to_4096_and_are_sent() -> None:
    assert parse_request(body(), "m", is_streaming=False).max_tokens == 4096
    assert sent()["generationConfig"] == {"maxOutputTokens": 4096}


def test_an_own_upstream_gets_the_fields_to_the_byte() -> None:
    raw = body(
        generationConfig={"maxOutputTokens": 9, "speechConfig": {"x": 1.50}},
        safetySettings=[{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}],
        novel={"a": [1, 2.5, None]},
    )
    assert render_request(parse_request(raw, "m", is_streaming=False), "gemini-2.5-flash", Quirks()).body == raw


def test_a_model_in_the_body_is_not_sent() -> None:
    raw = body()[:-1] + b',"model":"models/x"}'
    rendered = render_request(parse_request(raw, "m", is_streaming=False), "gemini-2.5-flash", Quirks())
    assert b"models/x" not in rendered.body


def test_the_target_names_the_model_and_the_way() -> None:
    assert target("gemini-3-flash", is_streaming=False) == "/models/gemini-3-flash:generateContent"
    assert target("gemini-3-flash", is_streaming=True) == "/models/gemini-3-flash:streamGenerateContent?alt=sse"


def test_what_a_row_drops_is_reported() -> None:
    request = parse_request(body(labels={"a": "b"}, generationConfig={"seed": 1}), "m", is_streaming=False)
    rendered = render_request(request, "gemini-2.5-flash", Quirks(drop=("labels", "seed")))
    assert rendered.dropped == ("labels", "generationConfig.seed")
    assert json.loads(rendered.body) == {"contents": [USER], "generationConfig": {"maxOutputTokens": 4096}}


def test_snake_case_reads_like_camel_case_and_leaves_the_customers_own_names() -> None:
    raw = body(
        contents=[{"parts": {"inline_data": {"mime_type": "image/png", "data": "AAAA"}}}],
        system_instruction={"parts": {"text": "be brief"}},
        generation_config={"max_output_tokens": 7, "stop_sequences": ["x"]},
        tools={"function_declarations": {"name": "f", "parameters": {"properties": {"file_path": {"type": "STRING"}}}}},
    )
    request = parse_request(raw, "m", is_streaming=False)
    chat = request.chat()
    assert (request.max_tokens, chat.stop, request.image_count) == (7, ("x",), 1)
    assert chat.messages[0].parts == (TextPart("be brief"),)
    assert chat.messages[1].parts == (ImagePart("data:image/png;base64,AAAA"),)
    schema = chat.tools[0].parameters
    assert schema is not None
    assert json.loads(bytes(schema)) == {"properties": {"file_path": {"type": "string"}}}


def test_every_kind_of_part_is_read() -> None:
    chat = read(
        contents=turns(
            (
                "user",
                [
                    {"text": "look"},
                    {"inlineData": {"mimeType": "image/png", "data": "-_A="}},
                    {"inlineData": {"mimeType": "audio/mpeg", "data": "BBBB"}},
                    {"inlineData": {"mimeType": "application/pdf", "data": "CCCC", "displayName": "a.pdf"}},
                    {"fileData": {"mimeType": "image/jpeg", "fileUri": "https://x.test/a.jpg"}},
                    {"fileData": {"fileUri": "https://x.test/a.pdf"}},
                    {"fileData": {"mimeType": "video/mp4", "fileUri": "https://x.test/a.mp4"}},
                ],
            )
        )
    )
    *known, native = chat.messages[0].parts
    assert known == [
        TextPart("look"),
        ImagePart("data:image/png;base64,+/A="),
        AudioPart("BBBB", "mp3"),
        FilePart("data:application/pdf;base64,CCCC", None, "a.pdf"),
        ImagePart("https://x.test/a.jpg"),
        FilePart(None, None, None, url="https://x.test/a.pdf"),
    ]
    assert isinstance(native, NativePart)
    assert chat.lost == ("contents.parts.fileData",)


def test_thoughts_are_gathered_up_to_their_signature() -> None:
    chat = read(
        contents=turns(
            (
                "model",
                [
                    {"text": "hm", "thought": True},
                    {"text": "!", "thought": True},
                    {"text": "", "thoughtSignature": "c2ln"},
                    {"text": "yes"},
                    {"text": "", "thoughtSignature": wrap("ab+/=", "anthropic_messages")},
                    {"text": "", "thoughtSignature": wrap("xyz", "anthropic_messages", is_redacted=True)},
                ],
            )
        )
    )
    assert chat.messages[0].parts == (
        ThinkingPart("hm!", "c2ln", "gemini"),
        TextPart("yes"),
        ThinkingPart("", "ab+/=", "anthropic_messages"),
        ThinkingPart("", origin="anthropic_messages", redacted="xyz"),
    )


def test_a_wrapped_signature_is_base64_and_survives_either_alphabet() -> None:
    carried = wrap("é??>>~~ü", "anthropic_messages")
    standard = carried.replace("-", "+").replace("_", "/").rstrip("=")
    assert carried != standard
    part = {"text": "", "thoughtSignature": standard}
    chat = read(contents=turns(("model", [part])))
    assert chat.messages[0].parts == (ThinkingPart("", "é??>>~~ü", "anthropic_messages"),)


def test_calls_without_ids_are_given_stable_ones_that_results_find_by_name_and_order() -> None:
    call, other = {"functionCall": {"name": "f", "args": {"x": 1}}}, {"functionCall": {"name": "g"}}
    chat = read(
        contents=turns(
            ("model", [{**call, "thoughtSignature": "c2ln"}, call, other]),
            (
                "user",
                [
                    {"functionResponse": {"name": "g", "response": {"error": "no"}}},
                    {"functionResponse": {"name": "f", "response": {"output": "one"}}},
                    {"functionResponse": {"name": "f", "response": {"a": 1, "b": 2}}},
                    {"text": "go on"},
                ],
            ),
        )
    )
    assert chat.messages[0].parts == (
        ToolCallPart("call_0", "f", '{"x":1}', signature="c2ln", origin="gemini"),
        ToolCallPart("call_1", "f", '{"x":1}'),
        ToolCallPart("call_2", "g", "{}"),
    )
    assert [(message.role, message.parts) for message in chat.messages[1:]] == [
        ("tool", (ToolResultPart("call_2", (TextPart("no"),), is_error=True),)),
        ("tool", (ToolResultPart("call_0", (TextPart("one"),)),)),
        ("tool", (ToolResultPart("call_1", (TextPart('{"a":1,"b":2}'),)),)),
        ("user", (TextPart("go on"),)),
    ]


def test_ids_are_kept_where_there_are_some() -> None:
    chat = read(
        contents=turns(
            ("model", [{"functionCall": {"id": "a", "name": "f"}}, {"functionCall": {"id": "b", "name": "f"}}]),
            ("user", [{"functionResponse": {"id": "b", "name": "f", "response": {"result": "x"}}}]),
        )
    )
    assert chat.messages[1].parts == (ToolResultPart("b", (TextPart("x"),)),)


def test_images_inside_results_are_read() -> None:
    image = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}
    response = {"functionResponse": {"id": "a", "name": "f", "response": {}, "parts": [image]}}
    request = parse_request(body(contents=turns(("user", [response]))), "m", is_streaming=False)
    assert request.image_count == 1
    assert request.chat().messages[0].parts == (ToolResultPart("a", (ImagePart("data:image/png;base64,AAAA"),)),)


def test_openapi_schemas_become_json_schemas() -> None:
    parameters = {
        "type": "OBJECT",
        "properties": {
            "nullable": {"type": "STRING", "nullable": True, "enum": ["a"]},
            "list": {"type": "ARRAY", "minItems": "2", "items": {"any_of": [{"type": "INTEGER"}, {"type": "NUMBER"}]}},
        },
    }
    tool = read(tools=[{"functionDeclarations": [{"name": "f", "parameters": parameters}]}]).tools[0]
    assert tool.parameters is not None
    assert json.loads(bytes(tool.parameters)) == {
        "type": "object",
        "properties": {
            "nullable": {"type": ["string", "null"], "enum": ["a", None]},
            "list": {"type": "array", "minItems": 2, "items": {"anyOf": [{"type": "integer"}, {"type": "number"}]}},
        },
    }


@pytest.mark.parametrize(
    ("calling", "choice"),
    [
        ({"mode": "AUTO"}, ToolChoice("auto")),
        ({"mode": "ANY"}, ToolChoice("required")),
        ({"mode": "ANY", "allowedFunctionNames": ["f"]}, ToolChoice("required", ("f",))),
        ({"mode": "NONE"}, ToolChoice("none")),
        ({"mode": "VALIDATED", "allowedFunctionNames": ["f"]}, ToolChoice("auto", ("f",))),
    ],
)
def test_tool_choices_are_read(calling: Fields, choice: ToolChoice) -> None:
    assert read(toolConfig={"functionCallingConfig": calling}).tool_choice == choice


@pytest.mark.parametrize(
    ("thinking", "reasoning"),
    [
        ({"thinkingLevel": "HIGH", "includeThoughts": True}, Reasoning("high", None, True)),
        ({"thinkingBudget": 0}, Reasoning("none")),
        ({"thinkingBudget": 2000}, Reasoning(None, 2000)),
        ({"thinkingBudget": -1}, None),
    ],
)
def test_thinking_is_read(thinking: Fields, reasoning: Reasoning | None) -> None:
    assert read(generationConfig={"thinkingConfig": thinking}).reasoning == reasoning


def test_the_form_of_the_answer_is_read() -> None:
    chat = read(generationConfig={"responseMimeType": "application/json"})
    assert chat.output_format == OutputFormat("json_object")
    chat = read(generationConfig={"responseMimeType": "application/json", "responseSchema": {"type": "OBJECT"}})
    assert chat.output_format is not None and chat.output_format.schema is not None
    assert bytes(chat.output_format.schema) == b'{"type":"object"}'


def test_what_needs_google_itself_prefers_its_own_routes() -> None:
    signed = turns(("model", [{"text": "", "thoughtSignature": "c2ln"}]), ("user", [{"text": "x"}]))
    foreign = turns(("model", [{"text": "", "thoughtSignature": wrap("s", "anthropic_messages")}]))
    ours = turns(("model", [{"functionCall": {"name": "f"}, "thoughtSignature": PLACEHOLDER}]))

    def needs_native(**fields: Any) -> bool:
        return parse_request(body(**fields), "m", is_streaming=False).needs_native

    assert needs_native(contents=signed)
    assert needs_native(tools=[{"googleSearch": {}}])
    assert needs_native(cachedContent="cachedContents/x")
    assert not needs_native(contents=foreign)
    assert not needs_native(contents=ours)
    assert not needs_native(tools=[{"functionDeclarations": [{"name": "f"}]}])


def test_a_history_of_another_vendors_model_is_made_acceptable_to_gemini_3() -> None:
    contents = turns(
        (
            "model",
            [
                {"text": "", "thoughtSignature": wrap("s", "anthropic_messages")},
                {"functionCall": {"name": "f", "args": {}}},
                {"functionCall": {"name": "g", "args": {}}},
            ],
        ),
        ("user", [{"functionResponse": {"name": "f", "response": {}}}]),
    )
    request = parse_request(body(contents=contents), "m", is_streaming=False)
    rendered = render_request(request, "gemini-3-pro-preview", Quirks())
    assert json.loads(rendered.body)["contents"][0]["parts"] == [
        {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": PLACEHOLDER},
        {"functionCall": {"name": "g", "args": {}}},
    ]
    assert rendered.emulated == ("contents.parts.thoughtSignature",)


def test_a_history_of_geminis_own_is_not_touched() -> None:
    call = {"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": "c2ln"}
    contents = turns(("model", [call, {"functionCall": {"name": "g"}}]))
    assert sent("gemini-3-pro", contents=contents)["contents"] == contents


def test_media_and_signatures_do_not_count_as_text() -> None:
    data = "A" * 100_000
    contents = turns(
        ("user", [{"inlineData": {"mimeType": "image/png", "data": data}}]),
        ("model", [{"text": "", "thoughtSignature": data}]),
    )
    request = parse_request(body(contents=contents), "m", is_streaming=False)
    assert request.input_bytes < 1_000


def test_input_bytes_bound_text_and_schema() -> None:
    text = "naïve 漢字 \n" * 50
    schema = {"type": "object", "title": "t" * 1000}
    request = parse_request(
        body(contents=turns(("user", [{"text": text}])), generationConfig={"responseJsonSchema": schema}),
        "m",
        is_streaming=False,
    )
    assert request.input_bytes >= len(text.encode()) + 1000


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"contents": []}, "contents"),
        ({"contents": "hi"}, "contents"),
        ({"contents": [{"role": "robot", "parts": []}]}, "contents.0.role"),
        ({"contents": [{"parts": [{"text": 5}]}]}, "contents.0.parts.0.text"),
        ({"contents": [{"parts": [{"inlineData": {}}]}]}, "contents.0.parts.0.inlineData.data"),
        ({"generationConfig": {"maxOutputTokens": 0}}, "generationConfig.maxOutputTokens"),
        ({"generationConfig": {"temperature": 3}}, "generationConfig.temperature"),
        ({"generationConfig": {"candidateCount": "two"}}, "generationConfig.candidateCount"),
        ({"toolConfig": "auto"}, "toolConfig"),
        ({"tools": [{"functionDeclarations": [{}]}]}, "tools.0.functionDeclarations.0.name"),
    ],
)
def test_a_wrong_field_is_named(fields: Fields, param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_request(body(**fields), "m", is_streaming=False)
    assert caught.value.param == param


@pytest.mark.parametrize("raw", [b"", b"{", b"null", b"[]", b"{}", b"\xff", b"[" * 100_000, b'{"top_k":' + b"[" * 99])
def test_what_is_no_request_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidRequest):
        parse_request(raw, "m", is_streaming=False)


def test_tokens_are_counted_for_contents_or_a_whole_request() -> None:
    whole = {"generateContentRequest": {"model": "models/m", "contents": [USER]}}
    request = parse_count(json.dumps(whole).encode(), "m")
    assert request.chat().messages == parse_count(body(), "m").chat().messages
    assert render_count(12) == b'{"totalTokens":12}'


TOP: Fields = {
    "systemInstruction": {"parts": [{"text": "s"}]},
    "tools": [{"functionDeclarations": [{"name": "f"}]}],
    "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
    "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}],
    "cachedContent": "cachedContents/1",
    "labels": {"a": "b"},
    "serviceTier": "flex",
    "store": True,
    "continuationToken": "t",
    "fieldOfTomorrow": 1,
}
CONFIG: Fields = {
    "temperature": 0.5,
    "topP": 0.5,
    "topK": 40.0,
    "candidateCount": 2,
    "maxOutputTokens": 5,
    "stopSequences": ["x"],
    "presencePenalty": 0.5,
    "frequencyPenalty": 0.5,
    "seed": 1,
    "responseMimeType": "application/json",
    "responseSchema": {"type": "OBJECT"},
    "responseJsonSchema": {"type": "object"},
    "responseLogprobs": True,
    "logprobs": 3,
    "responseModalities": ["TEXT", "AUDIO"],
    "speechConfig": {"languageCode": "de"},
    "imageConfig": {"aspectRatio": "1:1"},
    "mediaResolution": "MEDIA_RESOLUTION_LOW",
    "thinkingConfig": {"thinkingLevel": "LOW", "includeThoughts": True},
    "fieldOfTomorrow": 1,
}
SILENT = {"systemInstruction", "generationConfig.maxOutputTokens"}
"""What every dialect can say, and is no concept with a name."""


@settings(max_examples=60, deadline=None)
@given(st.sets(st.sampled_from(sorted(TOP))), st.sets(st.sampled_from(sorted(CONFIG))))
def test_every_field_is_mapped_or_reported(top: set[str], config: set[str]) -> None:
    chat = read(**{name: TOP[name] for name in top}, generationConfig={name: CONFIG[name] for name in config})
    reported = {*chat.names.values(), *chat.lost}
    for path in {*top, *(f"generationConfig.{name}" for name in config)} - SILENT:
        shares_a_concept = path in ("generationConfig.responseMimeType", "generationConfig.responseLogprobs")
        assert shares_a_concept or any(said == path or said.startswith(f"{path}.") for said in reported), path


@pytest.mark.parametrize(
    ("part", "path"),
    [
        ({"text": "x", "videoMetadata": {"fps": 1}}, "contents.parts.videoMetadata"),
        ({"text": "x", "mediaResolution": {}}, "contents.parts.mediaResolution"),
        ({"executableCode": {"code": "1"}}, "contents.parts.executableCode"),
        ({"codeExecutionResult": {"outcome": "OUTCOME_OK"}}, "contents.parts.codeExecutionResult"),
        ({"toolCall": {}}, "contents.parts.toolCall"),
        ({"functionResponse": {"name": "f", "willContinue": True}}, "contents.parts.functionResponse.willContinue"),
        ({"functionCall": {"name": "f", "partialArgs": []}}, "contents.parts.functionCall.partialArgs"),
    ],
)
def test_what_no_other_dialect_has_is_reported_as_lost(part: Fields, path: str) -> None:
    assert path in read(contents=turns(("user", [part]))).lost


def test_hosted_tools_and_what_else_stands_in_tools_are_reported_as_lost() -> None:
    declaration = {"name": "f", "behavior": "NON_BLOCKING", "response": {"type": "OBJECT"}}
    chat = read(
        tools=[{"googleSearch": {}}, {"functionDeclarations": [declaration], "codeExecution": {}}],
        toolConfig={
            "functionCallingConfig": {"mode": "VALIDATED", "streamFunctionCallArguments": True},
            "retrievalConfig": {"languageCode": "de"},
        },
    )
    assert set(chat.lost) == {
        "tools.googleSearch",
        "tools.codeExecution",
        "tools.functionDeclarations.behavior",
        "tools.functionDeclarations.response",
        "toolConfig.retrievalConfig",
        "toolConfig.functionCallingConfig.streamFunctionCallArguments",
        "toolConfig.functionCallingConfig.mode",
    }
