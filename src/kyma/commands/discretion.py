"""What a serving process may leave behind of what passes through it: a log that quotes nobody, and no core file.

The text of an unforeseen exception may be a piece of a request (`KeyError`, a failed conversion), so the log has where
it came about and of what kind it was, and not its words. Whatever is logged on purpose is in words of ours.
"""

import asyncio
import logging
import resource
import traceback
from types import TracebackType
from typing import Any

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]

log = logging.getLogger("kyma.loop")


class DiscreetFormatter(logging.Formatter):
    """Exceptions as their kinds and frames, causes first, without their words."""

    def formatException(self, ei: Raised) -> str:
        return where(ei[1]) if ei[1] is not None else ""


def where(error: BaseException) -> str:
    """The frames and the kind of an exception and of what led to it."""
    told: list[str] = []
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        told.insert(0, "".join(traceback.format_tb(link.__traceback__)) + type(link).__qualname__)
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return "\nwhich led to\n".join(told)


def log_discreetly(level: str) -> None:
    """Set up the log of this process, on stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(DiscreetFormatter(FORMAT))
    logging.basicConfig(level=level.upper(), handlers=[handler])
    logging.getLogger("alembic").setLevel(logging.WARNING)


def report(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """An event loop's handler of what nobody caught. Its own would show tasks and callbacks with their contents."""
    log.error("%s", context.get("message", "unforeseen"), exc_info=context.get("exception"))


def refuse_core_files() -> None:
    """A crash leaves no copy of this process's memory, nor of its children's."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
