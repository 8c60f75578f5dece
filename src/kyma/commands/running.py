"""The gateway that runs: on this machine it is found and convinced by its own file, elsewhere by address and key."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from kyma.config import load_config
from kyma.gateway import find_control

BaseUrl = Annotated[
    str,
    typer.Option(help="Another machine's gateway, asked with an operator's key in KYMA_API_KEY; empty: the one here"),
]

SOON_S, LONG_S = 30.0, 600.0


class GatewayRefused(Exception):
    """The running gateway is not there, or does not do as it is told; the message is for the operator."""


def ask(
    base_url: str,
    method: str,
    path: str,
    *,
    query: Mapping[str, str] | None = None,
    body: bytes | None = None,
    timeout_s: float = SOON_S,
) -> Any:
    """The JSON answer of the operators' API; what is empty in `query` is left out. Raises: GatewayRefused."""
    address, token, opener = _way_to(base_url)
    given = {name: value for name, value in (query or {}).items() if value}
    request = urllib.request.Request(f"{address}{path}{'?' if given else ''}{urlencode(given)}", body, method=method)
    request.add_unredirected_header("authorization", f"Bearer {token}")  # it is meant for no other address
    if body is not None:
        request.add_header("content-type", "application/json")
    try:
        with opener.open(request, timeout=timeout_s) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        raise GatewayRefused(_said(error)) from None
    except OSError as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise GatewayRefused(f"no gateway answers at {address}: {reason}") from None
    except ValueError:
        raise GatewayRefused(f"what answers at {address} is no gateway") from None


def _way_to(base_url: str) -> tuple[str, str, urllib.request.OpenerDirector]:
    config = load_config()
    if base_url:
        key = config.secret("KYMA_API_KEY")
        if not key:
            raise GatewayRefused("--base-url needs an operator's key in KYMA_API_KEY")
        return base_url.rstrip("/").removesuffix("/v1"), key, urllib.request.build_opener()
    control = find_control(config.data_dir)
    if control is None:
        raise GatewayRefused(f"no gateway runs on {config.data_dir}; `kyma serve` starts one, --base-url asks another")
    return control.base_url, control.token, urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _said(error: urllib.error.HTTPError) -> str:
    with error:
        try:
            return str(json.load(error)["error"]["message"])
        except (ValueError, KeyError, TypeError):
            return f"the gateway answered {error.code}"
