"""Which whole answers are asked for as streams: those that may be silent for longer than somebody on the way bears."""

from typing import Any

import pytest

from kyma.calls.long_answers import is_streamed_inside
from kyma.core.chat import CallRequest
from kyma.core.upstream import Timeouts
from kyma.dialects import openai_embeddings
from kyma.providers.compat import adapter_for
from tests.unit.calls.rows import chat, route

CHATS = adapter_for("openai_chat", "chat")


def is_long(max_tokens: int = 4096, tokens_per_s: float | None = None, **provider: Any) -> bool:
    return is_streamed_inside(chat(max_tokens=max_tokens), route(**provider), CHATS, tokens_per_s)


def test_what_may_take_more_than_half_a_minute_is_streamed() -> None:
    assert [is_long(tokens) for tokens in (1, 1500, 1501, 100_000)] == [False, False, True, True]


@pytest.mark.parametrize(("tokens_per_s", "limit"), [(100.0, 3000), (10.0, 300)])
def test_a_measured_source_counts_at_its_own_pace(tokens_per_s: float, limit: int) -> None:
    assert not is_long(limit, tokens_per_s)
    assert is_long(limit + 1, tokens_per_s)


def test_a_provider_with_whom_we_have_less_patience_is_streamed_sooner() -> None:
    """For a whole answer the longer of the two waits holds."""
    impatient = Timeouts(first_byte_s=4.0, idle_s=8.0)
    assert not is_long(200, timeouts=impatient)
    assert is_long(201, timeouts=impatient)
    assert not is_long(1500, timeouts=Timeouts(first_byte_s=300.0, idle_s=600.0))
    assert is_long(1501, timeouts=Timeouts(first_byte_s=300.0, idle_s=600.0))


def test_what_is_streamed_anyway_and_what_is_no_chat_are_left_alone() -> None:
    assert not is_streamed_inside(chat(max_tokens=4096, is_streaming=True), route(), CHATS)
    embedding: CallRequest = openai_embeddings.parse_request(b'{"model": "m", "input": "hi"}')
    assert not is_streamed_inside(embedding, route(), adapter_for("openai_chat", "embedding"))


def test_what_a_stream_cannot_tell_is_asked_whole_however_long() -> None:
    request = chat(max_tokens=100_000, fields={"logprobs": True})
    assert not is_streamed_inside(request, route(), CHATS)
    assert is_streamed_inside(request, route(), adapter_for("anthropic_messages", "chat"))
