"""Usage as Anthropic counts it, in and out: an hour of cache, searches, and what a request may come to.

Shapes: anthropic-python 2.11 (`Usage`, `CacheCreation`, `ServerToolUsage`), Anthropic's pages on prompt caching, web
search and PDFs, 2026.
"""

import base64
from typing import Any

import msgspec
import pytest
from anthropic.types import Message

from kyma.core.answer import Bill, ChatEvent, UsageReport
from kyma.core.model import Quirks, Usage
from kyma.dialects.anthropic_messages import (
    parse_request,
    parse_response,
    render_request,
    render_response,
    stream_decoder,
    stream_encoder,
)
from tests.dialects.test_anthropic_stream import Reply, begin, end

DOCUMENTED: dict[str, Any] = {
    "input_tokens": 2048,
    "cache_read_input_tokens": 1800,
    "cache_creation_input_tokens": 248,
    "output_tokens": 503,
    "cache_creation": {"ephemeral_5m_input_tokens": 148, "ephemeral_1h_input_tokens": 100},
}
"""The example of the page on prompt caching, whose two durations come to its `cache_creation_input_tokens`."""

SEARCHED: dict[str, Any] = {
    "input_tokens": 105,
    "output_tokens": 6039,
    "cache_read_input_tokens": 7123,
    "cache_creation_input_tokens": 7345,
    "server_tool_use": {"web_search_requests": 1, "web_fetch_requests": 0},
}
"""The example of the page on web search."""

SEARCH = {"type": "web_search_20250305", "name": "web_search"}
FETCH = {"type": "web_fetch_20250910", "name": "web_fetch"}


def body(**fields: Any) -> bytes:
    messages = [{"role": "user", "content": "hi"}]
    return msgspec.json.encode({"model": "owl", "max_tokens": 9, "messages": messages, **fields})


def whole(usage: dict[str, Any]) -> bytes:
    content = [{"type": "text", "text": "hi"}]
    return msgspec.json.encode({"type": "message", "content": content, "stop_reason": "end_turn", "usage": usage})


def decode(data: bytes) -> list[ChatEvent]:
    decoder = stream_decoder(Quirks())
    return decoder.feed(data) + decoder.close()


def last_report(first: dict[str, Any], last: dict[str, Any]) -> UsageReport:
    return [event for event in decode(begin(**first) + end(**last)) if isinstance(event, UsageReport)][-1]


def shown(usage: Usage) -> dict[str, Any]:
    """`usage` of an answer, as a customer reads it."""
    bill = Bill(usage, 350_000, 622_000, is_estimated=False)
    answer = render_response(parse_response(whole({}), Quirks()), Reply(), bill, parse_request(body()))
    found: dict[str, Any] = msgspec.json.decode(answer)["usage"]
    return found


def test_input_kept_for_an_hour_is_a_bucket_of_its_own() -> None:
    assert parse_response(whole(DOCUMENTED), Quirks()).report == UsageReport(
        Usage(2048, 1800, 148, 503, cache_write_1h=100)
    )


def test_searches_are_counted() -> None:
    assert parse_response(whole(SEARCHED), Quirks()).report == UsageReport(
        Usage(105, 7123, 7345, 6039, searches=1, fetches=0)
    )


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (DOCUMENTED, {"output_tokens": 600}, Usage(2048, 1800, 148, 600, cache_write_1h=100)),
        (
            DOCUMENTED,
            {"cache_creation_input_tokens": 248, "output_tokens": 600},
            Usage(2048, 1800, 148, 600, cache_write_1h=100),
        ),
        (
            DOCUMENTED,
            {"input_tokens": 0, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 600},
            Usage(2048, 1800, 148, 600, cache_write_1h=100),
        ),
        (DOCUMENTED, DOCUMENTED | {"output_tokens": 700}, Usage(2048, 1800, 148, 700, cache_write_1h=100)),
        (
            {"input_tokens": 7, "cache_creation_input_tokens": 5, "output_tokens": 1},
            {"input_tokens": 0, "output_tokens": 9},
            Usage(7, 0, 5, 9),
        ),
        (
            DOCUMENTED,
            {
                "input_tokens": 0,
                "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
                "output_tokens": 600,
            },
            Usage(2048, 1800, 148, 600, cache_write_1h=100),
        ),
        ({"input_tokens": 7, "output_tokens": 1}, SEARCHED, Usage(105, 7123, 7345, 6039, searches=1)),
        (SEARCHED, {"output_tokens": 7000}, Usage(105, 7123, 7345, 7000, searches=1)),
        (
            {"input_tokens": 7, "output_tokens": 1},
            {"output_tokens": 3, "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 4}},
            Usage(7, output=3, searches=2, fetches=4),
        ),
    ],
)
def test_what_a_later_report_leaves_out_still_holds(
    first: dict[str, Any], last: dict[str, Any], expected: Usage
) -> None:
    assert last_report(first, last) == UsageReport(expected)


@pytest.mark.parametrize(
    "nonsense",
    [
        {"cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": -1}},
        {
            "cache_creation_input_tokens": 5,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 6},
        },
        {"server_tool_use": {"web_search_requests": -1}},
        {"server_tool_use": {"web_search_requests": 10**6}},
        {"server_tool_use": {"web_search_requests": "many"}},
        {"iterations": [{"type": "compaction", "input_tokens": -1}]},
        {"iterations": [{"type": "compaction", "output_tokens": 10**15}]},
    ],
)
def test_nonsense_in_the_new_buckets_is_no_report(nonsense: dict[str, Any]) -> None:
    usage = {"input_tokens": 1, "output_tokens": 1, **nonsense}
    assert parse_response(whole(usage), Quirks()).report == UsageReport(Usage(), is_valid=False)


COMPACTED: dict[str, Any] = {
    "input_tokens": 23000,
    "output_tokens": 1000,
    "iterations": [
        {"type": "compaction", "input_tokens": 180000, "output_tokens": 3500},
        {"type": "message", "input_tokens": 23000, "output_tokens": 1000},
    ],
}
"""The example of the page on compaction."""


def test_a_compaction_is_charged_though_the_totals_leave_it_out() -> None:
    whole_report = parse_response(whole(COMPACTED), Quirks()).report
    assert whole_report == UsageReport(Usage(203_000, output=4_500))
    assert last_report({"input_tokens": 23000, "output_tokens": 1}, COMPACTED) == whole_report
    assert last_report(COMPACTED, {"output_tokens": 1000}) == whole_report


def test_iterations_without_a_compaction_are_in_the_totals() -> None:
    usage = COMPACTED | {"iterations": COMPACTED["iterations"][1:]}
    assert parse_response(whole(usage), Quirks()).report == UsageReport(Usage(23_000, output=1_000))


def test_a_customer_reads_the_hour_in_anthropics_own_form() -> None:
    usage = shown(Usage(2048, 1800, 148, 503, cache_write_1h=100))
    assert {name: usage[name] for name in DOCUMENTED} == DOCUMENTED
    assert "server_tool_use" not in usage


def test_a_customer_reads_the_searches_in_anthropics_own_form() -> None:
    assert shown(Usage(105, output=6039, searches=1))["server_tool_use"] == SEARCHED["server_tool_use"]
    assert shown(Usage(105, fetches=2))["server_tool_use"] == {"web_search_requests": 0, "web_fetch_requests": 2}


def test_the_sdk_reads_what_a_customer_is_shown() -> None:
    bill = Bill(Usage(1, 2, 3, 4, cache_write_1h=5, searches=6, fetches=7), 1, 0, is_estimated=False)
    answer = render_response(parse_response(whole({}), Quirks()), Reply(), bill, parse_request(body()))
    usage = Message.model_validate_json(answer).usage
    assert usage.cache_creation_input_tokens == 8
    assert usage.cache_creation is not None and usage.server_tool_use is not None
    assert usage.cache_creation.ephemeral_5m_input_tokens == 3
    assert usage.cache_creation.ephemeral_1h_input_tokens == 5
    assert usage.server_tool_use.web_search_requests == 6
    assert usage.server_tool_use.web_fetch_requests == 7


def test_a_stream_ends_with_the_same_usage() -> None:
    encoder = stream_encoder(parse_request(body()), Reply())
    told = encoder.end(Bill(Usage(1, cache_write=2, output=3, cache_write_1h=4, searches=5), 1, 0, is_estimated=False))
    (line,) = [line for line in told.split(b"\n") if b'"message_delta"' in line and line.startswith(b"data: ")]
    usage = msgspec.json.decode(line.removeprefix(b"data: "))["usage"]
    assert usage["cache_creation"] == {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 4}
    assert usage["server_tool_use"] == {"web_search_requests": 5, "web_fetch_requests": 0}


HOUR = {"type": "ephemeral", "ttl": "1h"}
MARKED = {"type": "text", "text": "x", "cache_control": HOUR}


@pytest.mark.parametrize(
    "fields",
    [
        {"cache_control": HOUR},
        {"system": [MARKED]},
        {"messages": [{"role": "user", "content": [MARKED]}]},
        {"messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": [MARKED]}]}]},
        {"tools": [{"name": "f", "input_schema": {}, "cache_control": HOUR}]},
        {"tools": [SEARCH | {"cache_control": HOUR}]},
    ],
)
def test_a_mark_for_an_hour_is_seen_wherever_it_stands(fields: dict[str, Any]) -> None:
    assert parse_request(body(**fields)).keeps_an_hour
    minutes = msgspec.json.encode(fields).replace(b'"1h"', b'"5m"')
    assert not parse_request(body(**msgspec.json.decode(minutes))).keeps_an_hour


@pytest.mark.parametrize(
    ("tools", "searches", "fetches"),
    [
        ([], 0, 0),
        ([SEARCH | {"max_uses": 3}], 3, 0),
        ([SEARCH], 5, 0),
        ([SEARCH | {"max_uses": None}], 5, 0),
        ([FETCH | {"max_uses": 2}], 0, 2),
        ([SEARCH | {"max_uses": 3}, SEARCH | {"name": "two", "max_uses": 1}, FETCH], 4, 5),
        ([{"type": "tool_search_tool_bm25_20251119", "name": "t"}, {"type": "bash_20250124", "name": "bash"}], 0, 0),
    ],
)
def test_the_most_lookups_a_request_may_come_to(tools: list[Any], searches: int, fetches: int) -> None:
    request = parse_request(body(tools=tools))
    assert (request.searches, request.fetches, request.unpriced) == (searches, fetches, "")


@pytest.mark.parametrize("kind", ["code_execution_20250522", "code_execution_20260521", "advisor_20260301"])
def test_a_tool_with_a_price_that_nobody_counts_is_named(kind: str) -> None:
    assert parse_request(body(tools=[SEARCH, {"type": kind, "name": "x"}])).unpriced == f"tools.{kind}"


def test_the_limit_that_was_counted_on_is_sent_and_said() -> None:
    request = parse_request(body(tools=[SEARCH, FETCH | {"max_uses": 2}]))
    rendered = render_request(request, "claude", Quirks())
    assert msgspec.json.decode(rendered.body)["tools"] == [SEARCH | {"max_uses": 5}, FETCH | {"max_uses": 2}]
    assert rendered.emulated == ("tools.max_uses",)


def test_tools_that_have_their_limit_keep_their_bytes() -> None:
    raw = b'{"model":"owl","max_tokens":9,"messages":[],"tools":[{"max_uses":  1, "type":"web_search_20250305"}]}'
    asked = raw.replace(b'"messages":[]', b'"messages":[{"role":"user","content":"hi"}]')
    rendered = render_request(parse_request(asked), "claude", Quirks())
    assert b'"tools":[{"max_uses":  1, "type":"web_search_20250305"}]' in rendered.body
    assert rendered.emulated == ()


def document(source: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"type": "document", "source": source}]}]}


PDF = {"type": "base64", "media_type": "application/pdf", "data": base64.b64encode(b"%PDF" * 300).decode()}


@pytest.mark.parametrize(
    ("source", "size"),
    [
        (PDF, 1200),
        ({"type": "url", "url": "https://example.com/a.pdf"}, 500_000),
        ({"type": "file", "file_id": "file_1"}, 500_000),
        ({"type": "text", "media_type": "text/plain", "data": "words"}, 0),
        ({"type": "content", "content": "words"}, 0),
    ],
)
def test_documents_that_are_no_text_are_measured(source: dict[str, Any], size: int) -> None:
    request = parse_request(body(**document(source)))
    assert request.document_bytes == size
    assert request.input_bytes < 300


def test_a_document_in_a_tools_result_is_measured_too() -> None:
    content = [{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "document", "source": PDF}]}]
    assert parse_request(body(messages=[{"role": "user", "content": content}])).document_bytes == 1200
