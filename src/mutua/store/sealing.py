"""Sealing: the payloads of a user's events under a key of his own, which forgetting destroys.

Off by default. A sealed store hides what stands in payloads: attributes, texts, contexts, devices, slates, edits,
consents, linked ids. These columns stay clear, because the store sorts, joins and folds by them: event id, kind, the
inner indices of user and item, type, value, time, record time, source, session, marks; and the outer ids in the
vocabularies. AES-GCM with 96-bit random nonces, NIST SP 800-38D (2007); each ciphertext is bound to its event's id.
"""

from __future__ import annotations

import os
from typing import Protocol

from mutua.errors import MissingExtra, StoreError, UsageError

KEY_BYTES = 32
_NONCE_BYTES = 12


class Cipher(Protocol):
    """AES-GCM as `cryptography` has it."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...
    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...


def cipher(key: bytes) -> Cipher:
    """Returns AES-GCM under `key`.

    Raises:
        MissingExtra: code `extra.missing`; `cryptography` is not installed.
        UsageError: code `usage`; the key is not 32 bytes.
    """
    if len(key) != KEY_BYTES:
        raise UsageError(f"a key of {len(key)} bytes", f"{KEY_BYTES} bytes", "make one by `os.urandom(32)`, keep it")
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError as reason:
        raise MissingExtra(
            "a sealed store without the package `cryptography`",
            "the extra `crypto`",
            "pip install 'mutua[crypto]'",
        ) from reason
    return AESGCM(key)


def seal(under: Cipher, text: bytes, bound_to: bytes) -> bytes:
    """Returns nonce and ciphertext of `text`, which open only together with `bound_to`."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + under.encrypt(nonce, text, bound_to)


def unseal(under: Cipher, sealed: bytes, bound_to: bytes) -> bytes:
    """Returns the text within `sealed`.

    Raises:
        StoreError: code `store.failed`; another key, or altered bytes.
    """
    try:
        return under.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound_to)
    except Exception as reason:
        if type(reason).__name__ != "InvalidTag":
            raise
        raise StoreError(
            "a sealed payload that this key does not open", "the key it was sealed under", "open the store with its key"
        ) from reason
