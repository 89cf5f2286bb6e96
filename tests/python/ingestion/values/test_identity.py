"""Which ids identify nobody (rule 49)."""

import pytest

from ingestion.values.identity import is_placeholder


@pytest.mark.parametrize(
    "said",
    ["undefined", "null", "NULL", "None", "NaN", "0", " null ", "[object Object]",
     "00000000-0000-0000-0000-000000000000", "0" * 32, "nil", "(NULL)", "<nil>", "\\N", "N/A", "(not set)"],
)  # fmt: skip
def test_words_for_nothing(said: str) -> None:
    assert is_placeholder(said)


@pytest.mark.parametrize(
    "said",
    ["00", "0.0", "nullus", "nobody", "1", "-1", "", "undefined2",
     "00000000-0000-0000-0000-000000000001", "null" * 20],
)  # fmt: skip
def test_ids(said: str) -> None:
    assert not is_placeholder(said)
