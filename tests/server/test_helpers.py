"""The official SDKs' helpers on every family: answers parsed into models, tools run until the answer stands."""

from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest
from anthropic import beta_tool
from google import genai
from google.genai import types
from openai.lib.responses_tool_runner import RegisteredFunction, ResponsesToolRunner
from pydantic import BaseModel

from tests.gateway_catalog import SUFFIXES
from tests.gateway_process import GatewayProcess
from tests.server.api import Api
from tests.upstream.process import UpstreamProcess

FAMILIES = list(SUFFIXES.values())
HI: Any = [{"role": "user", "content": "one two three"}]


class Trip(BaseModel):
    city: str
    days: list[int]


class LookUp(BaseModel):
    """Looks a city up."""

    city: str


ZURICH = Trip(city="Zürich", days=[1, 2])


@pytest.fixture
def claude(gateway: GatewayProcess) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=gateway.base_url, api_key=gateway.key, max_retries=0, timeout=15) as client:
        yield client


@pytest.fixture
def google(gateway: GatewayProcess) -> Iterator[genai.Client]:
    with genai.Client(api_key=gateway.key, http_options=types.HttpOptions(base_url=gateway.base_url)) as client:
        yield client


@pytest.mark.parametrize("family", FAMILIES)
def test_chat_is_parsed_into_a_model(sdk: openai.OpenAI, family: str) -> None:
    whole = sdk.chat.completions.parse(model=f"structured{family}", messages=HI, response_format=Trip)
    assert whole.choices[0].message.parsed == ZURICH
    with sdk.chat.completions.stream(model=f"structured{family}", messages=HI, response_format=Trip) as stream:
        assert stream.get_final_completion().choices[0].message.parsed == ZURICH


@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "-cohere"])  # which has no word for it
def test_a_refusal_is_not_parsed(sdk: openai.OpenAI, family: str) -> None:
    """Vendors that keep a refusal apart give it as one; others filter the answer, which the helper raises."""
    if family:
        with pytest.raises(openai.ContentFilterFinishReasonError):
            sdk.chat.completions.parse(model=f"decline{family}", messages=HI, response_format=Trip)
    else:
        message = sdk.chat.completions.parse(model="decline", messages=HI, response_format=Trip).choices[0].message
        assert (message.parsed, message.refusal) == (None, "I can't help with that.")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_call_in_chat_is_parsed_into_a_model(sdk: openai.OpenAI, family: str) -> None:
    tools: Any = [openai.pydantic_function_tool(LookUp)]
    whole = sdk.chat.completions.parse(model=f"tool-agent{family}", messages=HI, tools=tools)
    calls = whole.choices[0].message.tool_calls or []
    assert [call.function.parsed_arguments for call in calls] == [LookUp(city="Paris")]
    with sdk.chat.completions.stream(model=f"tool-agent{family}", messages=HI, tools=tools) as stream:
        done = [event for event in stream if event.type == "tool_calls.function.arguments.done"]
    assert [event.parsed_arguments for event in done] == [LookUp(city="Paris")]


@pytest.mark.parametrize("family", FAMILIES)
def test_responses_are_parsed_into_a_model(sdk: openai.OpenAI, family: str) -> None:
    model = f"structured{family}"
    assert sdk.responses.parse(model=model, input="hi", text_format=Trip).output_parsed == ZURICH
    with sdk.responses.stream(model=model, input="hi", text_format=Trip) as stream:
        assert stream.get_final_response().output_parsed == ZURICH


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("is_streaming", [False, True], ids=["whole", "streamed"])
def test_responses_runs_tools_to_the_answer(sdk: openai.OpenAI, family: str, is_streaming: bool) -> None:
    asked: list[LookUp] = []

    def look_up(arguments: LookUp) -> str:
        asked.append(arguments)
        return "sunny"

    tool: Any = openai.pydantic_function_tool(LookUp)
    flat: Any = {"type": "function", **tool["function"]}
    run: Any = lambda arguments: look_up(LookUp.model_validate(arguments))  # noqa: E731
    runner = ResponsesToolRunner(functions=[RegisteredFunction(flat, run)])
    params: Any = {"model": f"reasoner{family}", "input": "hi", "store": False}
    final = runner.run(sdk, params, max_steps=5, stream=is_streaming)
    assert final.output_text == "w0 w1 w2 w3 w4"
    assert asked == [LookUp(city="Paris")] * 2


@pytest.mark.parametrize("family", FAMILIES)
def test_messages_are_parsed_into_a_model(claude: anthropic.Anthropic, family: str) -> None:
    asked: Any = {"model": f"structured{family}", "max_tokens": 50, "messages": HI, "output_format": Trip}
    assert claude.messages.parse(**asked).parsed_output == ZURICH
    with claude.messages.stream(**asked) as stream:
        assert stream.get_final_message().parsed_output == ZURICH


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("is_streaming", [False, True], ids=["whole", "streamed"])
def test_the_tool_runner_goes_on_to_the_answer(claude: anthropic.Anthropic, family: str, is_streaming: bool) -> None:
    """It first asks for a kept thread, is told that there are none, and falls back to the whole history."""
    asked: list[str] = []

    @beta_tool
    def look_up(city: str) -> str:
        """Looks a city up.

        Args:
            city: Which one.
        """
        asked.append(city)
        return "sunny"

    runner: Any = claude.beta.messages.tool_runner(
        model=f"reasoner{family}", max_tokens=500, messages=HI, tools=[look_up], stream=is_streaming
    )
    turns = [turn.get_final_message() if is_streaming else turn for turn in runner]
    assert [turn.stop_reason for turn in turns] == ["tool_use", "tool_use", "end_turn"]
    assert asked == ["Paris", "Paris"]
    assert [block.text for block in turns[-1].content if block.type == "text"] == ["w0 w1 w2 w3 w4"]


def test_the_tool_runners_thoughts_come_home_signed(claude: anthropic.Anthropic, upstream: UpstreamProcess) -> None:
    @beta_tool
    def look_up(city: str) -> str:
        """Looks a city up."""
        return city

    runner = claude.beta.messages.tool_runner(model="reasoner-anthropic", max_tokens=500, messages=HI, tools=[look_up])
    assert runner.until_done().stop_reason == "end_turn"
    assert len(upstream.log()[-1].signed) == 4, "a thought and a redacted one for each of two turns"


def test_beta_messages_are_counted_as_others(claude: anthropic.Anthropic, operator: Api) -> None:
    before = operator.balance()
    counted: Any = {"model": "good-anthropic", "messages": HI, "system": "be brief", "tools": []}
    plain = claude.messages.count_tokens(**counted).input_tokens
    assert plain == claude.beta.messages.count_tokens(**counted).input_tokens > 0
    assert operator.balance() == before


@pytest.mark.parametrize("family", FAMILIES)
def test_gemini_is_parsed_into_a_model(google: genai.Client, family: str) -> None:
    config = types.GenerateContentConfig(response_mime_type="application/json", response_schema=Trip)
    answer = google.models.generate_content(model=f"structured{family}", contents="hi", config=config)
    assert answer.parsed == ZURICH


@pytest.mark.parametrize("family", FAMILIES)
def test_gemini_calls_functions_by_itself(google: genai.Client, family: str) -> None:
    asked: list[str] = []

    def look_up(city: str) -> str:
        """Looks a city up."""
        asked.append(city)
        return "sunny"

    config = types.GenerateContentConfig(tools=[look_up])
    answer = google.models.generate_content(model=f"reasoner{family}", contents="hi", config=config)
    assert (answer.text, asked) == ("w0 w1 w2 w3 w4", ["Paris", "Paris"])


@pytest.mark.parametrize("family", FAMILIES)
def test_a_gemini_chat_keeps_its_history(google: genai.Client, family: str) -> None:
    chat = google.chats.create(model=f"think{family}")
    assert chat.send_message("one").text == "w0 w1 w2 w3 w4"
    assert "".join(piece.text or "" for piece in chat.send_message_stream("two")) == "w0 w1 w2 w3 w4"
    assert len(chat.get_history(curated=True)) >= 4


def test_gemini_counts_tokens(google: genai.Client) -> None:
    assert (google.models.count_tokens(model="good", contents="one two three").total_tokens or 0) > 0
