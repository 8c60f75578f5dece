"""A chat as a Converse body, with the report on what that leaves out or says another way."""

from collections.abc import Iterable
from typing import Any

import msgspec

from kyma.core.chat import Chat, Effort, Rendered, Tool
from kyma.core.model import Quirks
from kyma.dialects.bedrock_converse.makers import Maker, maker_of
from kyma.dialects.bedrock_converse.media import Block
from kyma.dialects.bedrock_converse.turns import Turns, limit_cache_points
from kyma.dialects.bedrock_converse.wire import encoder
from kyma.dialects.report import Report
from kyma.dialects.schemas import FREE_TEXT, closed, of_object

UNSAYABLE = (
    *("seed", "logit_bias", "top_logprobs", "verbosity", "cache_key", "user"),
    *("presence_penalty", "frequency_penalty"),
)
"""Wishes that Converse has no word for. `requestMetadata` could hold a user, for our own logs at Amazon alone."""

PENALTIES = ("presence_penalty", "frequency_penalty")
TIERS = ("default", "priority", "flex", "reserved")
MAX_TEMPERATURE = 1.0
EFFORTS: tuple[Effort, ...] = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
BUDGETS: tuple[tuple[int, Effort], ...] = ((4_096, "low"), (16_384, "medium"))
"""Up to how many tokens of thought an effort stands for; more is `high`."""

ANY_OBJECT = "Answer with one JSON object, and nothing else."
UNDER_SCHEMA = "Answer with one JSON object, and nothing else, that is valid under this JSON schema:\n"
CALL_NOTHING = "Do not call any tool now."

WISHES = {field.name: field.default for field in msgspec.structs.fields(Chat) if field.default is not msgspec.NODEFAULT}
"""What a request need not ask for, and how it says that it does not."""

_any_decoder = msgspec.json.Decoder()


def translate(chat: Chat, upstream_model: str, quirks: Quirks) -> Rendered:
    """The whole body and its report."""
    report = Report(chat.names, chat.lost)
    chat = _without(chat, quirks.drop, report)
    for concept in UNSAYABLE:
        if (asked := getattr(chat, concept)) is not None and not (concept in PENALTIES and asked == 0):
            report.drop(concept)
    if chat.n != 1:
        report.drop("n")
    body = _Body(chat, maker_of(upstream_model), quirks, report).write()
    return Rendered(encoder.encode(body | quirks.force), *report.both)


class _Body:
    """One request being written: `fields` are its members, `more` those that stand under the model's own names."""

    def __init__(self, chat: Chat, maker: Maker, quirks: Quirks, report: Report) -> None:
        self._chat = chat
        self._maker = maker
        self._quirks = quirks
        self._report = report
        self._turns = Turns(maker, quirks.reasoning_required, report)
        self._fields: dict[str, Any] = {}
        self._more: dict[str, Any] = {}

    def write(self) -> dict[str, Any]:
        chat, fields, turns = self._chat, self._fields, self._turns
        turns.write(chat.messages)
        tools = self._tools()
        instruction = self._format()
        turns.system += [{"text": words} for words in (instruction, self._choose(tools)) if words]
        limit_cache_points([tools, turns.system, *(turn["content"] for turn in turns.turns)])
        if turns.system:
            fields["system"] = turns.system
        fields["messages"] = turns.turns
        fields["inferenceConfig"] = self._sampling(self._reason())
        if chat.service_tier in TIERS:
            fields["serviceTier"] = {"type": chat.service_tier}
        elif chat.service_tier not in (None, "auto"):
            self._report.drop("service_tier")
        if self._more:
            fields["additionalModelRequestFields"] = self._more
        return fields

    def _tools(self) -> list[Block]:
        """The tools to offer. A history with calls in it is refused without any, so then its own stand in."""
        chat, choice = self._chat, self._chat.tool_choice
        offered = [tool for tool in chat.tools if not tool.is_deferred or tool.name in self._turns.references]
        if len(offered) < len(chat.tools):
            self._report.emulate("deferred_tools")
        if choice is not None and choice.names and (choice.mode == "auto" or len(choice.names) > 1):
            offered = [tool for tool in offered if tool.name in choice.names]
            self._report.emulate("tool_choice")
        if choice is not None and choice.mode == "none" and not self._turns.called and not self._turns.has_results:
            self._report.emulate("tool_choice")
            return []
        if not offered and (self._turns.called or self._turns.has_results):
            self._report.emulate("tools")
            return [_spec(Tool(name, None, None)) for name in self._turns.called or ("unknown",)]
        return [block for tool in offered for block in self._turns.marked([self._tool(tool)], tool.cache)]

    def _tool(self, tool: Tool) -> Block:
        block = _spec(tool)
        if tool.is_custom:
            self._report.emulate("custom_tools")
        elif tool.strict and self._quirks.json_schema:
            block["toolSpec"]["strict"] = True
        elif tool.strict:
            self._report.drop("strict")
        return block

    def _choose(self, tools: list[Block]) -> str:
        """Say which tool must be called; what Converse has no word for is returned as words of the system."""
        chat, choice = self._chat, self._chat.tool_choice
        if not tools:
            if choice is not None and choice.mode == "required":
                self._report.drop("tool_choice")
            return ""
        config: dict[str, Any] = {"tools": tools}
        self._fields["toolConfig"] = config
        is_forced = choice is not None and choice.mode == "required"
        if chat.parallel_tool_calls is False:
            if self._maker.is_claude and not is_forced:  # beside a `toolChoice` it is a 400
                self._more["tool_choice"] = {"type": "auto", "disable_parallel_tool_use": True}
            else:
                self._report.drop("parallel_tool_calls")
        if choice is None or choice.mode == "auto":
            return ""
        if choice.mode == "none":
            self._report.emulate("tool_choice")
            return CALL_NOTHING
        if ("named" if len(choice.names) == 1 else "required") not in self._quirks.tool_choices:
            self._report.drop("tool_choice")
        else:
            config["toolChoice"] = {"tool": {"name": choice.names[0]}} if len(choice.names) == 1 else {"any": {}}
        return ""

    def _format(self) -> str:
        """Ask for JSON; returns the words that ask for it instead, where the model cannot be made to."""
        wanted = self._chat.output_format
        if wanted is None:
            return ""
        if wanted.schema is None or not self._quirks.json_schema:
            self._report.emulate("output_format")
            return ANY_OBJECT if wanted.schema is None else UNDER_SCHEMA + bytes(wanted.schema).decode()
        schema = encoder.encode(closed(_any_decoder.decode(wanted.schema))).decode()
        said = {"name": wanted.name, "schema": schema}
        if wanted.description:
            said["description"] = wanted.description
        text_format = {"type": "json_schema", "structure": {"jsonSchema": said}}
        self._fields["outputConfig"] = {"textFormat": text_format}
        return ""

    def _reason(self) -> bool:
        """Ask for thought in the maker's words; whether Claude is told to think, which a forced tool forbids."""
        wanted, maker = self._chat.reasoning, self._maker
        if wanted is None:
            return False
        if maker.reasoning is None:
            if wanted.effort != "none" and wanted.budget_tokens != 0:
                self._report.drop("reasoning")
            return False
        effort = wanted.effort
        if effort is None and wanted.budget_tokens is not None:
            budget = wanted.budget_tokens
            effort = next((word for limit, word in BUDGETS if budget <= limit), "high") if budget else "none"
            self._report.emulate("reasoning")
        if maker.reasoning != "adaptive":
            if effort is not None:
                self._more[maker.reasoning] = self._nearest(effort)
            return False
        if effort == "none":
            return False
        if effort is not None:
            self._say_effort(self._nearest(effort))
        if "toolChoice" in self._fields.get("toolConfig", ()):
            self._report.emulate("reasoning")
            return False
        shown = "omitted" if wanted.is_shown is False else "summarized"
        self._more["thinking"] = {"type": "adaptive", "display": shown}
        return True

    def _say_effort(self, effort: Effort) -> None:
        """In Claude's own words; beside a schema in Converse's, lest the one overwrite the other."""
        if "outputConfig" in self._fields:
            self._fields["outputConfig"]["effort"] = effort
        else:
            self._more["output_config"] = {"effort": effort}

    def _nearest(self, effort: Effort) -> Effort:
        """Of two as near, the higher."""
        taken = [word for word in self._maker.efforts if not self._quirks.efforts or word in self._quirks.efforts]
        wanted = EFFORTS.index(effort)
        nearest = min(taken, key=lambda word: (abs(EFFORTS.index(word) - wanted), -EFFORTS.index(word)))
        if nearest != effort:
            self._report.emulate("reasoning")
        return nearest

    def _sampling(self, thinks: bool) -> dict[str, Any]:
        """The `inferenceConfig`; Claude refuses sampling beside thought, and `top_p` beside `temperature`."""
        chat, maker = self._chat, self._maker
        config: dict[str, Any] = {"maxTokens": chat.max_tokens}
        if chat.temperature is not None:
            if thinks and chat.temperature != 1:
                self._report.drop("temperature")
            else:
                config["temperature"] = max(self._quirks.min_temperature, min(MAX_TEMPERATURE, chat.temperature))
                if config["temperature"] != chat.temperature:
                    self._report.emulate("temperature")
        if chat.top_p is not None:
            if thinks or (maker.is_claude and "temperature" in config):
                self._report.drop("top_p")
            else:
                config["topP"] = chat.top_p
        if chat.top_k is not None:
            if maker.top_k is None or thinks:
                self._report.drop("top_k")
            else:
                self._more |= {"top_k": chat.top_k} if maker.top_k == "flat" else _nested_top_k(chat.top_k)
        if stop := [text for text in chat.stop if text.strip()]:
            config["stopSequences"] = stop
        if len(stop) < len(chat.stop):
            self._report.drop("stop")
        return config


def _without(chat: Chat, refused: Iterable[str], report: Report) -> Chat:
    """The chat without the wishes that the source does not take, by our names of them."""
    asked = [name for name in refused if name in WISHES and getattr(chat, name) != WISHES[name]]
    for concept in asked:
        report.drop(concept)
    return msgspec.structs.replace(chat, **{name: WISHES[name] for name in asked})


def _nested_top_k(top_k: int) -> dict[str, Any]:
    return {"inferenceConfig": {"topK": top_k}}


def _spec(tool: Tool) -> Block:
    spec: dict[str, Any] = {"name": tool.name}
    description = tool.description or ""
    if tool.is_custom and tool.format is not None:
        description = f"{description}\nThe input has this format: {bytes(tool.format).decode()}"
    if description.strip():
        spec["description"] = description.strip() if tool.is_custom else description
    spec["inputSchema"] = {"json": FREE_TEXT if tool.is_custom else of_object(tool.parameters)}
    return {"toolSpec": spec}
