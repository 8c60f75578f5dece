"""GET /v1/models/recommend: which model of those here to take, and the configuration that asks for it.

The texts are those that `kyma connect` writes, with a blank for the key.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, TypeVar

from fastapi import Query
from pydantic import BaseModel

from kyma.api.depends import TheGateway
from kyma.api.public import public
from kyma.catalog import (
    KEY_BLANK,
    Agent,
    AgentFile,
    Blanks,
    Catalog,
    Choice,
    Pick,
    base_url_for,
    file_text,
    fill,
    picks,
)
from kyma.core.errors import InvalidRequest, NotFound
from kyma.core.model import Model

OUTPUT_TOKENS = 8192
"""What is assumed where a model's row has no largest output."""

T = TypeVar("T")

router = public(60, ["Models"])


class Recommended(BaseModel):
    """A model by its id, and the alias that stands for it."""

    model: str
    alias: str
    name: str
    reason: str
    context_window: int
    max_output_tokens: int


class ConfigText(BaseModel):
    """A file, where it lies, or with format `env` the variables that most programs read."""

    format: Literal["json", "toml", "yaml", "env", "steps"]
    path: str | None
    content: str


class Config(ConfigText):
    """The first file; `files` are all of them."""

    files: list[ConfigText]


class Recommendation(Recommended):
    """`config.content` has YOUR_KYMA_API_KEY where the key belongs; `steps` are what has to be done by hand."""

    object: Literal["model.recommendation"]
    agent: str | None
    usecase: str | None
    small_model: Recommended
    alternatives: list[Recommended]
    config: Config
    steps: list[str]
    notes: list[str]
    command: str | None


@router.get(
    "/v1/models/recommend",
    summary="Get model recommendation",
    responses={404: {"description": "None of the models for it can be served here"}},
)
async def recommend_model(
    gateway: TheGateway,
    agent: Annotated[str | None, Query(description="An agent, for its configuration, e.g. claude-code")] = None,
    usecase: Annotated[str | None, Query(description="What the model is for, e.g. coding")] = None,
    for_: Annotated[str | None, Query(alias="for", description="The same as usecase")] = None,
) -> Recommendation:
    """A model that can be served here, with an example of its configuration. `agent` wins over `usecase`."""
    catalog, base_url = gateway.catalog, gateway.base_url
    if agent is not None:
        return _for_agent(agent.lower(), _one_of(gateway.agents, "agent", agent), catalog, base_url)
    wanted = usecase if usecase is not None else for_
    if wanted is None:
        raise InvalidRequest(
            f"say agent= ({', '.join(sorted(gateway.agents))}) or usecase= ({', '.join(sorted(gateway.use_cases))})",
            param="agent",
        )
    found = picks(_one_of(gateway.use_cases, "usecase", wanted).models, catalog)
    example = ConfigText(format="env", path=None, content=_variables(f"{base_url}/v1", found[0].choice.alias))
    return _recommendation(found, None, [example], usecase=wanted.lower())


def _for_agent(agent_id: str, agent: Agent, catalog: Catalog, origin: str) -> Recommendation:
    found = picks(agent.models, catalog)
    small = _small(agent, catalog)
    blanks = _blanks(agent, origin, found[0], small or found[0])
    steps = [fill(step, blanks) for step in agent.steps]
    files = [_file(file, blanks) for file in agent.files]
    return _recommendation(
        found,
        small,
        files or [ConfigText(format="steps", path=None, content="\n".join(steps))],
        agent=agent_id,
        steps=steps,
        notes=[*agent.notes, *_too_small(agent, found[0].resolved.model)],
        command=f"kyma connect {agent_id}",
    )


def _recommendation(
    found: list[Pick],
    small: Pick | None,
    files: list[ConfigText],
    *,
    agent: str | None = None,
    usecase: str | None = None,
    steps: Sequence[str] = (),
    notes: Sequence[str] = (),
    command: str | None = None,
) -> Recommendation:
    by_model: dict[str, Pick] = {}
    for pick in found:
        by_model.setdefault(pick.resolved.model.id, pick)
    chosen, *others = by_model.values()
    return Recommendation(
        object="model.recommendation",
        agent=agent,
        usecase=usecase,
        small_model=_recommended(small or chosen),
        alternatives=[_recommended(pick) for pick in others],
        config=Config(files=files, **files[0].model_dump()),
        steps=list(steps),
        notes=list(notes),
        command=command,
        **_recommended(chosen).model_dump(),
    )


def _one_of(rows: Mapping[str, T], field: str, name: str) -> T:
    if (row := rows.get(name.lower())) is None:
        raise InvalidRequest(f"{field}: there is none of that name; there are {', '.join(sorted(rows))}", param=field)
    return row


def _small(agent: Agent, catalog: Catalog) -> Pick | None:
    """A small model for side errands; None where none of those named can be served."""
    choices = tuple(Choice(alias, "For side errands such as titles") for alias in agent.small_models)
    try:
        return next(iter(picks(choices, catalog)), None)
    except NotFound:
        return None


def _blanks(agent: Agent, origin: str, pick: Pick, small: Pick) -> Blanks:
    big, little = _recommended(pick), _recommended(small)
    return Blanks(
        origin=origin,
        base_url=base_url_for(agent, origin),
        key=KEY_BLANK,
        model=big.alias,
        small_model=little.alias,
        context_window=big.context_window,
        max_output_tokens=big.max_output_tokens,
        small_context_window=little.context_window,
        small_max_output_tokens=little.max_output_tokens,
    )


def _recommended(pick: Pick) -> Recommended:
    model = pick.resolved.model
    return Recommended(
        model=model.id,
        alias=pick.choice.alias,
        name=model.name,
        reason=pick.choice.reason,
        context_window=model.context_window,
        max_output_tokens=model.max_output_tokens or OUTPUT_TOKENS,
    )


def _too_small(agent: Agent, model: Model) -> list[str]:
    if model.context_window >= agent.min_context_window:
        return []
    window = f"{model.id} takes {model.context_window} tokens, and {agent.name} sends more with its first request"
    return [f"{window}: give the gateway a provider with a larger model."]


def _file(file: AgentFile, blanks: Blanks) -> ConfigText:
    folder = next(folder for folder in file.folders if folder.startswith("~"))
    return ConfigText(format=file.format, path=f"{folder}/{file.names[-1]}", content=file_text(file, blanks))


def _variables(base_url: str, model: str) -> str:
    return f"OPENAI_BASE_URL={base_url}\nOPENAI_API_KEY={KEY_BLANK}\nOPENAI_MODEL={model}\n"
