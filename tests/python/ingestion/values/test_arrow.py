"""Rows as columns: what is left of them under a mask."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.values import arrow as columns


@given(data=st.data())
def test_some_of_the_rows_of_an_array_and_a_table(data: st.DataObject) -> None:
    texts = data.draw(st.lists(st.sampled_from([None, "", "a", "bc"]), max_size=30))
    wanted = np.array([data.draw(st.booleans()) for _ in texts], np.bool_)
    skipped = data.draw(st.integers(0, len(texts)))
    array = pa.array(texts, pa.string()).slice(skipped)
    table = pa.table({"text": array, "place": pa.array(range(len(array)), pa.int64())})
    left = [text for text, is_wanted in zip(texts, wanted, strict=True) if is_wanted]
    left = left[int(wanted[:skipped].sum()) :]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns, "_FEW", data.draw(st.integers(0, 30)))
        assert columns.only(array, wanted[skipped:]).to_pylist() == left
        found = columns.only(table, wanted[skipped:])
    assert found["text"].to_pylist() == left
    assert found["place"].to_pylist() == np.flatnonzero(wanted[skipped:]).tolist()
