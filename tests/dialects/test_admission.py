"""What admission must know of a request beside its text, in every dialect: documents, and what has a price of its own.

Shapes: openai-python 3.52 (`file`, `input_file`, `web_search_options`), google-genai 3.4 (`inlineData`, `fileData`,
the tools that Google runs). Anthropic's stand in `test_anthropic_usage`.
"""

import base64
from typing import Any

import msgspec
import pytest

from kyma.core.chat import ChatRequest
from kyma.dialects import gemini, openai_chat, openai_responses

PDF = b"%PDF-1.7\n" * 100
BASE64 = base64.b64encode(PDF).decode()
DATA_URL = f"data:application/pdf;base64,{BASE64}"
UNSEEN = 500_000
IMAGE = "data:image/png;base64,AAAA"


def chat(*parts: dict[str, Any], **fields: Any) -> ChatRequest:
    messages = [{"role": "user", "content": [{"type": "text", "text": "hi"}, *parts]}]
    return openai_chat.parse_request(msgspec.json.encode({"model": "m", "messages": messages, **fields}))


def responses(*parts: dict[str, Any], **fields: Any) -> ChatRequest:
    items = [{"role": "user", "content": [{"type": "input_text", "text": "hi"}, *parts]}]
    return openai_responses.parse_request(msgspec.json.encode({"model": "m", "input": items, **fields}))


def generate(*parts: dict[str, Any], **fields: Any) -> ChatRequest:
    contents = [{"role": "user", "parts": [{"text": "hi"}, *parts]}]
    return gemini.parse_request(msgspec.json.encode({"contents": contents, **fields}), "m", is_streaming=False)


@pytest.mark.parametrize(
    ("request_", "size"),
    [
        (chat({"type": "file", "file": {"file_data": DATA_URL, "filename": "a.pdf"}}), len(PDF)),
        (chat({"type": "file", "file": {"file_id": "file-1"}}), UNSEEN),
        (chat({"type": "image_url", "image_url": {"url": IMAGE}}), 0),
        (responses({"type": "input_file", "file_data": DATA_URL, "filename": "a.pdf"}), len(PDF)),
        (responses({"type": "input_file", "file_data": BASE64, "filename": "a.pdf"}), len(PDF)),
        (responses({"type": "input_file", "file_url": "https://example.com/a.pdf"}), UNSEEN),
        (responses({"type": "input_image", "image_url": IMAGE}), 0),
        (generate({"inlineData": {"mimeType": "application/pdf", "data": BASE64}}), len(PDF)),
        (generate({"inline_data": {"mime_type": "application/pdf", "data": BASE64}}), len(PDF)),
        (generate({"fileData": {"mimeType": "application/pdf", "fileUri": "https://example.com/a.pdf"}}), UNSEEN),
        (generate({"inlineData": {"mimeType": "image/png", "data": "AAAA"}}), 0),
        (generate({"inlineData": {"mimeType": "audio/wav", "data": "AAAA"}}), 0),
        (
            generate(
                {
                    "functionResponse": {
                        "name": "f",
                        "response": {},
                        "parts": [{"inlineData": {"mimeType": "application/pdf", "data": BASE64}}],
                    }
                }
            ),
            len(PDF),
        ),
    ],
)
def test_a_document_is_measured_and_does_not_count_as_text(request_: ChatRequest, size: int) -> None:
    assert request_.document_bytes == size
    assert request_.input_bytes < 400


def test_a_part_that_claims_to_be_text_hides_no_document() -> None:
    hidden = {"type": "text", "text": "hi", "file": {"file_data": DATA_URL}}
    assert chat(hidden).document_bytes == len(PDF)


@pytest.mark.parametrize(
    ("request_", "unpriced"),
    [
        (chat(), ""),
        (chat(web_search_options=None), ""),
        (chat(web_search_options={}), "web_search_options"),
        (responses(tools=[{"type": "web_search"}]), ""),
        (generate(tools=[{"googleSearch": {}}]), "tools.googleSearch"),
        (generate(tools=[{"google_search": {}}]), "tools.googleSearch"),
        (generate(tools=[{"codeExecution": {}}, {"googleMaps": {}}]), "tools.googleMaps"),
        (generate(tools=[{"enterprise_web_search": {}}]), "tools.enterprise_web_search"),
        (generate(tools={"googleSearchRetrieval": {}}), "tools.googleSearchRetrieval"),
        (generate(tools=[{"codeExecution": {}}, {"urlContext": {}}, {"functionDeclarations": [{"name": "f"}]}]), ""),
    ],
)
def test_what_its_vendor_charges_for_without_a_limit_or_a_count_is_named(request_: ChatRequest, unpriced: str) -> None:
    assert request_.unpriced == unpriced


def test_a_breakpoint_of_responses_asks_for_an_hour() -> None:
    marked = {"type": "input_text", "text": "x", "prompt_cache_breakpoint": {"ttl": "30m"}}
    assert responses(marked).keeps_an_hour
    assert not responses().keeps_an_hour
