"""Secrets sealed for the database, in two steps of AES-256-GCM.

A master key, which the database never sees, wraps one data key for each tenant; the data key seals that tenant's
secrets. Each ciphertext is bound to its place (tenant, provider, key id, version): anywhere else it does not open.
Whoever has the database alone has nothing; changing the master key means wrapping small data keys anew.
Knows nothing of tables, files or the environment. The library behind it takes 10 MB, so it is loaded for the first
key that is sealed or opened: a gateway without stored keys never needs it.
"""

import importlib
import re
import secrets
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Sequence
from hashlib import sha256
from typing import Protocol

import msgspec

KEY_BYTES = 32
NONCE_BYTES = 12
_HEX = re.compile(r"[0-9a-fA-F]{64}")


class Cipher(Protocol):
    """AES-256-GCM under one key."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes: ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes: ...


class CannotOpen(Exception):
    """The ciphertext is damaged, stands in another place than it was made for, or belongs to an unknown master key."""


class Place(msgspec.Struct, frozen=True):
    """Where a sealed secret belongs. `version` rises whenever another secret takes the place."""

    tenant: str
    provider_id: str
    key_id: str
    version: int

    def bound(self) -> bytes:
        """What the ciphertext is authenticated with; JSON, so that no two places read alike."""
        return msgspec.json.encode(("kyma provider key", self.tenant, self.provider_id, self.key_id, self.version))


class WrappedKey(msgspec.Struct, frozen=True):
    """A tenant's data key as the database holds it, and which master key opens it."""

    tenant: str
    master_id: str
    wrapped: bytes


class DataKey:
    """The key of one tenant's secrets."""

    def __init__(self, key: bytes) -> None:
        self._cipher = _cipher(key)

    def seal(self, place: Place, secret: str) -> bytes:
        """The secret for this place and no other."""
        return _encrypt(self._cipher, secret.encode(), place.bound())

    def open(self, place: Place, sealed: bytes) -> str:
        """The secret that was sealed for this place; a few microseconds. Raises: CannotOpen."""
        return _decrypt(self._cipher, sealed, place.bound()).decode()


class Masters:
    """The master keys of this gateway: the first wraps, all of them unwrap."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ValueError(f"a master key has {KEY_BYTES} bytes")
        self._keys = {_master_id(key): key for key in keys}
        self._first = _master_id(keys[0])

    @classmethod
    def parse(cls, text: str) -> "Masters":
        """Keys in hex or base64, apart by commas or white space. Raises: ValueError, without quoting anything."""
        return cls([_key_of(word) for word in text.replace(",", " ").split()])

    def make(self, tenant: str) -> tuple[WrappedKey, DataKey]:
        """A new data key for a tenant."""
        key = secrets.token_bytes(KEY_BYTES)
        return self._wrap(tenant, key), DataKey(key)

    def open(self, wrapped: WrappedKey) -> DataKey:
        """A tenant's data key. Raises: CannotOpen."""
        return DataKey(self._unwrap(wrapped))

    def rewrap(self, wrapped: WrappedKey) -> WrappedKey | None:
        """The same data key under the first master key; None if that is what it has. Raises: CannotOpen."""
        return None if wrapped.master_id == self._first else self._wrap(wrapped.tenant, self._unwrap(wrapped))

    def _wrap(self, tenant: str, key: bytes) -> WrappedKey:
        sealed = _encrypt(_cipher(self._keys[self._first]), key, _wrapping(tenant, self._first))
        return WrappedKey(tenant, self._first, sealed)

    def _unwrap(self, wrapped: WrappedKey) -> bytes:
        key = self._keys.get(wrapped.master_id)
        if key is None:
            raise CannotOpen("sealed under a master key that is not here")
        return _decrypt(_cipher(key), wrapped.wrapped, _wrapping(wrapped.tenant, wrapped.master_id))


def mint_master() -> str:
    """A new master key, in hex."""
    return secrets.token_hex(KEY_BYTES)


def _key_of(word: str) -> bytes:
    if _HEX.fullmatch(word):
        return bytes.fromhex(word)
    try:
        return b64decode(word, validate=True)
    except (NotBase64, ValueError):
        raise ValueError("a master key is written in hex or base64") from None


def _master_id(key: bytes) -> str:
    """A name that gives nothing of the key away."""
    return sha256(b"kyma master key" + key).hexdigest()[:16]


def _wrapping(tenant: str, master_id: str) -> bytes:
    return msgspec.json.encode(("kyma data key", tenant, master_id))


def _cipher(key: bytes) -> Cipher:
    cipher: Cipher = importlib.import_module("cryptography.hazmat.primitives.ciphers.aead").AESGCM(key)
    return cipher


def _encrypt(cipher: Cipher, plain: bytes, bound: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, bound)


def _decrypt(cipher: Cipher, sealed: bytes, bound: bytes) -> bytes:
    wrong = importlib.import_module("cryptography.exceptions").InvalidTag
    try:
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound)
    except (wrong, ValueError):
        raise CannotOpen("damaged, or not from this place") from None
