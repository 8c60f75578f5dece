"""Every field of every dialect's request with a value that asks for something, and the table of what becomes of them.

`python -m tests.dialects.every_field` prints docs/dialects.md.
"""

import json
from collections.abc import Iterator

import msgspec

from kyma.core.model import Quirks
from kyma.dialects import anthropic_messages, gemini, openai_chat, openai_completions, openai_responses, rerank
from kyma.providers.compat import DIALECTS
from kyma.providers.translate import translate

Json = dict[str, object]

HI = [{"role": "user", "content": "hi"}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CHAT_TOOL = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}
MESSAGES_TOOL = {"name": "weather", "input_schema": SCHEMA}
RESPONSES_TOOL = {"type": "function", "name": "weather", "parameters": SCHEMA}
GEMINI_TOOL = {"functionDeclarations": [{"name": "weather", "parametersJsonSchema": SCHEMA}]}

BASES: dict[str, Json] = {
    openai_chat.NAME: {"model": "m", "messages": HI},
    anthropic_messages.NAME: {"model": "m", "max_tokens": 100, "messages": HI},
    openai_responses.NAME: {"model": "m", "input": "hi", "store": False},
    gemini.NAME: {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
    openai_completions.NAME: {"model": "m", "prompt": "hi"},
}
"""The least that is a request."""

FIELDS: dict[str, Json] = {
    openai_chat.NAME: {
        "max_tokens": 9,
        "temperature": 0.5,
        "top_p": 0.5,
        "top_k": 3,
        "stop": ["x"],
        "n": 2,
        "seed": 1,
        "presence_penalty": 0.1,
        "frequency_penalty": 0.1,
        "logit_bias": {"1": 2},
        "logprobs": True,
        "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}},
        "reasoning_effort": "low",
        "verbosity": "low",
        "user": "u",
        "prompt_cache_key": "k",
        "service_tier": "auto",
        "tools": [CHAT_TOOL],
        "parallel_tool_calls": False,
        "tool_choice": "required",
        "prediction": {"type": "content", "content": "x"},
        "modalities": ["text", "audio"],
        "web_search_options": {},
        "store": True,
        "metadata": {"a": "b"},
    },
    anthropic_messages.NAME: {
        "system": "be brief",
        "temperature": 0.5,
        "top_p": 0.5,
        "top_k": 3,
        "stop_sequences": ["x"],
        "metadata": {"user_id": "u"},
        "thinking": {"type": "enabled", "budget_tokens": 2048},
        "output_config": {"effort": "low"},
        "cache_control": {"type": "ephemeral"},
        "tools": [MESSAGES_TOOL],
        "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
        "service_tier": "auto",
        "container": "c",
        "context_management": {"edits": []},
        "mcp_servers": [{"type": "url", "url": "https://mcp.test", "name": "m"}],
        "speed": "fast",
    },
    openai_responses.NAME: {
        "instructions": "be brief",
        "max_output_tokens": 9,
        "temperature": 0.5,
        "top_p": 0.5,
        "tools": [RESPONSES_TOOL],
        "tool_choice": "required",
        "parallel_tool_calls": False,
        "text": {"format": {"type": "json_schema", "name": "a", "schema": SCHEMA}},
        "reasoning": {"effort": "low"},
        "include": ["web_search_call.results"],
        "metadata": {"a": "b"},
        "prompt_cache_key": "k",
        "safety_identifier": "s",
        "service_tier": "auto",
        "truncation": "auto",
        "max_tool_calls": 2,
        "top_logprobs": 2,
        "store": True,
        "client_metadata": {"a": "b"},
    },
    gemini.NAME: {
        "systemInstruction": {"parts": [{"text": "be brief"}]},
        "tools": [GEMINI_TOOL],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
        "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}],
        "cachedContent": "cachedContents/x",
        "labels": {"a": "b"},
        "generationConfig.temperature": 0.5,
        "generationConfig.topP": 0.5,
        "generationConfig.topK": 3,
        "generationConfig.candidateCount": 2,
        "generationConfig.maxOutputTokens": 9,
        "generationConfig.stopSequences": ["x"],
        "generationConfig.presencePenalty": 0.1,
        "generationConfig.seed": 1,
        "generationConfig.responseMimeType": "application/json",
        "generationConfig.thinkingConfig": {"thinkingBudget": 1024},
        "generationConfig.speechConfig": {"languageCode": "de"},
    },
    openai_completions.NAME: {
        "max_tokens": 9,
        "temperature": 0.5,
        "top_p": 0.5,
        "n": 2,
        "stop": ["x"],
        "seed": 1,
        "presence_penalty": 0.1,
        "frequency_penalty": 0.1,
        "logit_bias": {"1": 2},
        "logprobs": 2,
        "best_of": 3,
        "user": "u",
    },
}
"""What may be asked for besides. A dot leads into an object."""

GIVEN_BACK = ((openai_responses.NAME, "metadata"),)
"""Fields that are meant for the answer alone, and stand in it again."""

NEEDS_TOOLS = ("tool_choice", "parallel_tool_calls", "toolConfig")


def request(dialect: str, field: str) -> Json:
    """The least request that uses `field`."""
    body = dict(BASES[dialect])
    if field in NEEDS_TOOLS:
        body["tools"] = FIELDS[dialect]["tools"]
    outer, dot, inner = field.partition(".")
    body[outer] = {inner: FIELDS[dialect][field]} if dot else FIELDS[dialect][field]
    return body


def fate(dialect: str, field: str, target: str) -> str:
    """What becomes of `field` on its way to a vendor that speaks `target`."""
    if dialect == target:
        return "as it is"
    if (dialect, field) in GIVEN_BACK:
        return "given back"
    shown = translate(dialect, target, json.dumps(request(dialect, field)).encode())
    if _names(shown.dropped, field):
        return "dropped"
    return "emulated" if _names(shown.emulated, field) else "mapped"


RERANK_FIELDS: Json = {
    "top_n": 1,
    "return_documents": True,
    "max_tokens_per_doc": 512,
    "priority": 1,
    "truncation": True,
    "truncate": True,
    "truncation_direction": "left",
    "raw_scores": True,
    "rank_fields": ["x"],
}
"""What may be asked of a reranker besides; each vendor has a list of its own."""


def rerank_fate(field: str, form: str) -> str:
    """What becomes of a field of a rerank request on its way to a vendor of that form."""
    body = {"model": "m", "query": "q", "documents": ["a", "b"]} | {field: RERANK_FIELDS[field]}
    quirks = msgspec.structs.replace(Quirks(), rerank_form=form)
    shown = rerank.render_request(rerank.parse_request(json.dumps(body).encode()), "m", quirks)
    if field in shown.dropped:
        return "dropped"
    sent = json.loads(shown.body)
    if sent.get(field) == RERANK_FIELDS[field]:
        return "as it is"
    return "mapped" if RERANK_FIELDS[field] in sent.values() else "done here"


def _names(paths: tuple[str, ...], field: str) -> bool:
    told = [part for path in paths for part in path.split(", ")]
    return any(part == field or part.startswith(f"{field}.") for part in told)


HEAD = """\
# Dialects: what becomes of every field

Made by `python -m tests.dialects.every_field`; a test keeps it true. *mapped*: said in the vendor's own form.
*emulated*: said another way and named in `X-Kyma-Emulated`. *dropped*: left out and named in `X-Kyma-Dropped`;
`X-Kyma-Strict: true` makes that a 400. *given back*: stands in the answer again. Fields that are not listed are
dropped and named. What a single vendor or model refuses is its row's quirk and reported the same way.
What a vendor would charge for beside tokens is refused where it has no price: see decision 4.
`provider` and `models` are for the gateway and reach no vendor: see routing.md.

Under `bedrock_converse` stands what it takes for every maker's models; for Claude, and in part for Nova, gpt-oss and
Qwen, thought, `top_k`, cache marks and one call at a time are mapped too.""".splitlines()

RERANK_HEAD = """
## Rerank, by the vendor's form

`jina` is the common form, and what customers write. *done here*: the gateway gives the answer that form.
Embeddings and moderations have OpenAI's form alone and travel as they are; `dimensions` and `encoding_format` are done
here, and named as emulated, for a vendor whose row says that it does not take them.""".splitlines()


ANSWERS = """
## Answers

What a vendor says in its own words reaches a customer of the same dialect as it came, and others as this table has it.

| said by the vendor | openai_chat | anthropic_messages | openai_responses | gemini | openai_completions |
| --- | --- | --- | --- | --- | --- |
| text | `content` | text block | `output_text` | text part | `text` |
| thought | `reasoning_content` | thinking block | reasoning item, its text as summary | thought part | left out |
| proof of a thought, redacted thought | left out | `signature`, redacted block | `encrypted_content` if `include`d | \
`thoughtSignature` | left out |
| tool call | `tool_calls` | tool_use block | function, custom or search call | `functionCall`, given an id | left out |
| refusal (OpenAI's `refusal`) | `refusal`, ends with `stop` | text, ends with `refusal` | refusal part, completed | \
text, ends with `SAFETY` | text, ends with `content_filter` |
| filtered (`content_filter`, `refusal`, `SAFETY` …) | `content_filter` | `refusal` | incomplete, `content_filter` | \
`SAFETY` | `content_filter` |
| length | `length` | `max_tokens` | incomplete, `max_output_tokens` | `MAX_TOKENS` | `length` |
| a stream that breaks | `error` chunk | `error` event | `response.failed` | `error` piece | `error` chunk |
| citations, annotations, grounding | own dialect only | own dialect only | left out | own dialect only | left out |
| log probabilities, safety ratings, audio | own dialect only | | left out | own dialect only | left out |
| further choices (`n`) | all | the first | the first | all | all |

An answer has no header for what was left out of it: headers go out before the first word.
""".replace("\\\n", "").splitlines()


def lines() -> Iterator[str]:
    """docs/dialects.md."""
    yield from HEAD
    for dialect, fields in FIELDS.items():
        yield ""
        yield f"## From {dialect}"
        yield ""
        yield "| field | " + " | ".join(f"to {target}" for target in DIALECTS) + " |"
        yield "| --- |" + " --- |" * len(DIALECTS)
        for field in fields:
            yield f"| `{field}` | " + " | ".join(fate(dialect, field, target) for target in DIALECTS) + " |"
    yield from RERANK_HEAD
    yield ""
    yield "| field | " + " | ".join(f"to {form}" for form in rerank.FORMS) + " |"
    yield "| --- |" + " --- |" * len(rerank.FORMS)
    for field in RERANK_FIELDS:
        yield f"| `{field}` | " + " | ".join(rerank_fate(field, form) for form in rerank.FORMS) + " |"
    yield from ANSWERS


if __name__ == "__main__":
    print("\n".join(lines()))
