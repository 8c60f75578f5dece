"""A customer's view of a gateway without any SDK: requests by `http.client`, answers as they came.

Every answer is searched for words that would tell who served it, so each test that uses this also tests that.
"""

import http.client
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

NANOS = 1_000_000_000
UPSTREAM_ID = re.compile(rb"chatcmpl-\d{1,9}\b(?![0-9a-f])")
"""Ids as the scripted upstream counts them; ours have 24 hex digits."""

HELLO = [{"role": "user", "content": "one two three"}]


class Answer(msgspec.Struct, frozen=True):
    """One response; header names in lower case, a repeated header joined with commas."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> Mapping[str, Any]:
        """The error object, checked for its form."""
        body = self.json()
        assert list(body) == ["error"], body
        error: Mapping[str, Any] = body["error"]
        assert set(error) == {"message", "type", "code", "param"}, error
        for name in ("message", "type", "code"):
            assert isinstance(error[name], str) and error[name], error
        assert error["param"] is None or isinstance(error["param"], str)
        return error

    @property
    def cost(self) -> int:
        """`usage.cost` in nano-dollars, exactly."""
        return nanos(json.loads(self.body, parse_float=Decimal)["usage"]["cost"])

    def chunks(self) -> list[Any]:
        """Every JSON payload of a stream, in order."""
        return [json.loads(payload) for payload in self.payloads() if payload != b"[DONE]"]

    def payloads(self) -> Iterator[bytes]:
        """Every payload of a stream; anything that is neither data nor a comment is a failure."""
        for line in self.body.split(b"\n"):
            if line and not line.startswith(b":"):
                assert line.startswith(b"data: "), line
                yield line.removeprefix(b"data: ")

    @property
    def is_finished(self) -> bool:
        """Whether a client would take this stream for a complete answer."""
        return b"data: [DONE]" in self.body

    @property
    def text(self) -> str:
        """The content of a stream or of a whole answer."""
        if self.headers["content-type"].startswith("text/event-stream"):
            deltas = [choice["delta"] for chunk in self.chunks() for choice in chunk.get("choices", ())]
        else:
            deltas = [choice["message"] for choice in self.json()["choices"]]
        return "".join(delta.get("content") or "" for delta in deltas)


def exact(answer: Answer) -> Any:
    """The body of a 200, its numbers as they were written."""
    assert answer.status == 200, answer
    return json.loads(answer.body, parse_float=Decimal)


class Api:
    """One customer of one gateway. `forbidden` are words that no answer may hold."""

    def __init__(self, port: int, key: str, forbidden: Iterable[bytes] = (), source_ip: str = "127.0.0.1") -> None:
        self.port = port
        self.key = key
        self.base_url = f"http://127.0.0.1:{port}"
        self._forbidden = tuple(forbidden)
        self._source_ip = source_ip

    def as_(self, key: str) -> "Api":
        """The same view with another key."""
        return Api(self.port, key, self._forbidden, self._source_ip)

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request on a connection of its own; `headers` replace ours of the same name."""
        sent = {"authorization": f"Bearer {self.key}"} if self.key else {}
        if body is not None:
            sent["content-type"] = "application/json"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15, source_address=(self._source_ip, 0))
        try:
            connection.request(method, path, body, sent | dict(headers or {}))
            return self._checked(connection.getresponse())
        finally:
            connection.close()

    def get(self, path: str) -> Answer:
        return self.send("GET", path)

    def post(self, path: str, body: object) -> Answer:
        return self.send("POST", path, json.dumps(body).encode())

    def chat(self, model: str, **fields: object) -> Answer:
        return self.post("/v1/chat/completions", {"model": model, "messages": HELLO, **fields})

    def stream(self, model: str, **fields: object) -> Answer:
        return self.chat(model, stream=True, **fields)

    def balance(self) -> int:
        """The balance in nano-dollars."""
        return nanos(exact(self.get("/v1/credits/balance"))["balance"])

    def _checked(self, response: http.client.HTTPResponse) -> Answer:
        headers: dict[str, str] = {}
        for name, value in response.getheaders():
            name = name.lower()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        answer = Answer(response.status, headers, response.read())
        said = answer.body + repr(headers).encode()
        for word in self._forbidden:
            assert word.lower() not in said.lower(), f"{word!r} is told to a customer: {said!r}"
        assert not UPSTREAM_ID.search(said), said
        return answer


def nanos(dollars: Decimal | int) -> int:
    """Dollars as a JSON number, in nano-dollars. A failure unless exact."""
    amount = Decimal(dollars) * NANOS
    assert amount == amount.to_integral_value(), dollars
    return int(amount)
