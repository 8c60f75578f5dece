"""The service's own Python packages, as they lie on PyPI, against a live gateway: kyma-ai 0.1.0, langchain-kyma 0.1.0.

Nothing of them is changed but the address, by the means they give: `base_url`, and the variable KYMA_API_BASE.
"""

from collections.abc import Iterator

import pytest
from kyma_ai import Kyma
from langchain_core.messages import AIMessage
from langchain_kyma import ChatKyma
from pydantic import BaseModel

from tests.gateway_catalog import ModelSpec, ProviderSpec, RouteSpec
from tests.gateway_process import GatewayProcess
from tests.upstream.process import UpstreamProcess

DEFAULTS = {"llama-3.3-70b": "script:ok", "qwen-3.6-plus": "script:agent", "in-json": "script:structured"}
"""What the packages ask for when nothing is said, and a model that answers in JSON; each with its script."""

ALIASES = ("best", "fast", "code", "reasoning", "agent", "vision")
WORDS = "w0 w1 w2 w3 w4"


class City(BaseModel):
    """Where it is."""

    city: str


@pytest.fixture(scope="module")
def official(upstream_process: UpstreamProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """A gateway that has the packages' default models, and their aliases."""
    providers = [ProviderSpec("official", upstream_process.base_url)]
    models = [ModelSpec(name, [RouteSpec("official", script)]) for name, script in DEFAULTS.items()]
    process = GatewayProcess(tmp_path_factory.mktemp("official"), providers, models)
    rows = (f'[{alias}]\ntargets = ["qwen-3.6-plus"]\nsource = "tests"\n' for alias in ALIASES)
    (process.config_dir / "aliases.toml").write_text("\n".join(rows))
    with process:
        yield process


@pytest.fixture
def kyma(official: GatewayProcess) -> Iterator[Kyma]:
    client = Kyma(official.key, base_url=f"{official.base_url}/v1")
    yield client
    client.openai.close()


@pytest.fixture
def environment(official: GatewayProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a user of langchain-kyma sets."""
    monkeypatch.setenv("KYMA_API_KEY", official.key)
    monkeypatch.setenv("KYMA_API_BASE", f"{official.base_url}/v1")


@pytest.fixture
def chat(environment: None) -> Iterator[ChatKyma]:
    made = ChatKyma()
    yield made
    made.root_client.close()


def test_kyma_ai_asks(kyma: Kyma) -> None:
    assert kyma.ask("one two three", max_tokens=64, temperature=0.5) == WORDS


def test_kyma_ai_streams(kyma: Kyma) -> None:
    """It reads the first choice of every chunk, so none may come without one."""
    assert "".join(kyma.ask_stream("one two three")) == WORDS


def test_kyma_ai_lists_models_without_a_key(kyma: Kyma) -> None:
    rows = {row["id"]: row for row in kyma.list_models()}
    assert "llama-3.3-70b" in rows
    assert rows["llama-3.3-70b"]["pricing"]["input_per_1m"] == 1.0


def test_kyma_ai_reads_the_balance_as_its_readme_does(kyma: Kyma) -> None:
    before = kyma.get_balance()["balance"]
    assert f"{before:.2f}" == "100.00"
    kyma.ask("one two three")
    assert round((before - kyma.get_balance()["balance"]) * 1_000_000) == 13


def test_kyma_ai_has_openais_own_client(kyma: Kyma) -> None:
    answer = kyma.chat.completions.create(model="best", messages=[{"role": "user", "content": "one"}])
    assert (answer.model, answer.choices[0].message.content) == ("qwen-3.6-plus", WORDS)
    assert "qwen-3.6-plus" in [model.id for model in kyma.models.list()]


def test_langchain_invokes_its_default_model(chat: ChatKyma) -> None:
    answer = chat.invoke([("system", "Be brief."), ("human", "one two three")])
    assert answer.content == WORDS
    assert answer.response_metadata["model_name"] == "qwen-3.6-plus"
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["total_tokens"] == sum(
        answer.usage_metadata[side] for side in ("input_tokens", "output_tokens")
    )


def test_langchain_streams(chat: ChatKyma) -> None:
    assert "".join(str(chunk.content) for chunk in chat.stream("one two three")) == WORDS


@pytest.mark.parametrize("alias", ALIASES)
def test_langchain_is_told_which_model_an_alias_stood_for(environment: None, alias: str) -> None:
    chat = ChatKyma(model=alias)
    assert chat.invoke("one two three").response_metadata["model_name"] == "qwen-3.6-plus"
    chat.root_client.close()


def test_langchain_calls_tools(chat: ChatKyma) -> None:
    answer = chat.bind_tools([City]).invoke("Where is it?")
    assert isinstance(answer, AIMessage)
    assert [(call["name"], call["args"]) for call in answer.tool_calls] == [("City", {"city": "Paris"})]


def test_langchain_forces_a_tool_for_structured_output(chat: ChatKyma, upstream_process: UpstreamProcess) -> None:
    structured = chat.with_structured_output(City, method="function_calling")
    upstream_process.reset()
    assert structured.invoke("Where is it?") == City(city="Paris")
    (entry,) = upstream_process.log("script:agent")
    assert entry.body["tool_choice"] == {"type": "function", "function": {"name": "City"}}


def test_langchain_reads_json_mode(environment: None) -> None:
    chat = ChatKyma(model="in-json")
    answer = chat.with_structured_output(method="json_mode").invoke("Say it in JSON.")
    assert answer == {"city": "Zürich", "days": [1, 2]}
    chat.root_client.close()
