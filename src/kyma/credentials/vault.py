"""Every key of this gateway, by provider."""

from collections.abc import Callable, Mapping, Sequence

from kyma.core.credential import Credential
from kyma.core.errors import RefusedUs, UpstreamError


class Vault:
    """Hands out the keys that may be used now, the one whose turn it is first."""

    def __init__(self) -> None:
        self._keys: dict[str, tuple[Credential, ...]] = {}
        self._minted: dict[str, Credential] = {}
        self._minters: dict[str, Callable[[str], None]] = {}

    def replace(self, secrets: Mapping[str, Sequence[str]]) -> None:
        """Hold these secrets, by provider, and no others."""
        self._keys = {
            provider_id: tuple(
                Credential(f"{provider_id}#{number}", provider_id, secret) for number, secret in enumerate(found, 1)
            )
            for provider_id, found in secrets.items()
        }

    def put_minted(self, provider_id: str, token: str | None) -> None:
        """The access token that this provider takes from now on; None while there is none that is good."""
        if token is None:
            self._minted.pop(provider_id, None)
        else:
            self._minted[provider_id] = Credential(f"{provider_id}#minted", provider_id, token)

    def watch_minted(self, provider_id: str, refused: Callable[[str], None]) -> None:
        """Have `refused` told of a token that the provider answers with 401."""
        self._minters[provider_id] = refused

    def usable(self, provider_id: str, account_id: str) -> Sequence[Credential]:
        """The keys to try for this account, in order; none when every one is cooling down or there is none."""
        if (minted := self._minted.get(provider_id)) is not None:
            return (minted,)
        return self._keys.get(provider_id, ())

    def held(self, provider_id: str, account_id: str) -> Sequence[Credential]:
        """The same, those that are cooling down included: for when nothing else is left."""
        return self._keys.get(provider_id, ())

    def has_own(self, account_id: str) -> bool:
        """Whether the account has brought a key of its own for any provider."""
        return False

    def failed(self, credential: Credential, error: UpstreamError) -> None:
        """The provider answered so to this key."""
        told = self._minters.get(credential.provider_id)
        if told is not None and isinstance(error, RefusedUs) and error.upstream_status == 401:
            told(credential.secret)
