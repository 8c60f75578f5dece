"""The control plane's FastAPI application: its routers, its one error form, its OpenAPI document."""

import functools
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute

from kyma import __version__
from kyma.api import (
    about,
    admin_routes,
    auth,
    badges,
    credits,
    docs,
    health,
    models,
    pricing,
    provider_keys,
    rankings,
    recommend,
    responses,
    status,
    texts,
    tiers,
    translate,
    uptime,
    usage,
)
from kyma.api.openapi import served_document
from kyma.core.errors import Bug, InvalidRequest, KymaError, MethodNotAllowed, NotFound, UnsupportedMedia
from kyma.dialects.openai_chat import render_error
from kyma.gateway import Gateway


def _path(route: BaseRoute) -> str:
    return str(getattr(route, "path", ""))


ROUTERS = (
    health.router,
    status.router,
    *(recommend.router, uptime.router),  # before the models, one of which each would be taken for
    *(models.router, credits.router, auth.router, provider_keys.router, responses.router),
    *(translate.router, admin_routes.router),
    *(pricing.router, tiers.router, about.router, badges.router, texts.router, docs.router),
    *(usage.router, usage.operators, rankings.router),
)
FIRST_SEGMENTS = frozenset(
    path.split("/")[2] for router in ROUTERS for route in router.routes if (path := _path(route)).startswith("/v1/")
)
"""What may follow `/v1/` here."""


def build_control(gateway: Gateway, hot_paths: tuple[str, ...]) -> FastAPI:
    """Everything but the hot routes; `hot_paths` are listed in the document all the same."""
    app = FastAPI(
        title="Kyma API",
        version=__version__,
        description="One key for every model: an LLM gateway with exact billing and automatic failover.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        generate_unique_id_function=_operation_id,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.gateway = gateway
    for router in ROUTERS:
        app.include_router(router)
    document = functools.cache(lambda: served_document(app, hot_paths, gateway.base_url))

    @app.get("/v1/openapi.json", tags=["Discovery"], summary="The OpenAPI document of everything served here")
    def get_document() -> dict[str, object]:
        return document()

    app.state.served = _served(app, hot_paths)
    app.add_exception_handler(KymaError, _kyma_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _bug)
    return app


def _operation_id(route: APIRoute) -> str:
    """The handler's name, as clients that are made from the document call it: `list_models` is `listModels`."""
    first, *others = route.name.split("_")
    return first + "".join(map(str.capitalize, others))


def _served(app: FastAPI, hot_paths: tuple[str, ...]) -> frozenset[str]:
    """Every operation, as `POST /v1/chat/completions`."""
    routes = [*app.routes, *(route for router in ROUTERS for route in router.routes)]
    cold = {f"{method} {_path(route)}" for route in routes for method in getattr(route, "methods", None) or ()}
    return frozenset(cold | {f"POST {path}" for path in hot_paths})


def _kyma_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, KymaError)
    headers = {name.decode(): value.decode() for name, value in error.headers}
    if error.retry_after_s is not None:
        headers["retry-after"] = str(error.retry_after_s)
    return Response(render_error(error), error.status, headers, "application/json")


def _bug(request: Request, _error: Exception) -> Response:
    return _kyma_error(request, Bug("an error of ours; it is in the gateway's log"))


def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = [str(step) for step in first["loc"] if step not in ("body", "query", "path")]
    field = ".".join(place)
    if first["type"] == "json_invalid":
        return _kyma_error(request, InvalidRequest("the body is not valid JSON", code="invalid_json"))
    if not field and "json" not in request.headers.get("content-type", ""):
        return _kyma_error(request, UnsupportedMedia("send JSON, with the header 'Content-Type: application/json'"))
    message = f"{field}: {_problem(first)}" if field else _problem(first)
    return _kyma_error(request, InvalidRequest(message, param=field or None))


def _problem(error: Mapping[str, Any]) -> str:
    """What is wrong with a value, and what would be right."""
    match error["type"]:
        case "bool_parsing":
            return "must be true or false"
        case "value_error":
            return str(error["ctx"]["error"])
        case _:
            return str(error["msg"])


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    known: KymaError
    if error.status_code == 404:
        known = NotFound(f"there is no {request.url.path} here; GET /v1/openapi.json lists what there is")
    elif error.status_code == 405:
        known = MethodNotAllowed(f"{request.url.path} does not take {request.method}")
        known.headers = tuple((name.lower().encode(), value.encode()) for name, value in (error.headers or {}).items())
    else:
        known = InvalidRequest(str(error.detail))
    return _kyma_error(request, known)
