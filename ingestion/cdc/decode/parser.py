"""From a line of a CDC file to a row of raw_cdc.changes: identity, order, decoded image.

Belongs here: what makes a change the same change (rule 51) and where it stands. Does not belong
here: the current state and history made from the changes (`versions_sql`).
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from ingestion.cdc.contract import CdcContract
from ingestion.cdc.decode.envelope import TRUNCATE, Change, NotAChange, read_change
from ingestion.cdc.decode.fast.columns import ProductInterners
from ingestion.cdc.decode.fast.reader import FastReader
from ingestion.cdc.decode.identity import change_identity
from ingestion.cdc.decode.position import UNPLACED, in_log, natural_key, partition_lane
from ingestion.cdc.decode.rows import COLUMNS, collect
from ingestion.cdc.decode.table_decoder import Decoded, TableDecoder
from ingestion.cdc.decode.table_names import Place, TableName, TableNames
from ingestion.landing.file_info import FileInfo
from ingestion.parsing.rows import Accepted, Line
from ingestion.privacy.tokens import Tokeniser
from ingestion.values.drift import Drift
from ingestion.values.identity import record_key
from ingestion.values.instants import EPOCH
from ingestion.values.json_lines import decode_digits, encode
from ingestion.values.outcomes import NULL, Ignored, Outcome, Rejected, Row, copy_field

_EPOCH = EPOCH.replace(tzinfo=None)
_EMPTY = Decoded({}, None, [], "")
UNPLACED_RECORD = "unplaced_record"  # kind of drift


class TablePlan(NamedTuple):
    """How a table's rows are decoded, and how it was found."""

    decoder: TableDecoder
    name: TableName


class CdcParser:
    """Parses the lines of one file."""

    def __init__(
        self, contract: CdcContract, file: FileInfo, tokeniser: Tokeniser,
        plans: dict[str, TableDecoder], known: ProductInterners | None = None,
    ) -> None:  # fmt: skip
        self.drift = Drift()
        self._contract, self._tokeniser, self._plans = contract, tokeniser, plans
        self._product = contract.product
        inside = file.path.split("/", 2)[-1]  # below cdc/<product>/
        self._stream_file = natural_key(inside)
        self._stream_text = copy_field(self._stream_file)
        self._file_table = _table_of_path(inside, contract)
        self._names = TableNames(contract)
        self._found: dict[Place, TablePlan | Rejected | Ignored] = {}
        known = known or ProductInterners(TableDecoder(self._product, "", None, tokeniser))
        self._forms = known.forms
        self._fast = FastReader(contract, self._stream_file, self._declared_plan, known)

    def take(self, lines: list[Line]) -> tuple[Accepted | None, list[Line]]:
        """The rows of the lines that are plain, and the lines that are not."""
        return self._fast.take(lines)

    def shown(self, line: bytes) -> str:
        """Nothing of a refused line: where a record is from, its line says; the rest is a table's."""
        return ""

    def collect(self, plain: Accepted | None, rows: Sequence[tuple[int, Row]]) -> Accepted:
        """The plain lines' rows and those that `parse` made of the others."""
        return collect(plain, rows)

    def parse(self, number: int, line: bytes) -> Outcome:
        """The outcome of one line. Never raises."""
        record = decode_digits(line)
        if isinstance(record, Rejected):
            return record
        try:
            return self._row(number, read_change(record))
        except NotAChange as other:
            return other.outcome
        except RecursionError:
            return Rejected("too_deep", "The record is nested too deeply to be read.")
        except Exception as error:  # one odd line must not stop a load; the tests see to these
            form = type(error).__name__  # its own words would repeat the value
            return Rejected("unforeseen", f"The record has a form that nobody foresaw ({form}).")

    def _row(self, number: int, change: Change) -> Outcome:
        found = self._plan(change.place)
        if not isinstance(found, TablePlan):
            return found
        self.drift.schema = change.place.schema or change.place.database
        plan, name = found.decoder, found.name
        if change.row_fields is not None or change.key_fields is not None:
            plan = plan.as_sent(change.row_fields, change.key_fields)
        op, after = change.op, change.after
        key = None
        if op != TRUNCATE:
            if change.key:
                key = plan.decode_key(change.key)
            if key is None:
                if plan.primary_key:
                    key = plan.decode_key(after or change.before)
                    if key is None:
                        return self._no_key(plan)
                elif op in "ud" and not plan.is_declared:
                    key = plan.decode_key(change.before or after)  # whoever declares it says which
                elif op in "ud" and not change.is_flat:
                    return Rejected(
                        "no_key",
                        f"An update or delete in {self._product}.{plan.name}, which has no key,"
                        " cannot be told which row it means. Declare its `primary_key` in"
                        " contracts/cdc.",
                    )
        image = _EMPTY
        if after is not None and op != TRUNCATE:
            image = plan.decode(after, self.drift)
        if not plan.is_declared:
            self.drift[name.name, "", "undeclared_table"] += 1
        elif name.unnamed_home is not None:
            self.drift[name.name, name.unnamed_home, "unnamed_schema"] += 1
        if (
            change.position == UNPLACED and not change.is_read_again and change.offset is None
            and not self._contract.ordered_by_files
        ):  # fmt: skip
            self.drift[name.name, "", UNPLACED_RECORD] += 1
        return self._assemble(number, change, plan.name, key, image)

    def _no_key(self, plan: TableDecoder) -> Rejected:
        return Rejected(
            "no_key",
            f"The record of {self._product}.{plan.name} lacks its key"
            f" ({', '.join(plan.primary_key)}), or the key has another type.",
        )

    def _assemble(
        self, number: int, change: Change, table: str, key: dict[str, Any] | None, image: Decoded
    ) -> Row:
        product = self._product
        (_, op, _, _, _, position, lsn, transaction_id, transaction_order, committed_us,
         received_us, partition, offset, *_) = change  # fmt: skip
        key_text = None if key is None else encode(key)
        after_text = orjson.dumps(image.values).decode()
        extra_text = None if image.extra is None else encode(image.extra)
        lane, place = self._stream_file, number
        lane_text = self._stream_text
        if offset is not None and partition is not None:
            lane = lane_text = partition_lane(partition)
            place = offset
        if position == UNPLACED:
            is_placed = "f"
            content = record_key(
                product, table, op, key_text or "", after_text, extra_text or "",
                str(committed_us), str(received_us), "" if received_us else f"{lane}/{place}",
            )  # fmt: skip
            record = record_key(content, lane, str(place))
        else:
            is_placed = "t"
            when = str(received_us) if op == "r" else ""
            identity = change_identity(
                op,
                position,
                lsn,
                transaction_id,
                transaction_order,
                key_text,
                (after_text, when),
                committed_us,
            )
            position = in_log(position, self._contract.log_of(committed_us))
            content = record = record_key(product, table, *identity)
        # a row without a key is known by its own change
        key_hash = content if key_text is None else record_key(product, table, key_text)
        missing = NULL
        if image.unavailable:
            missing = copy_field("{" + ",".join(map(_array_item, image.unavailable)) + "}")
        committed = time_text(committed_us)
        date = committed[:10]
        texts = {
            "event_date": date,
            "product": product,
            "table_name": copy_field(table),
            "op": op,
            "key": copy_field(key_text),
            "key_hash": key_hash,
            "lsn": _number(lsn),
            "transaction_id": _number(transaction_id),
            "transaction_order": _number(transaction_order),
            "position": f"\\\\x{position}",
            "is_placed": is_placed,
            "stream_file": lane_text,
            "stream_offset": str(place),
            "committed_at": committed,
            "received_at": time_text(received_us),
            "after": copy_field(after_text),
            "extra": copy_field(extra_text),
            "unavailable": missing,
            "content_hash": f"\\\\x{content}",
        }
        copy = "\t".join([texts[name] for name in COLUMNS])
        return Row(record, date, received_us or committed_us or 0, content, copy, None)

    def _plan(self, place: Place) -> "TablePlan | Rejected | Ignored":
        """How to decode a record's table, or what becomes of the record without one."""
        found = self._found.get(place)
        if found is None:
            if len(self._found) > 10_000:
                self._found.clear()
            found = self._found[place] = self._find_plan(place)
        return found

    def _declared_plan(self, place: Place) -> TableDecoder | None:
        """The same of a declared table about which nothing is to be said."""
        found = self._plan(place)
        is_plain = isinstance(found, TablePlan) and found.name.unnamed_home is None
        return found.decoder if is_plain and found.name.is_declared else None  # type: ignore[union-attr]

    def _find_plan(self, place: Place) -> "TablePlan | Rejected | Ignored":
        place = place._replace(table=place.table or self._file_table or "")
        if not place.table:
            return Rejected(
                "no_table",
                "The record names no table: neither `source.table`, `topic`, `__table` nor the"
                " file's folder or name says which.",
            )
        name = self._names.of(place)
        if name.is_ignored:
            return Ignored("signal or heartbeat table")
        plan = self._plans.get(name.name)
        if plan is None:
            declared = self._contract.tables.get(name.name)
            plan = TableDecoder(self._product, name.name, declared, self._tokeniser, self._forms)
            self._plans[name.name] = plan
        return TablePlan(plan, name)


def _table_of_path(inside: str, contract: CdcContract) -> str | None:
    """For bare rows: a folder or the file's name that is, or starts with, a declared table."""
    *folders, name = inside.split("/")
    for folder in folders:
        if folder in contract.tables:
            return folder
    stem = name.split(".", 1)[0]
    fitting = [t for t in contract.tables if stem == t or stem.startswith((t + "-", t + "_"))]
    return max(fitting, key=len, default=None)


@lru_cache(maxsize=4096)
def time_text(us: int | None) -> str:
    """Microseconds since 1970 as text; a time nobody stated is 1970 itself."""
    return f"{(_EPOCH + timedelta(microseconds=us or 0)).isoformat(' ', 'microseconds')}+00"


def _number(value: int | None) -> str:
    return NULL if value is None else str(value)


def _array_item(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
