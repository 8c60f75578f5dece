"""What control-plane routes ask for: the gateway, and who calls."""

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPBearer

from kyma.api.asgi import credential
from kyma.core.errors import Forbidden
from kyma.core.principal import Principal
from kyma.gateway import Gateway

bearer = HTTPBearer(scheme_name="BearerAuth", auto_error=False, description="An API key (ky-) or session token (ks-)")
api_key = APIKeyHeader(scheme_name="ApiKeyAuth", name="x-api-key", auto_error=False, description="The same, by header")


def gateway_of(request: Request) -> Gateway:
    gateway: Gateway = request.app.state.gateway
    return gateway


async def principal_of(
    request: Request, _bearer: object = Security(bearer), _api_key: object = Security(api_key)
) -> Principal:
    """Whoever the credential names; the two schemes are declared for the document. Raises: Unauthenticated."""
    return await gateway_of(request).accounts.authenticate(credential(request.scope))


async def operator_of(
    request: Request, _bearer: object = Security(bearer), _api_key: object = Security(api_key)
) -> Principal:
    """An operator, by key or session, or by the token that this process has left in its data folder.

    Raises: Unauthenticated, Forbidden for everybody else.
    """
    gateway, token = gateway_of(request), credential(request.scope)
    if gateway.control_token.matches(token):
        return await gateway.accounts.operator()
    principal = await gateway.accounts.authenticate(token)
    if not principal.is_operator:
        raise Forbidden("only operators of this gateway may do this", code="operators_only")
    return principal


async def principal_if_any(request: Request) -> Principal | None:
    """None without a credential; a wrong one is refused all the same, since callers check keys this way."""
    token = credential(request.scope)
    return await gateway_of(request).accounts.authenticate(token) if token else None


TheGateway = Annotated[Gateway, Depends(gateway_of)]
Caller = Annotated[Principal, Depends(principal_of)]
Operator = Annotated[Principal, Depends(operator_of)]
CallerIfAny = Annotated[Principal | None, Depends(principal_if_any)]
