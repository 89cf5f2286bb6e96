"""Rows in the lake's order: by day, then tenant, then time, then event.

Belongs here: sorting many days' rows at once. Does not belong here: Parquet (`files`), which
rows there are (`new_days`).
"""

from datetime import date

import numpy as np
import pyarrow as pa

from ingestion.values.arrow import halves

_LARGEST = 2**63 - 1


def by_day(table: pa.Table) -> list[tuple[date, pa.Table]]:
    """The rows of each day, in the order of its files and without event_date.

    The table has columns of raw_events.events, these four among them: event_date, tenant_id,
    occurred_at, event_id. Rows that are alike in them keep their order.
    """
    if not len(table):
        return []
    table = table.combine_chunks()
    days = table["event_date"].combine_chunks().cast(pa.int32()).to_numpy()
    order = _order(table, days)
    days = days[order]
    starts = np.flatnonzero(np.append(True, days[1:] != days[:-1]))
    stops = [*starts[1:], len(days)]
    rows = table.drop_columns(["event_date"])
    return [
        (pa.scalar(int(days[start]), pa.date32()).as_py(), rows.take(pa.array(order[start:stop])))
        for start, stop in zip(starts, stops, strict=True)
    ]


def _order(table: pa.Table, days: np.ndarray) -> np.ndarray:
    """The places of the rows, of which there is one at least, in their order."""
    tenants, count = _ranks(table["tenant_id"].combine_chunks())
    times = table["occurred_at"].combine_chunks().cast(pa.int64()).to_numpy()
    groups = (days.astype(np.int64) - int(days.min())) * count + tenants
    first, second = halves(table["event_id"])
    earliest = int(times.min())
    span = int(times.max()) - earliest + 1
    if (int(groups.max()) + 1) * span > _LARGEST:  # centuries apart
        return np.lexsort((second, first, times, groups))
    keys = groups * span + (times - earliest)  # one number a row, which sorts far faster than four
    order = np.argsort(keys)
    is_tied = keys[order][1:] == keys[order][:-1]
    places = np.flatnonzero(np.append(is_tied, False) | np.append(False, is_tied))
    tied = order[places]
    order[places] = tied[np.lexsort((tied, second[tied], first[tied], keys[tied]))]
    return order


def _ranks(ids: pa.Array) -> tuple[np.ndarray, int]:
    """Each id's place among the different ones in their order, and how many these are."""
    coded = ids.dictionary_encode()
    ranks = np.argsort(np.argsort(np.array(coded.dictionary.to_pylist(), "S16")))
    return ranks[coded.indices.to_numpy()], len(ranks)
