"""`provider` and `models` in every dialect that has a place for them: what they mean, and that no vendor hears of them.

Forms as in OpenRouter's OpenAPI document, schema ProviderPreferences (openrouter.ai/openapi.yaml, read 2026-11-21).
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from kyma.core.chat import CallRequest
from kyma.core.errors import InvalidRequest
from kyma.core.model import Quirks
from kyma.core.preferences import Preferences, PriceLimit
from kyma.dialects import (
    anthropic_messages,
    gemini,
    openai_chat,
    openai_completions,
    openai_embeddings,
    openai_moderations,
    openai_responses,
    rerank,
)

HELLO = [{"role": "user", "content": "hello"}]
BODIES: Mapping[str, tuple[Callable[[bytes], CallRequest], dict[str, Any]]] = {
    "openai_chat": (openai_chat.parse_request, {"messages": HELLO}),
    "openai_responses": (openai_responses.parse_request, {"input": "hello"}),
    "openai_completions": (openai_completions.parse_request, {"prompt": "hello"}),
    "anthropic_messages": (anthropic_messages.parse_request, {"messages": HELLO, "max_tokens": 9}),
    "count_tokens": (anthropic_messages.parse_count, {"messages": HELLO}),
    "openai_embeddings": (openai_embeddings.parse_request, {"input": "hello"}),
    "rerank": (rerank.parse_request, {"query": "hello", "documents": ["a"]}),
    "moderations": (openai_moderations.parse_request, {"input": "hello"}),
}
ANY_MODEL = "moderations"
"""The dialect that needs none to be named."""
CHATS = ("openai_chat", "openai_responses", "openai_completions", "anthropic_messages")
BOTH = {"provider": {"order": ["groq"]}, "models": ["other"]}


def read(dialect: str = "openai_chat", **fields: Any) -> CallRequest:
    parse, body = BODIES[dialect]
    return parse(json.dumps({"model": "m", **body, **fields}).encode())


def wishes(**provider: object) -> Preferences:
    found = read(provider=provider).preferences
    assert found is not None
    return found


def refusal(**fields: Any) -> tuple[str, str | None]:
    """Message and path."""
    with pytest.raises(InvalidRequest) as caught:
        read(**fields)
    return caught.value.message, caught.value.param


def said(*names: str) -> frozenset[str]:
    return frozenset(names)


@pytest.mark.parametrize("dialect", BODIES)
def test_every_dialect_takes_both(dialect: str) -> None:
    request = read(dialect, **BOTH)
    assert request.model == "m"
    assert request.preferences == Preferences(order=("groq",), models=("other",), said=said("order", "models"))


@pytest.mark.parametrize("dialect", BODIES)
def test_a_request_without_them_wishes_nothing(dialect: str) -> None:
    assert read(dialect).preferences is None
    assert read(dialect, provider=None, models=None).preferences is None


@pytest.mark.parametrize("dialect", BODIES)
def test_the_first_of_models_takes_the_place_of_the_model(dialect: str) -> None:
    parse, body = BODIES[dialect]
    request = parse(json.dumps(body | {"models": ["a", "b", "a", "c"]}).encode())
    assert request.model == "a"
    assert request.preferences is not None and request.preferences.models == ("b", "c")


@pytest.mark.parametrize("dialect", [dialect for dialect in BODIES if dialect != ANY_MODEL])
@pytest.mark.parametrize("more", [{}, {"models": []}, {"model": ""}, {"provider": {"order": ["groq"]}}])
def test_without_any_model_none_is_asked(dialect: str, more: dict[str, object]) -> None:
    parse, body = BODIES[dialect]
    with pytest.raises(InvalidRequest) as caught:
        parse(json.dumps(body | more).encode())
    assert (caught.value.message, caught.value.param) == ("model must name a model or an alias", "model")


def test_the_model_is_not_asked_twice() -> None:
    assert read(models=["m", "n"]).preferences == Preferences(models=("n",), said=said("models"))


@pytest.mark.parametrize("dialect", CHATS)
@pytest.mark.parametrize("target", [openai_chat, anthropic_messages, gemini])
def test_no_vendor_hears_of_them_and_nothing_is_lost(dialect: str, target: Any) -> None:
    plain = target.render_request(read(dialect), "m", Quirks())
    wishing = target.render_request(read(dialect, **BOTH), "m", Quirks())
    assert wishing == plain


def test_nor_does_a_vendor_of_what_is_answered_whole() -> None:
    verdict: Any = read("moderations", **BOTH)
    assert b"groq" not in openai_moderations.render_request(verdict, "m", Quirks()).body
    embedding: Any = read("openai_embeddings", **BOTH)
    ranking: Any = read("rerank", **BOTH)
    assert b"groq" not in openai_embeddings.render_request(embedding, "m", Quirks()).body
    assert b"groq" not in rerank.render_request(ranking, "m", Quirks()).body
    assert rerank.render_request(ranking, "m", Quirks()).dropped == ()


def test_every_member_at_once() -> None:
    assert wishes(
        order=["Groq", "DeepInfra"],
        only=["groq", "deepinfra", "z-ai"],
        ignore=["together"],
        sort="throughput",
        max_price={"prompt": 0.5, "completion": "1.25"},
        allow_fallbacks=False,
        require_parameters=True,
        data_collection="deny",
    ) == Preferences(
        order=("groq", "deepinfra"),
        only=("groq", "deepinfra", "z-ai"),
        ignore=("together",),
        sort="throughput",
        max_price=PriceLimit(input=500_000, output=1_250_000),
        allow_fallbacks=False,
        require_parameters=True,
        denies_data_collection=True,
        said=said(
            *("order", "only", "ignore", "sort", "max_price"),
            *("allow_fallbacks", "require_parameters", "denies_data_collection"),
        ),
    )


def test_what_is_null_is_not_said() -> None:
    members = ("order", "only", "ignore", "sort", "max_price", "allow_fallbacks", "require_parameters")
    more = ("data_collection", "zdr", "preferred_min_throughput", "preferred_max_latency", "quantizations")
    assert read(provider=dict.fromkeys((*members, *more, "enforce_distillable_text"))).preferences is None


@pytest.mark.parametrize("given", ["price", {"by": "price"}, {"by": "price", "partition": "model"}])
def test_sort_is_a_word_or_an_object(given: object) -> None:
    assert wishes(sort=given) == Preferences(sort="price", said=said("sort"))


@pytest.mark.parametrize(
    ("given", "picos"),
    [
        (1, 1_000_000),
        (0, 0),
        ("0.2025", 202_500),
        (0.1 + 0.2, 300_000),
        (0.000001, 1),
        (0.00000149, 1),
    ],
)
def test_a_price_is_dollars_per_million_tokens(given: object, picos: int) -> None:
    assert wishes(max_price={"prompt": given}).max_price == PriceLimit(input=picos, output=None)


def test_limits_of_what_has_no_price_here_are_kept_by_all() -> None:
    assert wishes(max_price={"request": 0, "image": "1", "audio": 2}).max_price == PriceLimit()


@pytest.mark.parametrize(
    ("members", "denies"),
    [
        ({"data_collection": "allow"}, False),
        ({"data_collection": "deny"}, True),
        ({"zdr": True}, True),
        ({"zdr": False}, False),
        ({"data_collection": "allow", "zdr": True}, True),
        ({"data_collection": "deny", "zdr": False}, True),
    ],
)
def test_who_keeps_nothing_collects_nothing(members: dict[str, object], denies: bool) -> None:
    assert wishes(**members) == Preferences(denies_data_collection=denies, said=said("denies_data_collection"))


@pytest.mark.parametrize("given", [50, {"p90": 50}, {"p50": 100, "p99": None}])
def test_a_preferred_figure_never_keeps_a_request_from_being_served(given: object) -> None:
    assert read(provider={"preferred_min_throughput": given, "preferred_max_latency": given}).preferences is None


@pytest.mark.parametrize(
    ("provider", "path"),
    [
        ("groq", "provider"),
        ([], "provider"),
        ({"order": "groq"}, "provider.order"),
        ({"only": ["groq", 3]}, "provider.only.1"),
        ({"ignore": {}}, "provider.ignore"),
        ({"sort": "exacto"}, "provider.sort"),
        ({"sort": 1}, "provider.sort"),
        ({"sort": {"by": "exacto"}}, "provider.sort.by"),
        ({"sort": {"by": "price", "partition": "none"}}, "provider.sort.partition"),
        ({"max_price": 1}, "provider.max_price"),
        ({"max_price": {"prompt": True}}, "provider.max_price.prompt"),
        ({"max_price": {"prompt": -1}}, "provider.max_price.prompt"),
        ({"max_price": {"completion": "cheap"}}, "provider.max_price.completion"),
        ({"max_price": {"completion": "0.0000001"}}, "provider.max_price.completion"),
        ({"max_price": {"image": "cheap"}}, "provider.max_price.image"),
        ({"allow_fallbacks": "no"}, "provider.allow_fallbacks"),
        ({"require_parameters": 1}, "provider.require_parameters"),
        ({"data_collection": "none"}, "provider.data_collection"),
        ({"zdr": "yes"}, "provider.zdr"),
        ({"preferred_max_latency": "fast"}, "provider.preferred_max_latency"),
        ({"quantizations": ["fp8"]}, "provider.quantizations"),
        ({"enforce_distillable_text": True}, "provider.enforce_distillable_text"),
    ],
)
def test_a_wrong_wish_is_refused_by_its_path(provider: object, path: str) -> None:
    message, param = refusal(provider=provider)
    assert param == path and path in message


def test_an_unknown_member_is_refused_with_those_that_there_are() -> None:
    message, param = refusal(provider={"oder": ["groq"]})
    assert param == "provider.oder"
    assert message.startswith("there is no member oder in provider; there are order, only, ignore, sort, max_price,")


@pytest.mark.parametrize(
    ("provider", "path", "known"),
    [
        ({"sort": {"by": "price", "group": 1}}, "provider.sort.group", "by, partition"),
        ({"max_price": {"input": 1}}, "provider.max_price.input", "prompt, completion, request, image, audio"),
        ({"preferred_max_latency": {"p42": 1}}, "provider.preferred_max_latency.p42", "p50, p75, p90, p99"),
    ],
)
def test_an_unknown_member_deeper_down_too(provider: object, path: str, known: str) -> None:
    message, param = refusal(provider=provider)
    assert param == path and message.endswith(f"; there are {known}")


def test_a_wrong_word_is_answered_with_the_right_ones() -> None:
    assert refusal(provider={"sort": "speed"})[0] == "provider.sort must be one of price, latency, throughput"
    assert refusal(provider={"data_collection": "no"})[0] == "provider.data_collection must be allow or deny"


def test_a_huge_name_is_not_repeated() -> None:
    assert len(refusal(provider={"x" * 100_000: 1})[0]) < 500


@pytest.mark.parametrize(
    ("models", "path"),
    [("m", "models"), ([1], "models.0"), (["a", ""], "models.1"), ([f"m{n}" for n in range(17)], "models")],
)
def test_wrong_models_are_refused_by_their_path(models: object, path: str) -> None:
    assert refusal(models=models)[1] == path


@pytest.mark.parametrize("raw", [rb'{"only": ["\ud800"]}', b'{"max_price": {"prompt": 1e999}}'])
def test_what_json_cannot_hold_is_refused(raw: bytes) -> None:
    body = b'{"model": "m", "messages": [{"role": "user", "content": "x"}], "provider": ' + raw + b"}"
    with pytest.raises(InvalidRequest):
        openai_chat.parse_request(body)
