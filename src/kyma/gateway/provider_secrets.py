"""Keys of providers that come with the gateway's surroundings: from the environment, and from files that it names."""

from collections.abc import Mapping

from kyma.catalog.rows import ProviderRow
from kyma.config import Config

AWS_PARTS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
"""Names as AWS's own tools know them. Source: docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html and
docs.aws.amazon.com/bedrock/latest/userguide/api-keys-use.html, 2026-11-21."""


def given_secrets(config: Config, providers: Mapping[str, ProviderRow]) -> dict[str, tuple[str, ...]]:
    """The keys of each provider that has any; what is minted is not among them. Raises: ConfigError."""
    found = {provider_id: _secrets(config, row) for provider_id, row in providers.items()}
    return {provider_id: keys for provider_id, keys in found.items() if keys}


def _secrets(config: Config, row: ProviderRow) -> tuple[str, ...]:
    match row.auth:
        case "key":
            return config.keys(row.key_env) if row.key_env else ()
        case "aws":
            return (config.keys(row.key_env) if row.key_env else ()) + _aws_pair(config)
        case "google":
            return ()


def _aws_pair(config: Config) -> tuple[str, ...]:
    """The parts of a key as one secret, a line each."""
    key_id, secret, token = (config.secret(name) for name in AWS_PARTS)
    return ("\n".join(part for part in (key_id, secret, token) if part),) if key_id and secret else ()
