"""The fast path: many change records at once, the plain ones straight to columns.

Most records are alike: the connector's usual envelope, a declared table with a key, exactly its
columns with values of the usual types. Typed decoders read them, and whole columns are judged
together. A line that is unusual in any way is not taken: `parser` reads it and decides. Where both
read a line they say the same, which a test compares.
Belongs here: speed. Does not belong here: any rule that `parser` does not have.
"""

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from ingestion.cdc.contract import CdcContract
from ingestion.cdc.decode.fast.columns import BYTES_16, INSTANT, NOT_PLAIN, ProductInterners
from ingestion.cdc.decode.fast.decoder import (
    decode_envelope,
    decode_record,
    is_plain,
)
from ingestion.cdc.decode.fast.images import FastTable, Images
from ingestion.cdc.decode.identity import change_identity
from ingestion.cdc.decode.position import BAD_POSITION, in_log, log_position, partition_lane
from ingestion.cdc.decode.rows import SCHEMA, ChangeRows, Image
from ingestion.cdc.decode.table_decoder import TableDecoder
from ingestion.cdc.decode.table_names import Place
from ingestion.cdc.decode.times import stated_us
from ingestion.parsing.rows import Accepted, Line
from ingestion.values.instants import DAY_US

_NULL = b"null"
_CONNECTOR = "postgresql"  # whose records state an lsn
_WITH_IMAGE = frozenset("cru")
_BARE = (b'{"before"', b'{"op"')  # how an envelope begins that has no record around it
PlanOf = Callable[[Place], TableDecoder | None]
Names = tuple[str, str | None, str | None, str | None]
Taken = list[tuple[Any, ...]]


class NotPlain(Exception):
    """The line asks for judgement."""


_NOT_PLAIN = (
    NotPlain, msgspec.MsgspecError, RecursionError, ValueError, TypeError, LookupError,
    ArithmeticError, AttributeError, *BAD_POSITION,
)  # fmt: skip


class FastReader:
    """Reads the plain lines of one file. `known` may serve other files of the product too."""

    def __init__(
        self, contract: CdcContract, stream_file: str, plan_of: PlanOf, known: ProductInterners
    ) -> None:
        self._product, self._stream_file, self._plan_of = contract.product, stream_file, plan_of
        self._log_of = contract.log_of if contract.log_restarts else None
        self._of_product = known
        self._known: dict[Names, FastTable | None] = {}
        self._tables: dict[str, FastTable] = {}

    def take(self, lines: list[Line]) -> tuple[Accepted | None, list[Line]]:
        """The rows of the plain lines, and the lines that are not plain."""
        if not self._is_likely(lines):
            return None, lines
        taken, left = self._read(lines)
        images: dict[str, Images] = {}
        for name, table in self._tables.items():
            rows = [row[-1] for row in taken if row[1] is table and row[-1] is not None]
            try:
                images[name] = table.images(rows)
            except NOT_PLAIN:
                odd = {id(row) for row in rows if not _is_even(table, row)}
                left += [row[0] for row in taken if id(row[-1]) in odd]
                taken = [row for row in taken if id(row[-1]) not in odd]
                rows = [row for row in rows if id(row) not in odd]
                images[name] = table.images(rows)
        return (self._accepted(taken, images) if taken else None), left

    def _is_likely(self, lines: list[Line]) -> bool:
        """Whether the first lines are of the form that is read here."""
        return any(b'"source"' in text and b'"op"' in text for _, text in lines[:20])

    def _read(self, lines: list[Line]) -> tuple[Taken, list[Line]]:
        """Decode, place, identify: the rows that are taken, the lines that are left.

        One loop over local names: this is what a load's time is made of.
        """
        own_lane, known, log_of = self._stream_file, self._known, self._log_of
        taken: Taken = []
        left: list[Line] = []
        for line in lines:
            text = line[1]
            try:
                if not (text.isascii() or text.decode()):
                    raise NotPlain
                lane, place, row = own_lane, line[0], None
                if text.startswith(_BARE):
                    value, raw_key = decode_envelope(text), None
                else:
                    record = decode_record(text)
                    value, raw_key, topic = record.value, record.key, record.topic
                    if topic is not None and topic.startswith("__debezium-heartbeat"):
                        raise NotPlain
                    if record.offset is not None and record.partition is not None:
                        lane, place = partition_lane(record.partition), record.offset
                op, source = value.op, value.source
                names = (source.table, source.schema, source.db, source.connector)
                table = known.get(names) or self._table(names)
                if op in _WITH_IMAGE:
                    row = table.decode_row(value.after)
                elif op != "d" or bytes(value.after) != _NULL:
                    raise NotPlain
                if raw_key is not None:
                    key_text = table.key_text(table.decode_key(raw_key))
                elif row is not None:
                    key_text = table.key_text(table.key_of_row(row))
                else:
                    raise NotPlain
                if b"\\" in key_text:
                    raise NotPlain
                order = None if value.transaction is None else value.transaction.total_order
                lsn, transaction = source.lsn, source.tx_id
                position = log_position(lsn, source.snapshot, source.sequence, source.ts_ms, order)
                if not position:
                    raise NotPlain
                received = stated_us(value.ts_us, value.ts_ms)
                committed = stated_us(source.ts_us, source.ts_ms) or received
                identity = change_identity(
                    op, position.hex(), lsn, transaction, order, key_text.decode()
                )
                if log_of is not None:
                    position = bytes.fromhex(in_log(position.hex(), log_of(committed)))
                content, key_hash = table.blank.copy(), table.blank.copy()
                content.update("\0".join(identity).encode())
                key_hash.update(key_text)
            except _NOT_PLAIN:
                left.append(line)
            else:
                taken.append((
                    line, table, op, key_text, key_hash.digest(), lsn, transaction, order, position,
                    lane, place, committed, received, content.digest(), row,
                ))  # fmt: skip
        return taken, left

    def _table(self, names: Names) -> FastTable:
        """The table of a record, if it is one whose rows are read here."""
        if names in self._known:  # known as one that is not
            raise NotPlain
        table_name, schema, database, connector = names
        if connector not in (None, _CONNECTOR):
            plan = None
        else:
            plan = self._plan_of(Place(table_name, schema, database, _CONNECTOR))
        if plan is None or plan.table is None or not is_plain(plan.table):
            self._known[names] = None
            raise NotPlain
        table = self._tables.get(plan.name)
        if table is None:
            table = self._tables[plan.name] = FastTable(plan, self._of_product)
        self._known[names] = table
        return table

    def _accepted(self, taken: Taken, images: dict[str, Images]) -> Accepted:
        (lines, tables, ops, keys, key_hashes, lsns, transactions, orders, positions, lanes,
         places, committed, received, contents, rows) = zip(*taken, strict=True)  # fmt: skip
        count = len(taken)
        instants = np.array([us or 0 for us in committed], np.int64)
        arrivals = np.array([us or 0 for us in received], np.int64)
        hashes = pa.array(contents, BYTES_16)
        after, typed = _place_images(tables, rows, images)
        columns = {
            "event_date": pa.array((instants // DAY_US).astype(np.int32)).cast(pa.date32()),
            "product": pa.repeat(pa.scalar(self._product), count),
            "table_name": pa.array([table.name for table in tables], pa.string()),
            "op": pa.array(ops, pa.string()),
            "key": pa.array(keys, pa.string()),
            "key_hash": pa.array(key_hashes, BYTES_16),
            "lsn": pa.array(lsns, pa.int64()),
            "transaction_id": pa.array(transactions, pa.int64()),
            "transaction_order": pa.array(orders, pa.int64()),
            "position": pa.array(positions, pa.binary()),
            "is_placed": pa.repeat(pa.scalar(True), count),
            "stream_file": pa.array(lanes, pa.string()),
            "stream_offset": pa.array(places, pa.int64()),
            "committed_at": pa.array(instants).cast(INSTANT),
            "received_at": pa.array(arrivals).cast(INSTANT),
            "after": pa.array(after, pa.string()),
            "extra": pa.nulls(count, pa.string()),
            "unavailable": pa.nulls(count, pa.list_(pa.string())),
            "content_hash": hashes.cast(pa.binary()),
        }
        table = pa.Table.from_arrays([columns[name] for name in SCHEMA.names], schema=SCHEMA)
        return Accepted(
            [number for number, _ in lines], list(contents), table["event_date"],
            pa.array(np.where(arrivals != 0, arrivals, instants)), hashes, ChangeRows(table, typed),
        )  # fmt: skip


def _is_even(table: FastTable, row: Any) -> bool:
    """Whether a row can be read by itself."""
    try:
        table.images([row])
    except NOT_PLAIN:
        return False
    return True


def _place_images(
    tables: tuple[FastTable, ...], rows: tuple[Any, ...], images: dict[str, Images]
) -> tuple[list[bytes], dict[str, Image]]:
    """The image's text of each row, and the tables' typed images with nulls for deletes."""
    after = [b"{}"] * len(rows)
    typed: dict[str, Image] = {}
    for table in {table.name: table for table in tables}.values():
        texts, columns = images[table.name]
        places = [place for place, found in enumerate(tables) if found is table]
        with_image = [place for place in places if rows[place] is not None]
        for place, text in zip(with_image, texts, strict=True):
            after[place] = text
        if len(with_image) < len(places):
            numbers = iter(range(len(texts)))
            taken = [None if rows[place] is None else next(numbers) for place in places]
            columns = columns.take(pa.array(taken, pa.int32()))
        typed[table.name] = Image(np.asarray(places, dtype=np.int64), columns)
    return after, typed
