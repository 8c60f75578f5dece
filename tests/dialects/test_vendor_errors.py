"""Vendors' refusals: what they mean for routing, and the words that agents look for."""

import json

import pytest

from kyma.core.errors import RefusedUs, Rejected, Throttled, UpstreamFailed
from kyma.dialects.vendor_errors import parse_error


def test_anthropics_overflow_is_said_in_the_words_that_agents_know() -> None:
    error = {"type": "invalid_request_error", "message": "prompt is too long: 210000 tokens > 200000 maximum"}
    rejected = parse_error(400, {}, json.dumps({"type": "error", "error": error}).encode())
    assert isinstance(rejected, Rejected)
    assert "maximum context length is 200000 tokens" in rejected.caller_message
    assert rejected.caller_code == "context_length_exceeded"


def test_an_error_in_a_list_keeps_its_code() -> None:
    body = json.dumps([{"error": {"message": "too long", "code": "context_length_exceeded"}}]).encode()
    rejected = parse_error(400, {}, body)
    assert isinstance(rejected, Rejected) and rejected.caller_code == "context_length_exceeded"


@pytest.mark.parametrize(
    ("status", "kind"), [(429, Throttled), (529, Throttled), (401, RefusedUs), (402, RefusedUs), (500, UpstreamFailed)]
)
def test_a_status_decides(status: int, kind: type[Exception]) -> None:
    assert isinstance(parse_error(status, {}, b"<html>"), kind)
