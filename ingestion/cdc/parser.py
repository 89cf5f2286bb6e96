"""From a line of a CDC file to a row of raw_cdc.changes: identity, order, decoded image.

Belongs here: what makes a change the same change (rule 51) and where it stands. Does not belong
here: the current state and history made from the changes (`fold`).
"""

from collections import Counter
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import orjson

from ingestion.cdc.contract import CdcContract
from ingestion.cdc.envelope import TRUNCATE, Change, NotAChange, read_change
from ingestion.cdc.plan import Decoded, TablePlan, may_hold_placeholder
from ingestion.cdc.position import UNPLACED, natural_key, partition_lane
from ingestion.identity import record_key
from ingestion.json_lines import decode_exactly, decode_object, encode
from ingestion.pii import Tokeniser
from ingestion.sources import FileInfo, Ignored, Outcome, Rejected, Row, copy_field

COLUMNS = (
    "event_date", "product", "table_name", "op", "key", "key_hash", "lsn", "transaction_id",
    "transaction_order", "position", "is_placed", "stream_file", "stream_offset", "committed_at",
    "received_at", "after", "extra", "unavailable", "content_hash",
)  # fmt: skip
_EPOCH = datetime(1970, 1, 1)
NULL = "\\N"
_EMPTY = Decoded({}, None, [], "")


class CdcParser:
    """Parses the lines of one file."""

    def __init__(
        self, contract: CdcContract, file: FileInfo, tokeniser: Tokeniser,
        plans: dict[str, TablePlan],
    ) -> None:  # fmt: skip
        self.drift: Counter[tuple[str, str, str]] = Counter()
        self._contract, self._tokeniser, self._plans = contract, tokeniser, plans
        self._product = contract.product
        inside = file.path.split("/", 2)[-1]  # below cdc/<product>/
        self._stream_file = natural_key(inside)
        self._file_table = _table_of_path(inside, contract)

    def parse(self, number: int, line: bytes) -> Outcome:
        """The outcome of one line. Never raises."""
        slow = b"\\u0000" in line
        record = decode_exactly(line) if slow else decode_object(line)
        if isinstance(record, Rejected):
            return record
        try:
            return self._row(number, line, read_change(record))
        except NotAChange as other:
            return other.outcome
        except RecursionError:
            return Rejected("too_deep", "The record is nested too deeply to be read.")
        except Exception as error:  # one odd line must not stop a load; the tests see to these
            form = f"{type(error).__name__}: {error}"[:200]
            return Rejected("unforeseen", f"The record has a form that nobody foresaw ({form}).")

    def _row(self, number: int, line: bytes, change: Change) -> Outcome:
        table = self._table_name(change)
        if table is None:
            return Rejected(
                "no_table",
                "The record names no table: neither `source.table`, `topic`, `__table` nor the"
                " file's folder or name says which.",
            )
        if self._contract.is_ignored(table):
            return Ignored("signal or heartbeat table")
        plan = self._plan(table)
        if change.op == TRUNCATE:
            key = None
        else:
            key = plan.decode_key(change.key) if change.key else None
            if key is None and plan.primary_key:
                key = plan.decode_key(change.after or change.before)
                if key is None:
                    return Rejected(
                        "no_key",
                        f"The record of {self._product}.{table} lacks its key"
                        f" ({', '.join(plan.primary_key)}), or the key has another type.",
                    )
            if key is None and change.op in "ud" and not change.is_flat:
                return Rejected(
                    "no_key",
                    f"An update or delete in {self._product}.{table}, which has no key, cannot be"
                    " told which row it means. Declare its `primary_key` in contracts/cdc.",
                )
        image = _EMPTY
        if change.after is not None and change.op != TRUNCATE:
            image = plan.decode(change.after, self.drift, may_hold_placeholder(line))
        if not plan.is_declared:
            self.drift[table, "", "undeclared_table"] += 1
        return self._assemble(number, change, table, key, image)

    def _assemble(
        self, number: int, change: Change, table: str, key: dict[str, Any] | None, image: Decoded
    ) -> Row:
        key_text = None if key is None else encode(key)
        after_text = orjson.dumps(image.values).decode()
        extra_text = None if image.extra is None else encode(image.extra)
        if change.offset is not None and change.partition is not None:
            lane, place = partition_lane(change.partition), change.offset
        else:
            lane, place = self._stream_file, number
        committed = time_text(change.committed_us)
        identity = (self._product, table, change.op)
        if change.position == UNPLACED:
            content = record_key(
                *identity, key_text or "", after_text, extra_text or "",
                str(change.committed_us), str(change.received_us),
                "" if change.received_us else f"{lane}/{place}",
            )  # fmt: skip
            record = record_key(content, lane, str(place))
        else:
            record = content = record_key(
                *identity, *_commit_identity(change, key_text, after_text)
            )
        # a row without a key is known by its own change
        key_hash = record_key(self._product, table, key_text) if key_text is not None else content
        missing = "{" + ",".join(map(_array_item, image.unavailable)) + "}"
        is_placed = "f" if change.position == UNPLACED else "t"
        copy = (
            f"{committed[:10]}\t{self._product}\t{copy_field(table)}\t{change.op}"
            f"\t{copy_field(key_text)}\t{key_hash}"
            f"\t{_number(change.lsn)}\t{_number(change.transaction_id)}"
            f"\t{_number(change.transaction_order)}\t\\\\x{change.position}\t{is_placed}"
            f"\t{copy_field(lane)}\t{place}\t{committed}\t{time_text(change.received_us)}"
            f"\t{copy_field(after_text)}\t{copy_field(extra_text)}"
            f"\t{copy_field(missing) if image.unavailable else NULL}\t\\\\x{content}"
        )
        received = change.received_us or change.committed_us or 0
        return Row(record, committed[:10], received, content, copy, None)

    def _table_name(self, change: Change) -> str | None:
        """The table's name as the contract knows it: `schema.table` is tried as schema__table."""
        table = change.table or self._file_table
        if not table:
            return None
        if change.schema and (full := f"{change.schema}__{table}") in self._contract.tables:
            return full
        return table.replace("\x00", "\ufffd")[:200]

    def _plan(self, table: str) -> TablePlan:
        plan = self._plans.get(table)
        if plan is None:
            declared = self._contract.tables.get(table)
            plan = TablePlan(self._product, table, declared, self._tokeniser)
            self._plans[table] = plan
        return plan


def _commit_identity(change: Change, key_text: str | None, after_text: str) -> tuple[str, ...]:
    """What a redelivery repeats. Within a transaction its own numbering is unique; a snapshot's
    rows are told apart by their key, or without one by their content and its reading time."""
    where = change.position if change.lsn is None else f"{change.lsn}/{change.transaction_id}"
    if change.transaction_order is not None:
        return (where, str(change.transaction_order))
    if key_text is not None:
        return (where, change.position, key_text)
    when = str(change.received_us) if change.op == "r" else ""
    return (where, change.position, after_text, when)


def _table_of_path(inside: str, contract: CdcContract) -> str | None:
    """For bare rows: a folder or the file's name that is, or starts with, a declared table."""
    *folders, name = inside.split("/")
    for folder in folders:
        if folder in contract.tables:
            return folder
    stem = name.split(".", 1)[0]
    fitting = [t for t in contract.tables if stem == t or stem.startswith((t + "-", t + "_"))]
    return max(fitting, key=len, default=None)


def time_text(us: int | None) -> str:
    """Microseconds since 1970 as text; a time nobody stated is 1970 itself."""
    seconds, micros = divmod(us or 0, 1_000_000)
    return f"{_second_text(seconds)}.{micros:06d}+00"


@lru_cache(maxsize=4096)
def _second_text(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).isoformat(" ")


def _number(number: int | None) -> int | str:
    return NULL if number is None else number


def _array_item(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
