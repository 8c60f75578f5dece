"""Keys of providers: which there are, whose turn it is, which are left alone for now."""

from kyma.credentials.vault import Vault

__all__ = ["Vault"]
