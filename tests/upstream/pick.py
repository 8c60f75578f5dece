"""Reads a model field: which script it names and with which options."""

import inspect
from collections.abc import Awaitable, Callable

import msgspec

from tests.upstream.scripts import SCRIPTS, Turn
from tests.upstream.talk import Pace, Talk


class BadScript(ValueError):
    """The model field names no script, or an option that the script does not take."""


def prepare(model: str) -> tuple[Pace, Callable[[Talk, Turn], Awaitable[None]]]:
    """Read a model field. Raises: BadScript."""
    prefix, _, rest = model.partition(":")
    name, _, written = rest.partition(":")
    if prefix != "script" or name not in SCRIPTS:
        raise BadScript(f"no script is called {model!r}; there are {', '.join(SCRIPTS)}")
    script = SCRIPTS[name]
    options = dict(_option(item) for item in written.split(",") if item)
    pace = {field: options.pop(field) for field in Pace.__struct_fields__ if field in options}
    allowed = {p.name: p.default for p in inspect.signature(script).parameters.values() if p.kind is p.KEYWORD_ONLY}
    try:
        chosen = {key: type(allowed[key])(value) for key, value in options.items()}
        return msgspec.convert(pace, Pace, strict=False), lambda talk, turn: script(talk, turn, **chosen)
    except KeyError as error:
        raise BadScript(f"script {name!r} takes no option {error}") from None
    except ValueError as error:
        raise BadScript(f"script {model!r}: {error}") from None


def _option(item: str) -> tuple[str, str]:
    key, equals, value = item.partition("=")
    if not equals:
        raise BadScript(f"option {item!r} has no value")
    return key, value
