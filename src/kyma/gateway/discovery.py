"""Asks servers on the operator's own machines which models they have."""

import logging
from collections.abc import Callable, Iterable

from kyma.core.errors import Unreachable, UpstreamError
from kyma.core.model import Provider
from kyma.gateway.discovered import Found
from kyma.local.ollama import OllamaModel, OllamaServer
from kyma.transport import HttpClient

log = logging.getLogger("kyma.discovery")


class Lookout:
    """Remembers what each server had. One that is gone has nothing; one that answers badly keeps what it had."""

    def __init__(self, client: HttpClient, secret: Callable[[str], str | None]) -> None:
        self._client = client
        self._secret = secret
        self._servers: dict[str, OllamaServer] = {}
        self._found: dict[str, tuple[OllamaModel, ...]] = {}
        self._silent: set[str] = set()

    async def look(self, providers: Iterable[Provider]) -> Found:
        """The models of those of `providers` that can be asked, by provider."""
        asked = {provider.id: provider for provider in providers if provider.discovery == "ollama"}
        found = {provider_id: await self._models(provider) for provider_id, provider in asked.items()}
        self._found = {provider_id: models for provider_id, models in found.items() if models}
        return self._found

    async def _models(self, provider: Provider) -> tuple[OllamaModel, ...]:
        before = self._found.get(provider.id, ())
        try:
            models = await self._server(provider).fetch_models()
        except Unreachable:
            self._is_silent(provider.id)
            return ()
        except UpstreamError as error:
            self._is_silent(provider.id, f": {error}")
            return before
        self._silent.discard(provider.id)
        if models != before:
            log.info("%s has %s", provider.id, ", ".join(model.name for model in models) or "no models")
        return models

    def _is_silent(self, provider_id: str, why: str = "") -> None:
        """Say so once, until it answers again."""
        if provider_id not in self._silent:
            self._silent.add(provider_id)
            log.warning("%s does not say which models it has%s", provider_id, why)

    def _server(self, provider: Provider) -> OllamaServer:
        server = self._servers.get(provider.id)
        if server is None or server.provider != provider:
            api_key = self._secret(provider.key_env) if provider.key_env else None
            server = self._servers[provider.id] = OllamaServer(self._client, provider, api_key)
        return server
