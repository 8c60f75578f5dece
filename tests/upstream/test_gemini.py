"""The scripted upstream as Gemini: its responses, parts, signatures, counts and refusals."""

import json
import urllib.error

import pytest

from tests.upstream import gemini_talk
from tests.upstream.asking import GEMINI_TOOLS, chunks, generate, parts, post, refusal, response
from tests.upstream.process import UpstreamProcess


def test_gemini_counts_thoughts_beside_the_words(upstream: UpstreamProcess) -> None:
    answer = response(upstream, "script:think:tokens=2", systemInstruction={"parts": [{"text": "be brief"}]})
    assert parts([answer]) == [
        {"text": "t0 t1 t2", "thought": True},
        {"text": "w0 w1", "thoughtSignature": gemini_talk.SIGNATURE},
    ]
    assert answer["candidates"][0]["finishReason"] == "STOP"
    assert answer["usageMetadata"] == {
        "promptTokenCount": 5,
        "candidatesTokenCount": 2,
        "thoughtsTokenCount": 3,
        "totalTokenCount": 10,
    }


def test_a_gemini_stream_is_whole_responses_with_new_parts(upstream: UpstreamProcess) -> None:
    found = chunks(upstream, "script:ok:tokens=2")
    assert [part["text"] for part in parts(found)] == ["w0", " w1", ""]
    assert [chunk["usageMetadata"]["candidatesTokenCount"] for chunk in found] == [1, 2, 2]
    assert [chunk["candidates"][0].get("finishReason") for chunk in found] == [None, None, "STOP"]


def test_gemini_signs_thoughts_on_a_last_empty_text(upstream: UpstreamProcess) -> None:
    assert parts(chunks(upstream, "script:think"))[-1] == {"text": "", "thoughtSignature": gemini_talk.SIGNATURE}


@pytest.mark.parametrize("is_streaming", [False, True])
def test_gemini_gives_calls_whole_and_signs_the_first(upstream: UpstreamProcess, is_streaming: bool) -> None:
    answers = chunks if is_streaming else lambda *args, **fields: [response(*args, **fields)]
    found = answers(upstream, "script:interleaved", tools=GEMINI_TOOLS)
    assert [part for part in parts(found) if "functionCall" in part] == [
        {
            "functionCall": {"id": "call_paris", "name": "look", "args": {"city": "Paris"}},
            "thoughtSignature": gemini_talk.SIGNATURE,
        },
        {"functionCall": {"id": "call_oslo", "name": "find", "args": {"city": "Oslo"}}},
    ]
    assert found[-1]["candidates"][0]["finishReason"] == "STOP"


def test_gemini_can_leave_ids_out(upstream: UpstreamProcess) -> None:
    found = parts([response(upstream, "script:tools:parallel=2,ids=0")])
    assert [part["functionCall"].get("id") for part in found if "functionCall" in part] == [None, None]


def test_a_gemini_agent_answers_the_result(upstream: UpstreamProcess) -> None:
    asked = response(upstream, "script:agent", tools=GEMINI_TOOLS)
    said = asked["candidates"][0]["content"]
    (call,) = [part["functionCall"] for part in parts([asked]) if "functionCall" in part]
    result = {"functionResponse": {"id": call["id"], "name": call["name"], "response": {"output": "sun and rain"}}}
    contents = [{"role": "user", "parts": [{"text": "hi"}]}, said, {"role": "user", "parts": [result]}]
    answer = response(upstream, "script:agent", tools=GEMINI_TOOLS, contents=contents)
    assert not any("functionCall" in part for part in parts([answer]))
    assert answer["usageMetadata"]["promptTokenCount"] == 4
    entry = upstream.log()[-1]
    signed = [part for part in said["parts"] if "thoughtSignature" in part]
    assert entry.signed == [json.dumps(part) for part in signed]
    assert entry.dialect == "gemini"
    assert entry.body["contents"] == [
        {"role": "user", "parts": [{"text": ""}]},
        {"role": "model", "parts": [{"text": "", "thought": True}, *signed]},
        {"role": "user", "parts": [{"functionResponse": {**result["functionResponse"], "response": {}}}]},
    ]


def test_gemini_counts_cached_tokens_inside_the_prompt(upstream: UpstreamProcess) -> None:
    usage = response(upstream, "script:cached")["usageMetadata"]
    assert (usage["promptTokenCount"], usage["cachedContentTokenCount"]) == (3, 2)


def test_a_blank_gemini_answer_is_one_empty_text(upstream: UpstreamProcess) -> None:
    assert parts([response(upstream, "script:empty")]) == [{"text": ""}]


def test_geminis_refusals_carry_status_and_delay(upstream: UpstreamProcess) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        generate(upstream, "script:429:s=7")
    with caught.value as error:
        said = json.load(error)["error"]
    assert (said["code"], said["status"]) == (429, "RESOURCE_EXHAUSTED")
    assert said["details"][0]["retryDelay"] == "7s"


@pytest.mark.parametrize("verb", ["streamGenerateContent", "countTokens", "streamGenerateContent?alt=json"])
def test_gemini_streams_only_as_events(upstream: UpstreamProcess, verb: str) -> None:
    assert refusal(lambda: generate(upstream, "script:ok", verb=verb)) == (400, "INVALID_ARGUMENT")


def test_an_error_object_ends_a_gemini_stream(upstream: UpstreamProcess) -> None:
    found = chunks(upstream, "script:error-in-stream:k=1")
    assert found[-1]["error"]["status"] == "UNAVAILABLE"
    assert len(found) == 2


@pytest.mark.parametrize("path", ["script:ok:tokens=1", "script%3Aok%3Atokens%3D1"])
def test_gemini_takes_a_script_as_it_is_or_encoded(upstream: UpstreamProcess, path: str) -> None:
    body = {"contents": [{"parts": [{"text": "hi"}]}]}
    answer = json.loads(post(f"{upstream.origin}/v1beta/models/{path}:generateContent", body, {}))
    assert answer["modelVersion"] == "script:ok:tokens=1"
    assert parts([answer]) == [{"text": "w0"}]
