"""Things get one number each, whether they are new, known or refused."""

from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from ingestion.values.interning import REFUSED, Interner

Said = tuple[str | None, str | None]
PARTS = st.tuples(*[st.sampled_from([None, "", "a", "b", "refused"])] * 2)


def judge(*said: str | None) -> tuple[Any, tuple[Any, ...]]:
    if "refused" in said:
        raise ValueError
    return said, said


@given(blocks=st.lists(st.lists(PARTS, max_size=8), max_size=5))
def test_a_thing_keeps_its_number_and_its_columns(blocks: list[list[Said]]) -> None:
    memory = Interner({"first": pa.string(), "second": pa.string()}, judge, (ValueError,))
    known: dict[Said, int] = {}
    for said in blocks:
        columns = zip(*said, strict=True) if said else ((), ())
        numbers = memory.find(*(pa.array(column, pa.string()) for column in columns))
        for thing, number in zip(said, numbers.tolist(), strict=True):
            if "refused" in thing:
                assert number == REFUSED
            else:
                assert known.setdefault(thing, number) == number
                assert memory.entries[number] == thing
        found = memory.columns(numbers)
        rows = zip(found["first"].to_pylist(), found["second"].to_pylist(), strict=True)
        assert list(rows) == [(None, None) if "refused" in thing else thing for thing in said]
    assert sorted(known.values()) == list(range(len(memory)))
