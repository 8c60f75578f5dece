"""A model of Claude's behind Bedrock: what only its maker's models take arrives there, and its proofs come home."""

import json
from typing import Any

from tests.server.api import Api
from tests.upstream.anthropic_talk import REDACTED, SIGNATURE
from tests.upstream.process import UpstreamProcess

MODEL = "claude-at-bedrock"
TOOL: dict[str, Any] = {
    "name": "look_up",
    "description": "Looks up",
    "input_schema": {"type": "object", "properties": {}},
}
MARK = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}


def ask(customer: Api, *turns: dict[str, Any], **fields: Any) -> tuple[dict[str, Any], Any]:
    """The message and the headers of its answer."""
    body = {"model": MODEL, "max_tokens": 500, "tools": [TOOL], "messages": [{"role": "user", "content": "hi"}, *turns]}
    answer = customer.send("POST", "/v1/messages", json.dumps(body | fields).encode())
    assert answer.status == 200, answer
    said: dict[str, Any] = json.loads(answer.body)
    return said, answer.headers


def test_proofs_of_thought_travel_through_a_customer_and_come_home(customer: Api, upstream: UpstreamProcess) -> None:
    first, _ = ask(customer)
    assert [block["type"] for block in first["content"]][:2] == ["thinking", "redacted_thinking"]
    assert first["content"][0]["signature"] == f"kyma.bedrock_converse.{SIGNATURE}"
    (call,) = [block for block in first["content"] if block["type"] == "tool_use"]
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call["id"], "content": "42"}]}
    _, headers = ask(customer, {"role": "assistant", "content": first["content"]}, result)
    thought = {"text": first["content"][0]["thinking"], "signature": SIGNATURE}
    assert [json.loads(block)["reasoningContent"] for block in upstream.log()[-1].signed] == [
        {"reasoningText": thought},
        {"redactedContent": REDACTED},
    ]
    assert "x-kyma-dropped" not in headers


def test_cache_marks_and_thought_are_said_in_its_makers_words(customer: Api, upstream: UpstreamProcess) -> None:
    system = [{"type": "text", "text": "be brief", **MARK}]
    _, headers = ask(customer, system=system, thinking={"type": "adaptive"}, output_config={"effort": "low"}, top_k=5)
    body = upstream.log()[-1].body
    assert body["system"] == [{"text": ""}, {"cachePoint": {"type": "default", "ttl": "1h"}}]
    assert body["additionalModelRequestFields"] == {
        "thinking": {"type": "adaptive", "display": "summarized"},
        "output_config": {"effort": "low"},
    }
    assert headers["x-kyma-dropped"] == "top_k"
