"""Things that many rows share, judged once: each has a number, and its columns under it.

Belongs here: numbers for rows, columns from numbers. Does not belong here: what the things are.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Numbers = np.ndarray  # int32, one per row
REFUSED = -1
_DENSE = 16  # times as many possible codes as rows: up to there a table of them pays

# Of a new key: what is kept of the thing for later judgements, and its values in the columns.
Judge = Callable[..., tuple[Any, tuple[Any, ...]]]


class Memory:
    """A growing list of things, found again by their key, which has one or several parts.

    `judge` is called with the parts of a new key; it raises one of `refusals` where it cannot.
    """

    def __init__(
        self,
        columns: Mapping[str, pa.DataType],
        judge: Judge,
        refusals: tuple[type[BaseException], ...],
    ) -> None:
        self.entries: list[Any] = []
        self._numbers: dict[tuple[Any, ...], int] = {}
        self._columns = columns
        self._values: list[tuple[Any, ...]] = []
        self._judge = judge
        self._refusals = refusals

    def __len__(self) -> int:
        return len(self.entries)

    def forget(self) -> None:
        """Start anew; numbers of before are void."""
        self.entries, self._numbers, self._values = [], {}, []

    def find(self, *parts: Sequence[Any]) -> Numbers:
        """The number of each row's thing, or REFUSED. Item i of each part is row i's."""
        keys, places = _distinct(parts)
        numbers = list(map(self._numbers.get, keys))
        if None in numbers:
            for place, number in enumerate(numbers):
                if number is None:
                    numbers[place] = self._learn(keys[place])
        return np.array(numbers, np.int32)[places]

    def _learn(self, key: tuple[Any, ...]) -> int:
        try:
            entry, values = self._judge(*key)
        except self._refusals:
            return REFUSED
        number = self._numbers[key] = len(self.entries)
        self.entries.append(entry)
        self._values.append(values)
        return number

    def columns(self, numbers: Numbers) -> dict[str, pa.Array]:
        """The columns of some rows, none of them refused."""
        index = pc.dictionary_encode(pa.array(numbers))
        used = [self._values[number] for number in index.dictionary.to_pylist()]
        values = zip(*used, strict=True) if used else [()] * len(self._columns)
        return {
            name: pa.array(column, kind).take(index.indices)
            for (name, kind), column in zip(self._columns.items(), values, strict=True)
        }


def _distinct(parts: Sequence[Sequence[Any]]) -> tuple[list[tuple[Any, ...]], np.ndarray]:
    """Of rows made of parts: the distinct ones, and the place of each row's among them."""
    coded = [_coded(part) for part in parts]
    sizes = [len(values) for _, values in coded]
    if math.prod(sizes) == max(sizes):  # one part varies at most
        codes = coded[sizes.index(max(sizes))][0]
        repeated = (values * (max(sizes) // len(values)) for _, values in coded)
        return list(zip(*repeated, strict=True)), codes
    codes = coded[0][0]
    found = np.arange(sizes[0])[:, None]
    for (more, _), size in zip(coded[1:], sizes[1:], strict=True):
        distinct, codes = _dense(codes * size + more, len(found) * size)
        found = np.column_stack([found[distinct // size], distinct % size])
    taken = [
        [values[code] for code in column]
        for (_, values), column in zip(coded, found.T.tolist(), strict=True)
    ]
    return list(zip(*taken, strict=True)), codes


def _dense(codes: np.ndarray, below: int) -> tuple[np.ndarray, np.ndarray]:
    """Which codes there are, and the place of each among them."""
    if below > _DENSE * len(codes):
        return np.unique(codes, return_inverse=True)
    distinct = np.flatnonzero(np.bincount(codes, minlength=below))
    places = np.zeros(below, np.int64)
    places[distinct] = np.arange(len(distinct))
    return distinct, places[codes]


def _coded(values: Sequence[Any]) -> tuple[np.ndarray, list[Any]]:
    """Texts and whole numbers as codes, and the value of each code."""
    try:
        column = pa.array(values)
    except (
        pa.ArrowInvalid,
        pa.ArrowTypeError,
        OverflowError,
    ):  # texts among numbers, or large ones
        seen: dict[Any, int] = {}
        codes = np.array([seen.setdefault(value, len(seen)) for value in values], np.int64)
        return codes, list(seen)
    found = column.dictionary_encode(null_encoding="encode")
    return found.indices.to_numpy().astype(np.int64), found.dictionary.to_pylist()
