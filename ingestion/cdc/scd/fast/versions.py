"""Folds one table's changes into versions, in columns: the same fold as `versions_sql`, for on-time changes.

Every change must be newer than all that was folded of its key, say something of every column, and
stand by its own commit position. Belongs here: order and validity, as pure functions of arrays. Does
not belong here: which changes may be folded so and what is done with the versions (`apply`).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ingestion.cdc.scd.lateness import POSITION_BYTES

Ints = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class Order:
    """Changes by key, then as the source committed them. Row i of what follows is `rows[i]`."""

    rows: Ints
    begins: Flags  # the first change of its key
    keys: Ints  # number of its key, counted from 0


@dataclass(frozen=True)
class Versions:
    """What the changes come to. Rows are numbers of changes as they were given."""

    closed: Ints  # changes whose version ended
    closed_from: Ints
    closed_to: Ints
    closed_is_deleted: Flags
    ends: Ints  # deletes after which nothing came: a version of no length says when
    ends_at: Ints
    current: Ints
    current_from: Ints
    former_to: Ints  # by number of the key: when the current row of before ends, where one is held
    former_is_deleted: Flags


def order_changes(keys: bytes, positions: bytes, files: Ints, offsets: Ints) -> Order:
    """`keys` are 16 bytes each, `positions` 28; `files` are ranks of the stream's files."""
    key = np.frombuffer(keys, ">u8").reshape(-1, 2).astype(np.uint64)
    raw = np.frombuffer(positions, np.uint8).reshape(-1, POSITION_BYTES)
    place = np.ascontiguousarray(raw[:, :24]).view(">u8").astype(np.uint64)
    last = np.ascontiguousarray(raw[:, 24:]).view(">u4").astype(np.uint32).ravel()
    by: list[np.ndarray[Any, Any]] = [
        offsets, files, last, place[:, 2], place[:, 1], place[:, 0], key[:, 1], key[:, 0],
    ]  # fmt: skip
    rows = np.lexsort(tuple(column for column in by if _varies(column)) or (offsets,))
    begins = _begins(key[rows, 0]) | _begins(key[rows, 1])
    return Order(rows, begins, np.cumsum(begins) - 1)


def _begins(keys: np.ndarray[Any, Any]) -> Flags:
    """Where the rows of each key begin, in rows that lie key by key."""
    begins = np.ones(len(keys), np.bool_)
    begins[1:] = keys[1:] != keys[:-1]
    return begins


def _varies(column: np.ndarray[Any, Any]) -> bool:
    return bool((column != column[0]).any())


def earliest(order: Order, instants: Ints) -> Ints:
    """The earliest instant of each key's changes."""
    return np.minimum.reduceat(instants[order.rows], np.flatnonzero(order.begins))


def fold_changes(order: Order, is_end: Flags, instants: Ints, is_held: Flags) -> Versions:
    """`is_end`: a delete; `is_held`, by number of the key: it has a current row, which began before
    all of its changes."""
    rows, keys, ends = order.rows, order.keys, is_end[order.rows]
    after_end = np.empty_like(ends)  # nothing lives before this change
    after_end[1:] = ends[:-1]
    after_end[order.begins] = ~is_held
    kept = ~(ends & after_end)
    rows, keys, ends = rows[kept], keys[kept], ends[kept]
    begins = _begins(keys)
    valid_from = _rising(instants[rows], keys, begins)
    is_last = np.ones(len(rows), np.bool_)
    is_last[:-1] = begins[1:]
    valid_to = valid_from.copy()
    valid_to[:-1] = valid_from[1:]
    former_to = np.zeros(len(is_held), np.int64)
    former_to[keys[begins]] = valid_from[begins]

    has_length = is_last | (valid_to > valid_from)
    rows, keys, ends = rows[has_length], keys[has_length], ends[has_length]
    is_last = is_last[has_length]
    valid_from, valid_to = valid_from[has_length], valid_to[has_length]
    begins = _begins(keys)
    former_is_deleted = np.zeros(len(is_held), np.bool_)
    former_is_deleted[keys[begins]] = ends[begins]
    is_deleted = np.zeros(len(rows), np.bool_)
    is_deleted[:-1] = ends[1:] & ~begins[1:]

    closed, current, last_end = ~ends & ~is_last, ~ends & is_last, ends & is_last
    return Versions(
        closed=rows[closed],
        closed_from=valid_from[closed],
        closed_to=valid_to[closed],
        closed_is_deleted=is_deleted[closed],
        ends=rows[last_end],
        ends_at=valid_from[last_end],
        current=rows[current],
        current_from=valid_from[current],
        former_to=former_to,
        former_is_deleted=former_is_deleted,
    )


def _rising(instants: Ints, keys: Ints, begins: Flags) -> Ints:
    """The latest instant so far within each key: where a clock jumps back, time stands still."""
    if not len(instants) or ((instants[1:] >= instants[:-1]) | begins[1:]).all():
        return instants
    known, ranks = np.unique(instants, return_inverse=True)
    base = keys * len(known)
    return known[np.maximum.accumulate(ranks + base) - base]
