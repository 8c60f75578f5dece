"""The scripted upstream does what its scripts say; every test of failures stands on this."""

import asyncio
import http.client
import json
import time
import urllib.error
import urllib.request

import pytest

from tests.upstream.pick import BadScript, prepare
from tests.upstream.process import UpstreamProcess
from tests.upstream.scripts import SCRIPTS

ENDED_BY_DONE = ["data: [DONE]"]


def post(upstream: UpstreamProcess, model: str, **fields: object) -> bytes:
    """The body of one answer. Raises what urllib raises for a failure."""
    body = {"model": model, "messages": [{"role": "user", "content": "one two three"}], **fields}
    request = urllib.request.Request(
        f"{upstream.base_url}/chat/completions", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=5) as response:
        answer: bytes = response.read()
    return answer


def stream(upstream: UpstreamProcess, model: str, **fields: object) -> list[str]:
    """The non-empty lines of one stream."""
    options = {"stream": True, "stream_options": {"include_usage": True}}
    return [line for line in post(upstream, model, **options, **fields).decode().split("\n") if line]


def words(lines: list[str]) -> str:
    """The content of a stream's chunks, put together."""
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: {")]
    return "".join(choice["delta"].get("content", "") for chunk in chunks for choice in chunk.get("choices", ()))


def wait_for_outcome(upstream: UpstreamProcess, model: str, outcome: str) -> None:
    deadline = time.monotonic() + 2
    while upstream.log(model)[-1].outcome != outcome:
        assert time.monotonic() < deadline, upstream.log(model)
        time.sleep(0.01)


def test_a_good_answer_counts_its_words(upstream: UpstreamProcess) -> None:
    answer = json.loads(post(upstream, "script:ok:tokens=3"))
    assert answer["choices"][0]["message"]["content"] == "w0 w1 w2"
    assert answer["usage"] == {"prompt_tokens": 3, "completion_tokens": 3, "total_tokens": 6}


def test_a_stream_says_the_same_words_and_ends_with_usage_and_done(upstream: UpstreamProcess) -> None:
    lines = stream(upstream, "script:ok:tokens=3")
    assert words(lines) == "w0 w1 w2"
    assert json.loads(lines[-2][6:])["usage"]["completion_tokens"] == 3
    assert lines[-1:] == ENDED_BY_DONE


def test_usage_comes_in_a_stream_only_when_asked(upstream: UpstreamProcess) -> None:
    assert b"usage" not in post(upstream, "script:ok", stream=True)


def test_max_tokens_stops_the_words(upstream: UpstreamProcess) -> None:
    choice = json.loads(post(upstream, "script:ok:tokens=9", max_tokens=2))["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("w0 w1", "length")


def test_the_plain_model_answers_one_kilobyte(upstream: UpstreamProcess) -> None:
    assert len(post(upstream, "mock")) == 1024


@pytest.mark.parametrize("mode", ["fin", "rst"])
def test_a_cut_stream_stops_after_k_tokens(upstream: UpstreamProcess, mode: str) -> None:
    model = f"script:cut:k=2,mode={mode}"
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        stream(upstream, model)
    entry = upstream.log(model)[0]
    assert (entry.tokens_sent, entry.outcome) == (2, "cut")


def test_a_cut_body_is_shorter_than_its_length(upstream: UpstreamProcess) -> None:
    with pytest.raises(http.client.IncompleteRead):
        post(upstream, "script:cut")


def test_cut_before_sends_no_byte(upstream: UpstreamProcess) -> None:
    with pytest.raises(http.client.RemoteDisconnected):
        post(upstream, "script:cut-before")


def test_429_says_when_to_come_back(upstream: UpstreamProcess) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        post(upstream, "script:429:s=7")
    with caught.value as error:
        assert (error.code, error.headers["retry-after"]) == (429, "7")


def test_tool_calls_come_in_fragments_that_add_up(upstream: UpstreamProcess) -> None:
    message = json.loads(post(upstream, "script:tools:parallel=2"))["choices"][0]["message"]
    assert [call["id"] for call in message["tool_calls"]] == ["call_0", "call_1"]
    assert json.loads(message["tool_calls"][1]["function"]["arguments"]) == {"city": "Paris"}


def test_die_after_counts_its_requests_and_a_reset_starts_anew(upstream: UpstreamProcess) -> None:
    post(upstream, "script:die-after:n=1")
    with pytest.raises(urllib.error.HTTPError) as caught:
        post(upstream, "script:die-after:n=1")
    caught.value.close()
    upstream.reset()
    assert post(upstream, "script:die-after:n=1")


def test_flaky_repeats_itself_with_its_seed(upstream: UpstreamProcess) -> None:
    def play() -> list[str]:
        upstream.reset()
        return [_outcome(upstream, "script:flaky:p=0.5,seed=4") for _ in range(20)]

    first = play()
    assert len(set(first)) > 3
    assert play() == first


def test_the_log_keeps_the_request_without_its_content(upstream: UpstreamProcess) -> None:
    post(upstream, "script:ok", temperature=0.5)
    (entry,) = upstream.log()
    assert entry.body == {"model": "script:ok", "temperature": 0.5, "messages": [{"role": "user"}]}


async def test_a_stall_says_its_tokens_and_then_nothing(upstream: UpstreamProcess) -> None:
    model = "script:stall:k=2"
    body = json.dumps({"model": model, "stream": True, "messages": []}).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", upstream.port)
    writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
    await reader.readuntil(b"w1")
    assert (upstream.log(model)[0].outcome, upstream.log(model)[0].tokens_sent) == ("open", 2)
    writer.close()
    await writer.wait_closed()
    wait_for_outcome(upstream, model, "client_gone")


async def test_a_client_that_leaves_is_noticed(upstream: UpstreamProcess) -> None:
    model = "script:paced:interval_ms=5,events=0"
    body = json.dumps({"model": model, "stream": True, "messages": []}).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", upstream.port)
    writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
    await reader.readuntil(b"w3")
    left_at = time.time_ns() // 1_000_000
    writer.close()
    await writer.wait_closed()
    wait_for_outcome(upstream, model, "client_gone")
    entry = upstream.log(model)[0]
    assert entry.tokens_sent >= 4
    assert entry.ended_at is not None and 0 <= entry.ended_at - left_at < 500


async def test_requests_sent_together_are_answered_in_order(upstream: UpstreamProcess) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", upstream.port)
    for tokens, delay_ms in ((1, 30), (2, 0)):
        body = json.dumps({"model": f"script:ok:tokens={tokens},delay_ms={delay_ms}", "messages": []}).encode()
        writer.write(b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
    seen = await reader.readuntil(b'"w0 w1"')
    assert b'"w0"' in seen
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("model", ["gpt-4", "script:nope", "script:ok:x=1", "script:ok:tokens", "script:cut:k=two"])
def test_a_bad_script_is_refused(model: str) -> None:
    with pytest.raises(BadScript):
        prepare(model)


@pytest.mark.parametrize("name", [name for name in SCRIPTS if name not in ("hang", "stall", "slow-first-byte")])
@pytest.mark.parametrize("is_streaming", [False, True])
def test_every_script_comes_to_an_end(upstream: UpstreamProcess, name: str, is_streaming: bool) -> None:
    model = f"script:{name}" + (":events=2" if name == "paced" else "")
    _outcome(upstream, model, stream=is_streaming)
    assert upstream.log(model)[0].outcome in ("finished", "cut")


def _outcome(upstream: UpstreamProcess, model: str, **fields: object) -> str:
    try:
        answer = post(upstream, model, **fields)
    except urllib.error.HTTPError as error:
        error.close()
        return str(error.code)
    except (http.client.HTTPException, ConnectionError) as error:
        return type(error).__name__
    return answer[:9].decode()
