"""The scripted upstream as Bedrock: whom it lets in, what it refuses, how it counts."""

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from kyma.core.ids import SystemClock
from kyma.core.upstream import Origin
from kyma.dialects.aws_eventstream import FrameParser
from kyma.providers.aws_sigv4 import AwsKey, Signer
from tests.upstream.aws_signature import ACCESS_KEY_ID, API_KEY, SECRET_ACCESS_KEY
from tests.upstream.process import UpstreamProcess

Json = dict[str, Any]

HI = {"role": "user", "content": [{"text": "one two three"}]}
BEARER = {"authorization": f"Bearer {API_KEY}"}
KEY = AwsKey(ACCESS_KEY_ID, SECRET_ACCESS_KEY)


def converse(
    upstream: UpstreamProcess, script: str, headers: dict[str, str] = BEARER, verb: str = "converse", **fields: Any
) -> bytes:
    path = f"/model/{script.replace(':', '%3A')}/{verb}"
    body = json.dumps({"messages": [HI], **fields}).encode()
    request = urllib.request.Request(upstream.origin + path, body, {"content-type": "application/json", **headers})
    with urllib.request.urlopen(request, timeout=5) as response:
        answer: bytes = response.read()
    return answer


def refusal(upstream: UpstreamProcess, headers: dict[str, str] = BEARER, **fields: Any) -> int:
    with pytest.raises(urllib.error.HTTPError) as caught:
        converse(upstream, "script:ok", headers, **fields)
    with caught.value as error:
        assert set(json.load(error)) == {"message"}
    return error.code


def signed(upstream: UpstreamProcess, key: AwsKey = KEY, path: str = "/model/script%3Aok/converse") -> dict[str, str]:
    body = json.dumps({"messages": [HI]}).encode()
    signer = Signer(key, SystemClock(), "eu-west-1")
    headers = signer.sign("POST", Origin("127.0.0.1", upstream.port, False), path, (), body)
    return {name.decode(): value.decode() for name, value in headers}


def test_a_request_is_let_in_with_a_key_or_a_signature(upstream: UpstreamProcess) -> None:
    for headers in (BEARER, signed(upstream)):
        answer = json.loads(converse(upstream, "script:ok", headers))
        assert answer["output"]["message"]["content"] == [{"text": "w0 w1 w2 w3 w4"}]


def test_no_other_is(upstream: UpstreamProcess) -> None:
    assert refusal(upstream, {}) == refusal(upstream, {"authorization": "Bearer other"}) == 403
    assert refusal(upstream, signed(upstream, AwsKey(ACCESS_KEY_ID, "other"))) == 403
    assert refusal(upstream, signed(upstream, AwsKey("AKIDOTHER", SECRET_ACCESS_KEY))) == 403
    assert refusal(upstream, signed(upstream, path="/model/script:ok/converse")) == 403
    assert refusal(upstream, signed(upstream), system=[{"text": "added"}]) == 403
    assert refusal(upstream, signed(upstream) | {"x-amz-security-token": "added"}) == 403


@pytest.mark.parametrize(
    "fields",
    [
        {"messages": []},
        {"messages": [{"role": "assistant", "content": [{"text": "x"}]}]},
        {"messages": [HI, HI]},
        {"messages": [{"role": "user", "content": [{"text": " "}]}]},
        {"messages": [{"role": "user", "content": [{"toolResult": {"toolUseId": "a", "content": [{"text": "x"}]}}]}]},
        {"messages": [{"role": "user", "content": [{"text": "x"}, *[{"cachePoint": {"type": "default"}}] * 5]}]},
        {"toolConfig": {"tools": []}},
        {"inferenceConfig": {"temperature": 1.5}},
    ],
)
def test_what_amazon_refuses_is_refused(upstream: UpstreamProcess, fields: Json) -> None:
    assert refusal(upstream, **fields) == 400


def test_a_stream_is_frames_with_the_count_at_the_end(upstream: UpstreamProcess) -> None:
    stream = converse(upstream, "anthropic.script:cached:read=1,written=2,hour=1", verb="converse-stream")
    found = list(FrameParser().feed(stream))
    assert [frame.headers[":event-type"] for frame in found] == [
        *("messageStart", *["contentBlockDelta"] * 5, "contentBlockStop", "messageStop", "metadata"),
    ]
    assert json.loads(found[-1].payload)["usage"] == {
        **{
            "inputTokens": 0,
            "outputTokens": 5,
            "totalTokens": 8,
            "cacheReadInputTokens": 1,
            "cacheWriteInputTokens": 2,
        },
        "cacheDetails": [{"ttl": "1h", "inputTokens": 1}, {"ttl": "5m", "inputTokens": 1}],
    }
