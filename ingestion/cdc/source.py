"""Change data capture as a kind of source: files in, changes stored, tables folded.

Belongs here: the order of the steps once a file's changes are stored. Does not belong here: any
step itself (`decode`, `scd`).
"""

from collections.abc import Callable, Collection
from datetime import date
from typing import Any

import psycopg

from ingestion import drift_log
from ingestion.cdc.contract import CdcContract, cdc_contracts, cdc_faults
from ingestion.cdc.decode.fast.columns import ProductInterners
from ingestion.cdc.decode.parser import UNPLACED_RECORD, CdcParser
from ingestion.cdc.decode.rows import COLUMNS, ChangeRows
from ingestion.cdc.decode.table_decoder import TableDecoder
from ingestion.cdc.scd.affected import read_fresh
from ingestion.cdc.scd.apply import bring_up_to_date, summaries
from ingestion.cdc.scd.fast.apply import fold_on_time, tables_of
from ingestion.cdc.scd.progress import forget
from ingestion.cdc.scd.redecode import REJUDGED, REMOVED_VALUE, decode_again
from ingestion.cdc.scd.refold import empty
from ingestion.cdc.scd.restarts import RESTARTED, move_to_logs
from ingestion.cdc.scd.stream import FileStream, remember_stored
from ingestion.cdc.scd.tables import (
    FoldTarget,
    create,
    has_changes,
    outdated,
    remember,
    target_of,
)
from ingestion.contracts.form import Form
from ingestion.contracts.model import Contracts
from ingestion.landing.file_info import FileInfo, Shape
from ingestion.parsing.batches import Batch
from ingestion.parsing.source import InStream, LineParser, LoadedFile, Target, Undeclared, Waiting
from ingestion.privacy.tokens import Tokeniser
from ingestion.values.drift import Drift


class CdcSource:
    """The databases of all products."""

    kind = "cdc"
    target = Target(
        table="raw_cdc.changes",
        key_table="raw_cdc.change_keys",
        columns=COLUMNS,
        part="table_name",
        noted=("raw_cdc.stream_files",),
    )

    def __init__(self, contracts: Contracts, tokeniser: Tokeniser) -> None:
        self._contracts = cdc_contracts(contracts)
        self._faults = cdc_faults(contracts)
        self._tokeniser = tokeniser
        self._forms = {product: contract.form() for product, contract in self._contracts.items()}
        self._plans: dict[str, dict[str, TableDecoder]] = {}
        self._known: dict[str, ProductInterners] = {}
        self._streams: dict[FileInfo, FileStream] = {}  # of the file that is being loaded

    def faults(self) -> tuple[str, ...]:
        """What is wrong with contracts of databases."""
        return tuple(fault.sentence for fault in self._faults if fault.kind == self.kind)

    def shape(self, file: FileInfo) -> Shape:
        self._contract(file)
        return Shape()

    def form(self, file: FileInfo) -> Form:
        return self._forms[self._contract(file).product]

    def came_at(self, path: str) -> int:
        return 0

    def product(self, name: str) -> str | None:
        return name if name in self._contracts else None

    def open(self, file: FileInfo) -> LineParser:
        contract = self._contract(file)
        product = contract.product
        if product not in self._known:
            self._known[product] = ProductInterners(
                TableDecoder(product, "", None, self._tokeniser)
            )
        plans = self._plans.setdefault(product, {})
        return CdcParser(contract, file, self._tokeniser, plans, self._known[product])

    def stream_of(self, file: FileInfo) -> InStream:
        stream = self._streams[file] = FileStream()

        def in_stream(batch: Batch) -> Batch:
            assert isinstance(batch.rows, ChangeRows)
            return batch._replace(rows=stream.place(batch.rows))

        return in_stream

    def _contract(self, file: FileInfo) -> CdcContract:
        for fault in self._faults:
            if fault.product == file.name:
                raise Waiting(fault.sentence)
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
        for product, contract in self._contracts.items():
            for name in contract.tables if contract.ordered_by_files else ():
                drift_log.settle(conn, (self.kind, product), name, [UNPLACED_RECORD])
        for target in outdated(conn, self._contracts.values()):
            load_id = next_load_id()
            drift = self._follow(conn, target, load_id)
            drift_log.note_again(conn, (self.kind, target.product), load_id, drift)

    def after_file(self, conn: psycopg.Connection[Any], loaded: LoadedFile) -> None:
        """Fold the file's changes into the tables, in the file's transaction."""
        contract = self._contracts[loaded.file.name]
        stream = self._streams.pop(loaded.file, None)
        if stream is not None:
            stream.remember(conn, contract.product, loaded.load_id)
        dates: list[date] = sorted(loaded.dates)
        conn.execute("set local jit = off")
        conn.execute("set local default_statistics_target = 10")  # of temp tables, soon gone
        followed: set[str] = set()
        for target in outdated(conn, [contract]):
            loaded.drift.take(self._follow(conn, target, loaded.load_id))
            followed.add(target.name)
        if not dates:
            return
        left = self._fold_on_time(conn, contract, loaded, followed)
        if left is not None and not left:
            return
        load = {
            "product": contract.product, "load_id": loaded.load_id, "dates": dates, "left": left,
        }  # fmt: skip
        read_fresh(
            conn,
            "product = %(product)s and load_id = %(load_id)s and event_date = any(%(dates)s)"
            " and (%(left)s::text[] is null or table_name = any(%(left)s))",
            load,
        )
        for name, summary in summaries(conn):
            table = contract.tables.get(name)
            if table is not None and name not in followed:
                target = target_of(contract, name)
                has_heads = stream is not None and stream.has_heads(name)
                restarted = bring_up_to_date(conn, target, loaded.load_id, summary, has_heads)
                if restarted:
                    loaded.drift[name, "", RESTARTED] += restarted

    def _fold_on_time(
        self, conn: psycopg.Connection[Any], contract: CdcContract, loaded: LoadedFile,
        followed: set[str],
    ) -> list[str] | None:  # fmt: skip
        """Take the fast path where it is open; the tables where it is not, None when nobody knows
        which."""
        if loaded.rows is None:
            return None
        left: list[str] = []
        for name, changes in sorted(tables_of(loaded.rows).items()):
            table = contract.tables.get(name)
            if table is None or name in followed:
                continue
            target = target_of(contract, name)
            if changes is None or not fold_on_time(conn, target, loaded.load_id, changes):
                left.append(name)
        return left

    def _follow(self, conn: psycopg.Connection[Any], target: FoldTarget, load_id: int) -> Drift:
        """Bring a table to a contract that is new or changed, with all that is stored of it; what of it
        still differs from the contract."""
        create(conn, target)
        drift = Drift()
        settled = [*REJUDGED, RESTARTED] if target.log_restarts else REJUDGED
        drift_log.settle(conn, (self.kind, target.product), target.name, settled)
        if has_changes(conn, target):
            drift = decode_again(conn, target, self._tokeniser, load_id)
            move_to_logs(conn, target)
            remember_stored(conn, target.product, target.name)
        remember(conn, target)
        self._fold_anew(conn, target, load_id)
        return drift

    def _judge_removed(
        self, conn: psycopg.Connection[Any], target: FoldTarget, load_id: int
    ) -> None:
        """Which values are still wanting, of those that were taken out before anybody declared them."""
        source = self.kind, target.product
        if not drift_log.settle(conn, source, target.name, [REMOVED_VALUE]):
            return
        drift = decode_again(conn, target, self._tokeniser, load_id)
        drift_log.note_again(conn, source, load_id, drift.of_kind(REMOVED_VALUE))

    def after_withdrawal(
        self, conn: psycopg.Connection[Any], parts: Collection[tuple[str, str]], load_id: int
    ) -> None:
        """Fold the tables of changes that were taken back from what is left; where the contract
        changed too, `follow_contracts` does so."""
        waiting = {(t.product, t.name) for t in outdated(conn, self._contracts.values())}
        for product, name in sorted(parts):
            contract = self._contracts.get(product)
            if contract is None or name not in contract.tables:
                continue
            target = target_of(contract, name)
            empty(conn, target, load_id)
            if (product, name) not in waiting:
                self._fold_anew(conn, target, load_id)
                self._judge_removed(conn, target, load_id)

    def _fold_anew(self, conn: psycopg.Connection[Any], target: FoldTarget, load_id: int) -> None:
        """Fold a table from all that is stored of it."""
        names = {"product": target.product, "table": target.name}
        forget(conn, target)
        conn.execute(
            "delete from raw_cdc.resets where product = %(product)s and table_name = %(table)s",
            names,
        )
        read_fresh(conn, "product = %(product)s and table_name = %(table)s", names)
        for _, summary in summaries(conn):
            bring_up_to_date(conn, target, load_id, summary, has_heads=True, is_rebuilt=True)
