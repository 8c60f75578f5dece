"""What anybody may read and keep: routers whose answers carry an ETag and say how long they stay good.

An answer to somebody with a key is not for shared caches, and is asked for anew each time: the key may be revoked, and
operators may read more.
"""

import hashlib
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, ClassVar

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from kyma.api.asgi import credential
from kyma.api.depends import principal_if_any

VARY = "Authorization, X-Api-Key, X-Goog-Api-Key"
NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    304: {"description": "As it was: the ETag is the one in If-None-Match"}
}


def public(max_age_s: int, tags: Sequence[str], *, checks_keys: bool = True) -> APIRouter:
    """A router for what needs no key. With `checks_keys` a wrong one is refused all the same."""
    route_class = type("KeptRoute", (_Kept,), {"max_age_s": max_age_s, "checks_keys": checks_keys})
    return APIRouter(
        route_class=route_class,
        tags=list(tags),
        dependencies=[Depends(principal_if_any)] if checks_keys else None,
        responses=dict(NOT_MODIFIED),
    )


class _Kept(APIRoute):
    """A route whose answers may be kept."""

    max_age_s: ClassVar[int]
    checks_keys: ClassVar[bool]

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def kept(request: Request) -> Response:
            response = await answer(request)
            has_key = self.checks_keys and credential(request.scope)
            tag = f'"{hashlib.sha256(response.body).hexdigest()[:32]}"'
            headers = {
                "etag": tag,
                "cache-control": "private, no-cache" if has_key else f"public, max-age={self.max_age_s}",
                "access-control-expose-headers": "ETag",
                **({"vary": VARY} if self.checks_keys else {}),
            }
            if _is_named(tag, request.headers.getlist("if-none-match")):
                return Response(status_code=304, headers=headers)
            response.headers.update(headers)
            return response

        return kept


def _is_named(tag: str, said: Sequence[str]) -> bool:
    """Whether a caller has that version; a weak tag of it names it too (RFC 9110, 13.1.2)."""
    named = [item.strip().removeprefix("W/") for line in said for item in line.split(",")]
    return tag in named or "*" in named
