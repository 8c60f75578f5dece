"""The child's program alone, with the real engine and the real model."""

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kyma.local.engines import llama
from kyma.local.handshake import Listening
from tests.unit.local.processes import dies_with_its_parent

KEY = "a-key-of-the-test"
CONTEXT_TOKENS = 512
PROGRAM = [sys.executable, "-P", "-m", "kyma.local.llm"]
SECRET = "xylophonic-marmalade"


class Child:
    def __init__(self, gguf: Path, log: Path) -> None:
        self.log = log
        with log.open("wb") as said:
            self.process = subprocess.Popen(PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said)
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(assignment(gguf, os.getpid()))
        self.process.stdin.flush()
        self.port = msgspec.json.decode(self.process.stdout.readline(), type=Listening).port

    def post(self, body: bytes, key: str = KEY) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
            connection.request("POST", "/v1/chat/completions", body, headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def chat(self, prompt: str, **fields: Any) -> tuple[int, Any]:
        status, answer = self.post(chat_body(prompt, **fields))
        return status, json.loads(answer)

    def close(self) -> int:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait(5)


def assignment(gguf: Path, parent_pid: int) -> bytes:
    order = llama(gguf, name="tiny", context_tokens=CONTEXT_TOKENS).order(parent_pid, 0, KEY)
    return msgspec.json.encode(order) + b"\n"


def chat_body(prompt: str, **fields: Any) -> bytes:
    messages = [{"role": "system", "content": "You are a helpful assistant."}, {"role": "user", "content": prompt}]
    return json.dumps({"model": "tiny", "messages": messages, "max_tokens": 40, "temperature": 0, **fields}).encode()


@pytest.fixture(scope="module")
def child(gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    running = Child(gguf, tmp_path_factory.mktemp("child") / "stderr")
    yield running
    running.close()


def test_answers_a_chat_and_counts_its_tokens(child: Child) -> None:
    status, answer = child.chat("Say hello.")
    assert status == 200
    assert "hello" in answer["choices"][0]["message"]["content"].lower()
    usage = answer["usage"]
    assert usage["prompt_tokens"] > 10 and 0 < usage["completion_tokens"] <= 40


def test_calls_the_model_by_its_name_and_not_by_its_path(child: Child) -> None:
    assert child.chat("Hi", max_tokens=1)[1]["model"] == "tiny"


def test_refuses_a_request_without_the_key(child: Child) -> None:
    assert child.post(chat_body("Hi"), key="another")[0] == 401


def test_max_tokens_ends_an_answer(child: Child) -> None:
    answer = child.chat("Tell me a long story.", max_tokens=5)[1]
    assert (answer["usage"]["completion_tokens"], answer["choices"][0]["finish_reason"]) == (5, "length")


def test_a_stream_ends_with_usage_when_asked(child: Child) -> None:
    body = chat_body("Say hello.", max_tokens=5, stream=True, stream_options={"include_usage": True})
    events = child.post(body)[1].decode().strip().split("\n\n")
    assert events[-1] == "data: [DONE]"
    last = json.loads(events[-2].removeprefix("data: "))
    assert last["choices"] == [] and last["usage"]["completion_tokens"] == 5


def test_a_json_schema_is_obeyed(child: Child) -> None:
    schema = {
        "type": "object",
        "properties": {"age": {"type": "integer", "minimum": 1, "maximum": 99}, "is_cat": {"type": "boolean"}},
        "required": ["age", "is_cat"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "pet", "schema": schema}}
    content = json.loads(child.chat("Describe a pet.", response_format=wanted)[1]["choices"][0]["message"]["content"])
    assert set(content) == {"age", "is_cat"} and 1 <= content["age"] <= 99


def test_json_object_mode_writes_an_object(child: Child) -> None:
    answer = child.chat("Say hello.", response_format={"type": "json_object"}, max_tokens=8)[1]
    assert answer["choices"][0]["message"]["content"].lstrip().startswith("{")


def test_a_prompt_over_the_context_is_a_plain_400_and_each_slot_has_all_of_it(child: Child) -> None:
    status, answer = child.chat("word " * 600)
    assert status == 400
    assert answer["error"]["type"] == "exceed_context_size_error" and answer["error"]["n_ctx"] == CONTEXT_TOKENS


def test_what_callers_wrote_is_never_logged(child: Child) -> None:
    broken_schema = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": SECRET}}}
    assert child.chat(SECRET, max_tokens=1)[0] == 200
    assert child.chat("Hi", response_format=broken_schema)[0] == 400
    assert child.chat("Hi", grammar=f"root ::= {SECRET}")[0] == 400
    assert child.post(b'{"messages": "' + SECRET.encode())[0] == 400
    assert SECRET not in child.log.read_text()


def test_the_key_is_in_no_place_that_other_users_can_read(child: Child) -> None:
    assert KEY.encode() not in Path(f"/proc/{child.process.pid}/cmdline").read_bytes()


def test_a_crash_would_leave_no_core_file(child: Child) -> None:
    limits = Path(f"/proc/{child.process.pid}/limits").read_text().splitlines()
    assert next(line.split()[4:6] for line in limits if line.startswith("Max core file size")) == ["0", "0"]


def test_ends_when_its_stdin_ends(gguf: Path, tmp_path: Path) -> None:
    assert Child(gguf, tmp_path / "stderr").close() == 0


def test_is_killed_with_its_parent_even_if_its_stdin_stays_open(gguf: Path) -> None:
    assert dies_with_its_parent(PROGRAM, partial(assignment, gguf))


def test_ends_at_once_when_its_parent_is_not_who_it_should_be(gguf: Path) -> None:
    ended = subprocess.run(PROGRAM, input=assignment(gguf, parent_pid=1), stdout=subprocess.PIPE, timeout=10)
    assert (ended.returncode, ended.stdout) == (0, b"")
