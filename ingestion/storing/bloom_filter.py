"""Which keys a load has seen: what it surely has not seen needs no look-up in an empty table.

A Bloom filter of fixed size. It never calls a seen key new; the more keys, the more new ones it
takes for seen, and those are looked up. Belongs here: the filter, when it may be used. Does not
belong here: storing keys (`sink`).
"""

import numpy as np
import psycopg
import pyarrow as pa
from psycopg import sql

from ingestion.values.arrow import halves

_WORDS = 1 << 22  # 32 MiB: at 10 million keys, one new key in some hundred is looked up in vain
_BITS_OF_KEY = 4


class BloomFilter:
    """16-byte keys, which are hashes already."""

    def __init__(self) -> None:
        self._words = np.zeros(_WORDS, np.uint64)

    def add(self, keys: pa.Array) -> np.ndarray:
        """Which of the keys (all different) may have been seen before; now all of them have."""
        places, bits = _places(keys)
        seen = (self._words[places] & bits) == bits
        np.bitwise_or.at(self._words, places, bits)
        return seen


class BloomFilters:
    """The filters of one load, for those key tables that were empty when it first wrote there.

    The loader's lock makes sure that nobody else fills them meanwhile.
    """

    def __init__(self) -> None:
        self._filters: dict[str, BloomFilter | None] = {}

    def of(self, conn: psycopg.Connection, key_table: str) -> BloomFilter | None:
        """The filter of a table; None where the table must be asked."""
        if key_table not in self._filters:
            query = sql.SQL("select exists (select from {})").format(sql.SQL(key_table))
            is_filled = conn.execute(query).fetchone() != (False,)
            self._filters[key_table] = None if is_filled else BloomFilter()
        return self._filters[key_table]


def _places(keys: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Of each key, its word and its bits there."""
    first, second = halves(keys)
    bits = np.zeros(len(keys), np.uint64)
    for number in range(_BITS_OF_KEY):
        bits |= np.uint64(1) << (second >> np.uint64(6 * number) & np.uint64(63))
    return first & np.uint64(_WORDS - 1), bits
