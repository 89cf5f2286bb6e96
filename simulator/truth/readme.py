"""The page that lies beside the truth and says what each file means. Text only."""

from __future__ import annotations

from collections.abc import Iterable

from simulator.truth.table import Table

HEAD = """# Truth

What a right warehouse must say about the sample beside this folder, computed from the simulator's own
world and never from the written files. Days are the tenant's own calendar days; ids are the
warehouse's (`tenant_id`, `user_id`: UUIDs by the identity convention). Everything is as of
`summary.json`'s `as_of`, the newest `received_at` in the sample.

| file | one row per | meaning |
|---|---|---|
"""
TAIL = """\
| `planted.jsonl` | planted defect | what, where (file below `landing/`, line from 1), and the right treatment |
| `summary.json` | – | files and lines by source, window, `as_of`, counts of plants |

Expected treatments: `stored` (as if nothing were wrong), `stored_on_its_own_date`, `dated_by_received_at` (flagged),
`stored_with_every_digit`, `ignored_as_duplicate`, `conflict_logged_earliest_received_stays`, `stored_and_drift_reported`,
`rejected` (with a reason, file and line), `ignored` (nothing there to store), `stored_not_counted`,
`state_unchanged`, `earlier_value_stays`, `not_stored_and_reported`, `counted_not_stored` (an event of somebody who had
refused; no table here holds such events).
"""


def page(tables: Iterable[Table]) -> str:
    rows = (f"| `{table.file}` | {table.grain} | {table.meaning} |\n" for table in tables)
    return HEAD + "".join(rows) + TAIL
