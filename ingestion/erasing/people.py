"""Whom the ledger of erasures names, known by digests, and what stands in their place.

Digest and stand-in of an id are made under keys that derive from the master key of personal data, so that the
ledger says nothing to whoever has the warehouse alone. One id always has one stand-in: an invoice that is loaded
again is the same invoice. Belongs here: digests and stand-ins. Does not belong here: which ids a record has
(`records`), the table (`ledger`).
"""

import hmac
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from uuid import UUID

from ingestion.values.identity import is_placeholder, uuid_text

NIL = str(UUID(int=0))
_LARGEST = 2**31 - 1  # of a column of type integer
_REMEMBERED = 500_000


class People:
    """The erased people of a warehouse: their digests, each with its person's tenant."""

    def __init__(
        self, master_key: bytes, digests: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self._digest_key = hmac.digest(master_key, b"ledger of erasures", "sha256")
        self._stand_in_key = hmac.digest(master_key, b"stand-ins of erased people", "sha256")
        self._digests = digests
        self._asked: dict[tuple[str, str, str, str], bool] = {}

    def __bool__(self) -> bool:
        return bool(self._digests)

    def digest(self, product: str, tenant_id: str | None, kind: str, source_id: str) -> str:
        """32 hex digits that stand for an id in the ledger."""
        text = "\x00".join((product, tenant_id or NIL, _kind(kind, source_id), source_id.lower()))
        return hmac.digest(self._digest_key, text.encode("utf-8", "replace"), "sha256").hex()[:32]

    def know(self, product: str, tenant_id: str | None, kind: str, source_id: object) -> bool:
        """Whether an id is that of an erased person; with the tenant where the record tells it."""
        if source_id is None or not self._digests:
            return False
        text = str(source_id)
        asked = product, tenant_id or NIL, kind, text
        known = self._asked.get(asked)
        if known is None:
            if len(self._asked) >= _REMEMBERED:
                self._asked.clear()
            known = any(
                self.digest(product, tenant_id, kind, name) in self._digests
                for name in _names(product, kind, text)
            )
            known = self._asked[asked] = known and not is_placeholder(text)
        return known

    def tenant_of(self, product: str, kind: str, source_id: str) -> str | None:
        """The tenant of an erased person whose record does not tell it."""
        digests = (
            self.digest(product, None, kind, name) for name in _names(product, kind, source_id)
        )
        return next(filter(None, map(self._digests.get, digests)), None)

    def stand_in(self, product: str, kind: str, source_id: object) -> str:
        """The UUID that takes the place of a text id."""
        text = str(source_id).lower()
        words = "\x00".join((product, _kind(kind, text), text)).encode("utf-8", "replace")
        return str(UUID(bytes=hmac.digest(self._stand_in_key, words, "sha256")[:16], version=5))

    def stand_in_like(self, product: str, kind: str, value: object) -> str | int:
        """The same of the value's own type; of a number a negative one, which no source counts to."""
        stand_in = self.stand_in(product, kind, value)
        return -(UUID(stand_in).int % _LARGEST) - 1 if isinstance(value, int) else stand_in


def _names(product: str, kind: str, source_id: str) -> Iterator[str]:
    """An id, and of a user the one that models make of it: of whom only they still know nothing else is left."""
    yield source_id
    if kind == "user":
        yield uuid_text(product, kind, source_id)


def _kind(kind: str, source_id: str) -> str:
    """Numbers are somebody's only together with what they count; any other id is one wherever it stands."""
    return kind if source_id.isdigit() else "id"
