"""Change data capture as a kind of source: files in, changes stored, tables folded.

Belongs here: the order of the steps once a file's changes are stored. Does not belong here: any
step itself (`parser`, `place`, `fold`, `rebuild`).
"""

from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple

import psycopg

from ingestion.cdc.affected import Batch, find_affected, read_fresh
from ingestion.cdc.change_rows import COLUMNS
from ingestion.cdc.contract import CdcContract, cdc_contracts
from ingestion.cdc.fold import fold
from ingestion.cdc.parser import CdcParser
from ingestion.cdc.place import StreamState, place
from ingestion.cdc.plan import TablePlan
from ingestion.cdc.rebuild import decode_again
from ingestion.cdc.tables import FoldTarget, create, has_changes, outdated, remember
from ingestion.cdc.write import write
from ingestion.contracts import Contracts
from ingestion.pii import Tokeniser
from ingestion.sources import FileInfo, LineParser, LoadedFile, Shape, Target, Undeclared

_SUMMARY = """
select
    fresh.table_name,
    bool_or(_op = 't'), bool_or(is_keyless and _op = 'r'),
    bool_or(_op = 't' and not is_placed),
    max(case when is_placed then encode(_position, 'hex') collate "C" end),
    bool_or(is_placed), bool_or(not is_placed), min(_stream_file), max(_stream_file),
    max(case when not is_placed then _stream_file end)
from fresh
group by fresh.table_name
order by fresh.table_name
"""
_RESETS = """
insert into raw_cdc.resets
    (product, table_name, position, stream_file, stream_offset, committed_at, load_id)
select
    %(product)s, table_name, _position,
    case when _op = 't' then _stream_file else '' end,
    case when _op = 't' then _stream_offset else 0 end,
    min(_instant), %(load_id)s
from fresh
where table_name = %(table)s and (_op = 't' or (%(keyless)s and is_keyless and _op = 'r'))
group by 1, 2, 3, 4, 5
on conflict do nothing
returning encode(position, 'hex')
"""


class CdcSource:
    """The databases of all products."""

    kind = "cdc"
    target = Target(
        table="raw_cdc.changes", key_table="raw_cdc.change_keys", columns=COLUMNS, touch_sql=None
    )

    def __init__(self, contracts: Contracts, tokeniser: Tokeniser) -> None:
        self._contracts = cdc_contracts(contracts)
        self._tokeniser = tokeniser
        self._plans: dict[str, dict[str, TablePlan]] = {}

    def shape(self, file: FileInfo) -> Shape:
        self._contract(file)
        return Shape()

    def open(self, file: FileInfo) -> LineParser:
        contract = self._contract(file)
        plans = self._plans.setdefault(contract.product, {})
        return CdcParser(contract, file, self._tokeniser, plans)

    def _contract(self, file: FileInfo) -> CdcContract:
        contract = self._contracts.get(file.name)
        if contract is None:
            raise Undeclared(
                f"Nobody declared the database of {file.name!r}. Write"
                f" contracts/cdc/{file.name}.yml, or name a folder that holds its contract in"
                " TALLYHOUSE_CONTRACTS."
            )
        return contract

    def follow_contracts(
        self, conn: psycopg.Connection[Any], next_load_id: Callable[[], int]
    ) -> None:
        """Bring every table whose contract changed to it, though no file came."""
        for target in outdated(conn, self._contracts.values()):
            self._follow(conn, target, next_load_id())

    def after_file(self, conn: psycopg.Connection[Any], loaded: LoadedFile) -> None:
        """Fold the file's changes into the tables, in the file's transaction."""
        contract = self._contracts[loaded.file.name]
        dates: list[date] = sorted(loaded.dates)
        conn.execute("set local jit = off")
        conn.execute("set local default_statistics_target = 10")  # of temp tables, soon gone
        followed = set()
        for target in outdated(conn, [contract]):
            self._follow(conn, target, loaded.load_id)
            followed.add(target.name)
        if not dates:
            return
        load = {"product": contract.product, "load_id": loaded.load_id, "dates": dates}
        read_fresh(
            conn,
            "product = %(product)s and load_id = %(load_id)s and event_date = any(%(dates)s)",
            load,
        )
        for row in conn.execute(_SUMMARY).fetchall():
            table = contract.tables.get(row[0])
            if table is not None and row[0] not in followed:
                target = FoldTarget(contract.product, row[0], table)
                bring_up_to_date(conn, target, loaded.load_id, dates, Summary(*row[1:]))

    def _follow(self, conn: psycopg.Connection[Any], target: FoldTarget, load_id: int) -> None:
        """Bring a table to a contract that is new or changed, with all that is stored of it."""
        create(conn, target)
        if has_changes(conn, target):
            decode_again(conn, target, self._tokeniser, load_id)
        remember(conn, target)
        names = {"product": target.product, "table": target.name}
        conn.execute(
            "update raw_cdc.folded_tables set max_position = null, max_stream_file = null,"
            " last_unplaced_file = null where product = %(product)s and table_name = %(table)s",
            names,
        )
        conn.execute(
            "delete from raw_cdc.resets where product = %(product)s and table_name = %(table)s",
            names,
        )
        read_fresh(conn, "product = %(product)s and table_name = %(table)s", names)
        for row in conn.execute(_SUMMARY).fetchall():
            bring_up_to_date(conn, target, load_id, None, Summary(*row[1:]))


class Summary(NamedTuple):
    """What `fresh` holds of one table."""

    has_truncates: bool
    has_snapshot_without_key: bool
    has_unplaced_truncates: bool
    newest_position: str | None
    has_placed: bool
    has_unplaced: bool
    first_file: str
    last_file: str
    last_unplaced_file: str | None


def bring_up_to_date(
    conn: psycopg.Connection[Any], target: FoldTarget, load_id: int, dates: list[date] | None,
    found: Summary,
) -> None:  # fmt: skip
    """Place, reset and fold one table from `fresh`; then remember how far it came. Without
    `dates`, `fresh` holds all changes of the table."""
    before = conn.execute(
        "select encode(max_position, 'hex'), max_stream_file, last_unplaced_file"
        " from raw_cdc.folded_tables where product = %s and table_name = %s",
        [target.product, target.name],
    ).fetchone()
    assert before is not None
    state = StreamState(
        max_position=before[0],
        max_stream_file=before[1],
        last_unplaced_file=before[2],
        has_placed=found.has_placed,
        has_unplaced=found.has_unplaced,
        first_file=found.first_file,
    )
    names = {"product": target.product, "table": target.name, "load_id": load_id}
    if state.must_place():
        place(conn, target, state, load_id, dates)
    resets: list[str] = []
    if found.has_truncates or found.has_snapshot_without_key:
        rows = conn.execute(_RESETS, {**names, "keyless": found.has_snapshot_without_key})
        resets = [position for (position,) in rows]
    refold_all = (
        dates is None
        or found.has_unplaced_truncates
        or (before[0] is not None and any(position <= before[0] for position in resets))
    )
    batch = Batch(load_id, bool(resets), refold_all)
    affected = find_affected(conn, target, batch, before[0])
    carried = fold(conn, target, batch, affected)
    write(conn, target, load_id, carried)
    conn.execute("drop table affected, versions")
    conn.execute(
        """
        update raw_cdc.folded_tables
        set max_position = greatest(max_position, decode(%(newest)s, 'hex')),
            max_stream_file = greatest(max_stream_file, %(last)s collate "C"),
            last_unplaced_file = greatest(last_unplaced_file, %(unplaced)s collate "C")
        where product = %(product)s and table_name = %(table)s
        """,
        {**names, "newest": found.newest_position, "last": found.last_file,
         "unplaced": found.last_unplaced_file},
    )  # fmt: skip
