"""Every key of this gateway, by provider."""

from collections.abc import Mapping, Sequence

from kyma.core.credential import Credential
from kyma.core.errors import UpstreamError


class Vault:
    """Hands out the keys that may be used now, the one whose turn it is first."""

    def __init__(self) -> None:
        self._keys: dict[str, tuple[Credential, ...]] = {}

    def replace(self, secrets: Mapping[str, Sequence[str]]) -> None:
        """Hold these secrets, by provider, and no others."""
        self._keys = {
            provider_id: tuple(
                Credential(f"{provider_id}#{number}", provider_id, secret) for number, secret in enumerate(found, 1)
            )
            for provider_id, found in secrets.items()
        }

    def usable(self, provider_id: str, account_id: str) -> Sequence[Credential]:
        """The keys to try for this account, in order; none when every one is cooling down or there is none."""
        return self._keys.get(provider_id, ())

    def held(self, provider_id: str, account_id: str) -> Sequence[Credential]:
        """The same, those that are cooling down included: for when nothing else is left."""
        return self._keys.get(provider_id, ())

    def has_own(self, account_id: str) -> bool:
        """Whether the account has brought a key of its own for any provider."""
        return False

    def failed(self, credential: Credential, error: UpstreamError) -> None:
        """The provider answered so to this key."""
