"""The filter of keys: what it calls new was never there, and that a table is asked once filled."""

from hashlib import blake2b

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.storing import bloom_filter as seen_keys
from ingestion.storing.bloom_filter import BloomFilter, BloomFilters
from tests.python.ingestion.conftest import Loading, line

KEYS = st.integers(0, 400).map(lambda n: blake2b(b"%d" % n, digest_size=16).digest())


def keys(*some: bytes) -> pa.Array:
    return pa.array(some, pa.binary(16))


@given(st.lists(st.lists(KEYS, min_size=1, unique=True), max_size=8), st.sampled_from([1, 4, 1024]))
def test_what_was_added_is_never_called_new(batches: list[list[bytes]], words: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seen_keys, "_WORDS", words)
        seen, before = BloomFilter(), set[bytes]()
        for batch in batches:
            found = seen.add(keys(*batch))
            assert all(found[i] for i, key in enumerate(batch) if key in before)
            before |= set(batch)


def test_nearly_all_new_keys_are_called_new() -> None:
    seen = BloomFilter()
    some = keys(*(blake2b(b"%d" % n, digest_size=16).digest() for n in range(100_000)))
    assert seen.add(some.slice(0, 50_000)).sum() < 50
    assert seen.add(some.slice(50_000)).sum() < 50
    assert seen.add(some).all()


def test_only_an_empty_table_has_a_filter(loading: Loading) -> None:
    table = "raw_events.event_keys"
    with loading.warehouse.connect() as conn:
        seen = BloomFilters()
        first = seen.of(conn, table)
        assert isinstance(first, BloomFilter)
        assert seen.of(conn, table) is first
    loading.put("events/upcoach/a.jsonl", [line(1)])
    loading.load()
    with loading.warehouse.connect() as conn:
        assert BloomFilters().of(conn, table) is None
