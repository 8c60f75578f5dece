"""Who is to be connected to what, and what is filled into the agent's texts: the models, the address, the key."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from kyma.catalog import Agent, Blanks, base_url_for
from kyma.commands.connecting import asking
from kyma.commands.connecting.asking import Away, Sized
from kyma.commands.connecting.connection import Connection
from kyma.commands.session import open_user, run
from kyma.config import Config, ConfigError

ASSUMED_CONTEXT, ASSUMED_OUTPUT = 131_072, 8_192
"""What is written where no gateway can be asked."""


class Wish(msgspec.Struct, frozen=True):
    """What is to be connected to what. `env` is what places of files may depend on."""

    agent_id: str
    agent: Agent
    config: Config
    origin: str
    home: Path
    env: Mapping[str, str]
    key: str


class Models(msgspec.Struct, frozen=True):
    """The model to ask for, the one for side errands, and what is to be said about them."""

    model: Sized
    small: Sized
    notes: Sequence[str] = ()


def models_for(wish: Wish, model: str, must_answer: bool) -> Models:
    """What the gateway recommends, or what was asked for. Raises: Refused; Away only where it `must_answer`."""
    try:
        if model:
            main = asking.sized(wish.origin, model)
            return Models(main, main)
        found = asking.recommended(wish.origin, wish.agent_id)
        return Models(found, found.small_model, found.notes)
    except Away as error:
        if must_answer:
            raise Away(f"{error}. Start it with `kyma serve`, or write without asking it: --no-call") from error
    alias = model or wish.agent.models[0].alias
    small = model or next(iter(wish.agent.small_models), alias)
    said = f"No gateway answers at {wish.origin}, so a context of {ASSUMED_CONTEXT} tokens is assumed."
    return Models(Sized(alias, ASSUMED_CONTEXT, ASSUMED_OUTPUT), Sized(small, ASSUMED_CONTEXT, ASSUMED_OUTPUT), [said])


def key_for(wish: Wish, earlier: Connection | None) -> tuple[str, str | None]:
    """The key to write, and its id if it was made for this agent."""
    if wish.key:
        return wish.key, None
    if earlier and earlier.origin == wish.origin:
        return earlier.token, earlier.key_id
    if wish.origin != wish.config.base_url:
        raise ConfigError(f"{wish.origin} is another gateway than this folder's: give --key, or set KYMA_API_KEY")

    async def make() -> tuple[str, str]:
        async with open_user("") as (_, _, accounts, user):
            new = await accounts.create_key(user.id, wish.agent_id)
            return new.token, new.key.id

    return run(make())


def blanks_for(wish: Wish, models: Models, token: str) -> Blanks:
    return Blanks(
        origin=wish.origin,
        base_url=base_url_for(wish.agent, wish.origin),
        key=token,
        model=models.model.alias,
        small_model=models.small.alias,
        context_window=models.model.context_window,
        max_output_tokens=models.model.max_output_tokens or ASSUMED_OUTPUT,
        small_context_window=models.small.context_window,
        small_max_output_tokens=models.small.max_output_tokens or ASSUMED_OUTPUT,
    )
