"""Which changes are late-arriving, by the source's commits and by its clock."""

from datetime import UTC, datetime, timedelta

import numpy as np

from ingestion.cdc.scd.lateness import (
    POSITION_BYTES,
    lie_before_folded,
    may_have_later_version,
)


def position(number: int) -> bytes:
    return number.to_bytes(POSITION_BYTES, "big")


def test_what_was_committed_before_the_newest_folded_change_is_late() -> None:
    positions = b"".join(map(position, [6, 7, 7, 8, 0]))
    is_restated = np.array([False, False, True, False, True])
    late = lie_before_folded(positions, is_restated, position(7).hex())
    assert late.tolist() == [True, True, False, False, True]


def test_nothing_is_late_where_nothing_was_folded() -> None:
    assert not lie_before_folded(position(1) * 2, np.array([True, False]), None).any()
    assert not may_have_later_version(np.array([0, 1]), None).any()


def test_only_what_happened_after_every_version_is_surely_on_time() -> None:
    newest = datetime(2026, 3, 1, 10, tzinfo=UTC)
    newest_us = (newest - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    instants = np.array([newest_us - 1, newest_us, newest_us + 1])
    assert may_have_later_version(instants, newest).tolist() == [True, True, False]
