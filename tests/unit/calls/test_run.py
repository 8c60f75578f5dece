"""A call is settled whatever breaks: here our own code, before anything was asked."""

import json
from pathlib import Path
from typing import Any

from kyma.calls.outlet import HeaderLines
from kyma.config import load_config
from kyma.core.errors import KymaError
from kyma.dialects import openai_chat
from kyma.gateway import open_gateway
from tests.gateway_catalog import ModelSpec, ProviderSpec, RouteSpec, write_catalog

GRANT = 10**12


class BrokenDialect:
    """OpenAI chat with a bug in it."""

    NAME = openai_chat.NAME
    render_response = staticmethod(openai_chat.render_response)
    render_error = staticmethod(openai_chat.render_error)

    def stream_encoder(self, *_: object) -> Any:
        raise LookupError("a bug of ours")


class Answered:
    """Keeps what an answer would have been."""

    def __init__(self) -> None:
        self.said: list[object] = []

    async def wait_writable(self) -> None: ...

    def begin(self, lines: HeaderLines) -> None:
        self.said.append(lines)

    def write(self, data: bytes) -> bool:
        self.said.append(data)
        return True

    def end(self, data: bytes) -> None:
        self.said.append(data)

    def answer(self, lines: HeaderLines, body: bytes) -> None:
        self.said.append(body)

    async def fail(self, error: KymaError, headers: object) -> None:
        self.said.append(error.status)


async def test_a_stream_whose_encoder_cannot_be_made_is_an_error_and_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    nobody = ProviderSpec("nobody", "http://127.0.0.1:9/v1", {})
    write_catalog(tmp_path / "config", [nobody], [ModelSpec("m", [RouteSpec("nobody", "m")])])
    settings = {"KYMA_CONFIG_DIR": str(tmp_path / "config"), "KYMA_DATA_DIR": str(tmp_path / "data")}
    config = load_config(settings | {"KYMA_LOCAL_ENABLED": "false", "NOBODY_API_KEY": "k"})
    async with open_gateway(config) as gateway:
        key = await gateway.registration.ensure_operator("ada@example.com", GRANT)
        principal = await gateway.accounts.authenticate(key)
        body = json.dumps({"model": "m", "stream": True, "messages": [{"role": "user", "content": "Hi"}]})
        call = await gateway.calls.open(principal, openai_chat.parse_request(body.encode()))
        assert (await gateway.ledger.balance(principal.account_id)).reserved > 0
        answered = Answered()
        await gateway.calls.run(call, BrokenDialect(), answered)
        balance = await gateway.ledger.balance(principal.account_id)
        assert (answered.said, call.is_settled, gateway.calls.live_count) == ([500], True, 0)
        assert (balance.reserved, balance.spendable) == (0, GRANT)
