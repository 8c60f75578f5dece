"""Whom `auto` picks for a request: the first model in its rules' order that has a source here and can do all of it."""

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from kyma.calls.abilities import NAMES, has_route_of, is_able
from kyma.calls.meter import BYTES_PER_TOKEN, input_estimate
from kyma.catalog import Catalog, Need, Needs, Resolved
from kyma.core.chat import CallRequest, ChatRequest
from kyma.core.errors import InvalidRequest
from kyma.core.model import Model

USUAL_ANSWER = 4096
"""Tokens that dialects take where a request says nothing: so short an answer is no need."""

READ_DOCUMENTS = ("anthropic_messages", "gemini", "bedrock_converse")
"""Dialects that hand documents on to models which see their pages."""

SWITCHES_SHOWN = 6

Allows = Callable[[Model], bool]


class Demand(msgspec.Struct, frozen=True):
    """Something that a request asks of its model, in words that follow "no model here", and who can do it.

    One that `is_broad` fails too where another does, and is not worth a word then.
    """

    words: str
    is_met: Callable[[Model], bool]
    is_broad: bool = False


def pick(request: CallRequest, catalog: Catalog, named: Resolved, allows: Allows) -> Resolved:
    """The model that answers for `named`, which is `auto`; `allows` is what the caller says of prices and providers.

    The same request and catalog give the same model. Raises: InvalidRequest with what no model here can do.
    """
    if not isinstance(request, ChatRequest):
        raise _no_chat(request, catalog)
    needs = needs_of(request)
    choice = catalog.auto(needs)
    demands = [*_demands(request, needs), Demand("is left by `provider`", allows)]
    served = [model for model in choice.models if model.routes]
    able = [model for model in served if _does(model, demands)]
    if not able:
        raise _nobody(demands, served, catalog, choice.models)
    picked = able[0]
    if request.needs_native:  # what only its own dialect can be told is dropped elsewhere
        picked = next((model for model in able if has_route_of(request.native.dialect, model)), picked)
    return msgspec.structs.replace(named, model=picked, auto_reason=choice.reason)


def needs_of(request: ChatRequest) -> Needs:
    """What the rules of `auto` may go by. Reads the whole request, which is work."""
    chat = request.chat()
    reasoning = chat.reasoning
    asked: Mapping[Need, bool] = {
        "audio": "audio" in chat.names,
        "documents": "file" in chat.names or request.document_bytes > 0,
        "images": request.image_count > 0,
        "tools": request.has_tools,
        "json": chat.output_format is not None,
        "reasoning": reasoning is not None
        and (bool(reasoning.budget_tokens) or reasoning.effort not in (None, "none", "minimal")),
    }
    return Needs(
        frozenset(need for need, is_asked in asked.items() if is_asked),
        -(-request.input_bytes // BYTES_PER_TOKEN),
        request.max_tokens if request.max_tokens > USUAL_ANSWER else 0,
    )


def _demands(request: CallRequest, needs: Needs) -> Iterator[Demand]:
    yield from (demand for need, demand in ABILITIES.items() if need in needs.abilities)
    answer = needs.output_tokens
    if answer:
        yield Demand(f"answers with {answer} tokens", lambda model: answer <= (model.max_output_tokens or answer))
    read = msgspec.structs.replace(request, document_bytes=0)  # how many tokens a file is, its bytes do not tell
    yield Demand(
        f"has a context window for about {needs.input_tokens + answer} tokens",
        lambda model: input_estimate(read, model) + answer <= model.context_window,
    )
    yield Demand("is sold with all that the request asks for", lambda model: is_able(request, model), is_broad=True)


def _reads_documents(model: Model) -> bool:
    return model.supports_vision and (
        not model.routes or any(has_route_of(dialect, model) for dialect in READ_DOCUMENTS)
    )


ABILITIES: Mapping[Need, Demand] = {
    "audio": Demand("takes audio", lambda model: "audio" in model.input_modalities),
    "documents": Demand("takes documents", _reads_documents),
    "images": Demand("takes images", lambda model: model.supports_vision),
    "tools": Demand("can call tools", lambda model: model.supports_tools),
    "json": Demand("answers in JSON", lambda model: model.supports_structured_outputs),
    "reasoning": Demand("reasons", lambda model: model.supports_reasoning),
}


def _does(model: Model, demands: Iterable[Demand]) -> bool:
    return all(demand.is_met(model) for demand in demands)


def _nobody(demands: list[Demand], served: list[Model], catalog: Catalog, models: Iterable[Model]) -> InvalidRequest:
    """What none of the models here can do; where each thing can be done by one or another, what none does at once."""
    failed = [demand for demand in demands if not any(demand.is_met(model) for model in served)]
    failed = [demand for demand in failed if not demand.is_broad] or failed
    if failed:
        said = " and none ".join(demand.words for demand in failed)
    else:
        limits = [demand.words for demand in demands if not demand.is_broad and not _is_met_by_all(demand, served)]
        said = f"does all of this at once: {', '.join(limits)}"
    others = [model for model in models if not model.routes and _does(model, demands)]
    switches = dict.fromkeys(name for model in others for name in catalog.missing(model.id))
    hint = f"; set one of {', '.join(list(switches)[:SWITCHES_SHOWN])}" if switches else ""
    return InvalidRequest(f"auto: no model here {said}{hint}", code="no_model_able", param="model")


def _is_met_by_all(demand: Demand, models: Iterable[Model]) -> bool:
    return all(demand.is_met(model) for model in models)


def _no_chat(request: CallRequest, catalog: Catalog) -> InvalidRequest:
    """Vectors and scores of two models do not compare, so which one it is must not change by itself."""
    noun, _ = NAMES[request.kind]
    names = [model.id for model in catalog.offered() if model.kind == request.kind]
    known = f"; there are {', '.join(names[:SWITCHES_SHOWN])}" if names else ""
    said = f"auto picks chat models only, and what two models of another kind say does not compare: name {noun}{known}"
    return InvalidRequest(said, code="not_" + noun.replace(" ", "_"), param="model")
