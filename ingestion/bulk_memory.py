"""Things that many rows share, judged once: each has a number, and its columns under it.

Belongs here: numbers for rows, columns from numbers. Does not belong here: what the things are.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


class Memory:
    """A growing list of things, found again by their key."""

    def __init__(self, columns: Mapping[str, pa.DataType]) -> None:
        self.numbers: dict[Any, int] = {}
        self.entries: list[Any] = []
        self._columns = columns
        self._values: list[tuple[Any, ...]] = []

    def __len__(self) -> int:
        return len(self.entries)

    def learn(self, key: Any, entry: Any, values: tuple[Any, ...]) -> int:
        """The number of a new thing: what is needed of it per row, and its column values."""
        number = self.numbers[key] = len(self.entries)
        self.entries.append(entry)
        self._values.append(values)
        return number

    def columns(self, numbers: Sequence[int]) -> dict[str, pa.Array]:
        """The columns of some rows, from the number of each row's thing."""
        index = pc.dictionary_encode(pa.array(numbers, pa.int32()))
        used = [self._values[number] for number in index.dictionary.to_pylist()]
        values = zip(*used, strict=True) if used else [()] * len(self._columns)
        return {
            name: pa.array(column, kind).take(index.indices)
            for (name, kind), column in zip(self._columns.items(), values, strict=True)
        }
