"""Values kept closed: encrypted with a key of their tenant, until somebody declares what they are.

Nobody can say whether a field that no contract names is personal. Sealed, it lies open nowhere and nothing is lost.
One value in one place of one tenant has one sealed form, so that a record delivered twice is the same record, and
reading it again ends in the same rows. Belongs here: sealing and opening. Does not belong here: what is to be sealed.
"""

import base64
import binascii
import json
from functools import lru_cache
from typing import Any

from ingestion.values.json_lines import encode

PREFIX = "sealed_"
_REMEMBERED = 10_000  # tenants' keys


class Unopened(ValueError):
    """It was not sealed with this key, by this tenant and for this place; or it is damaged."""


class Sealer:
    """Seals JSON values (AES-SIV under a key that HKDF derives from the master key for each tenant)."""

    def __init__(self, master_key: bytes) -> None:
        self._master_key = master_key
        self._cipher_of = lru_cache(_REMEMBERED)(self._cipher)

    def seal(self, tenant_id: str, place: str, value: Any) -> str:
        """A value of a tenant (UUID text) as text; `place` (a field's name) is needed to open it."""
        cipher = self._cipher_of(tenant_id)
        closed = cipher.encrypt(encode(value).encode("utf-8", "replace"), [_place(place)])
        return PREFIX + base64.urlsafe_b64encode(closed).decode().rstrip("=")

    def open(self, tenant_id: str, place: str, text: str) -> Any:
        """The value that was sealed; raises Unopened."""
        from cryptography.exceptions import InvalidTag

        body = text.removeprefix(PREFIX)
        try:
            closed = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
            return json.loads(self._cipher_of(tenant_id).decrypt(closed, [_place(place)]))
        except (InvalidTag, binascii.Error, ValueError) as error:
            raise Unopened("sealed under another key, or damaged") from error

    def _cipher(self, tenant_id: str) -> Any:
        """Imported when something is sealed for the first time: most loads seal nothing."""
        from cryptography.hazmat.primitives.ciphers.aead import AESSIV
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

        info = f"sealed values of {tenant_id}".encode()
        return AESSIV(HKDFExpand(SHA256(), 64, info).derive(self._master_key))


def is_sealed(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(PREFIX)


def _place(name: str) -> bytes:
    return name.encode("utf-8", "replace")
