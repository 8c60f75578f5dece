"""Keys of providers: which there are, whose turn it is, which are left alone for now."""

from kyma.credentials.ring import KeyState
from kyma.credentials.safe import Safe
from kyma.credentials.vault import Vault

__all__ = ["KeyState", "Safe", "Vault"]
