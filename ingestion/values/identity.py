"""Ids: how a source's id becomes a UUID, and how a record's identity becomes a key.

Belongs here: pure functions on ids, the same in every run (the SQL macro `entity_uuid` mirrors the
first), and which texts are no ids. Does not belong here: keyed tokens of personal data (`tokens`).
"""

import csv
import hashlib
import re
from collections.abc import Iterable
from functools import cache
from uuid import UUID

from tallyhouse.settings import PROJECT_ROOT

UUID_TEXT = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\Z")
_BLANKS = [
    *range(9, 14),
    32,
    0x85,
    0xA0,
    0x1680,
    *range(0x2000, 0x200C),
    0x2028,
    0x2029,
    0x202F,
    0x205F,
    0x2060,
    0x3000,
    0xFEFF,
]
UNSEEN = "".join(map(chr, _BLANKS))  # what a word may have around it
_BLANK = hashlib.blake2b(digest_size=16)  # a copy costs half of a new one


def uuid_text(product: str, kind: str, source_id: str) -> str:
    """A source id as UUID text: kept when it is one, else md5 of `product|kind|source_id`."""
    if UUID_TEXT.match(source_id):
        return source_id.lower()
    text = f"{product}|{kind}|{source_id}"
    digest = hashlib.md5(text.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"


def entity_uuid(product: str, kind: str, source_id: str) -> UUID:
    """`uuid_text` as a UUID. Kinds: tenant, user and the entity nouns (employee, site, …)."""
    return UUID(uuid_text(product, kind, source_id))


@cache
def placeholder_ids() -> frozenset[str]:
    """Words that programs write where they have no id, in lower case; see the seed."""
    seed = PROJECT_ROOT / "seeds" / "core" / "placeholder_ids.csv"
    with seed.open(encoding="utf-8", newline="") as file:
        return frozenset(row["placeholder_id"] for row in csv.DictReader(file))


def is_placeholder(source_id: str) -> bool:
    """Whether an id identifies nobody (rule 49)."""
    if len(source_id) > 40:
        return False
    word = source_id.strip(UNSEEN).lower()
    return word in placeholder_ids() or (not word and source_id != "")


def record_key(*parts: str) -> str:
    """32 hex digits that stand for an identity such as (product, tenant, source, id)."""
    digest = _BLANK.copy()
    digest.update("\x00".join(parts).encode("utf-8", "replace"))
    return digest.hexdigest()


def digests(texts: Iterable[bytes]) -> list[bytes]:
    """16 bytes that stand for each text."""
    found = []
    new = _BLANK.copy
    for text in texts:
        digest = new()
        digest.update(text)
        found.append(digest.digest())
    return found


def identity_prefix(*parts: str) -> bytes:
    """What `record_key` hashes before the last part of an identity."""
    return "".join(f"{part}\x00" for part in parts).encode("utf-8", "replace")
