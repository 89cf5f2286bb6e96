"""Things that many rows share, judged once: each has a number, and its columns under it.

Belongs here: numbers for rows, columns from numbers. Does not belong here: what the things are.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Numbers = np.ndarray  # int32, one per row
REFUSED = -1
_NOTHING, _BETWEEN = b"\x1e", b"\x1f"  # control characters, which no part of a key holds

# Of a new key: what is kept of the thing for later judgements, and its values in the columns.
Judge = Callable[..., tuple[Any, tuple[Any, ...]]]


class Interner:
    """A growing list of things, found again by their key.

    A key has one or several parts: texts without control characters, or None. `judge` is called
    with the parts of a new key; it raises one of `refusals` where it cannot.
    """

    def __init__(
        self,
        columns: Mapping[str, pa.DataType],
        judge: Judge,
        refusals: tuple[type[BaseException], ...],
    ) -> None:
        self._types = columns
        self._judge = judge
        self._refusals = refusals
        self.forget()

    def __len__(self) -> int:
        return len(self.entries)

    def forget(self) -> None:
        """Start anew; numbers of before are void."""
        self.entries: list[Any] = []
        self._keys = pa.array([], pa.binary())
        self._columns = {name: pa.array([], kind) for name, kind in self._types.items()}

    def find(self, *parts: pa.Array) -> Numbers:
        """The number of each row's thing, or REFUSED. Item i of each part is row i's."""
        keys = _keys(parts)
        found = pc.index_in(keys, self._keys)
        if not found.null_count:
            return found.to_numpy()
        places = np.flatnonzero(np.asarray(found.is_null()))
        new = keys.take(pa.array(places)).dictionary_encode()
        which = new.indices.to_numpy()
        _, first = np.unique(which, return_index=True)
        rows = pa.array(places[first])
        said = list(zip(*(part.take(rows).to_pylist() for part in parts), strict=True))
        numbers = found.fill_null(REFUSED).to_numpy().copy()
        numbers[places] = self._learn(new.dictionary, said)[which]
        return numbers

    def _learn(self, keys: pa.Array, said: list[tuple[Any, ...]]) -> Numbers:
        """Judge new things; their numbers. The refused ones are not remembered."""
        start = len(self.entries)
        values: list[tuple[Any, ...]] = []
        is_good = []
        for parts in said:
            try:
                entry, columns = self._judge(*parts)
            except self._refusals:
                is_good.append(False)
                continue
            is_good.append(True)
            self.entries.append(entry)
            values.append(columns)
        is_learnt = np.array(is_good)
        numbers = np.where(is_learnt, start + np.cumsum(is_learnt) - 1, REFUSED).astype(np.int32)
        if not values:
            return numbers
        self._keys = pa.concat_arrays([self._keys, keys.filter(pa.array(is_good))])
        for (name, kind), column in zip(
            self._types.items(), zip(*values, strict=True), strict=True
        ):
            self._columns[name] = pa.concat_arrays([self._columns[name], pa.array(column, kind)])
        return numbers

    def columns(self, numbers: Numbers) -> dict[str, pa.Array]:
        """The columns of some rows; null for refused ones."""
        places = pa.array(numbers, mask=numbers == REFUSED)
        return {name: column.take(places) for name, column in self._columns.items()}


def _keys(parts: Sequence[pa.Array]) -> pa.Array:
    columns = [part.cast(pa.binary()) for part in parts]
    if len(columns) == 1:
        return pc.coalesce(columns[0], pa.scalar(_NOTHING))
    return pc.binary_join_element_wise(
        *columns, _BETWEEN, null_handling="replace", null_replacement=_NOTHING
    )
