"""What each kind of drift means, and the way out of it, in sentences.

Belongs here: words. Does not belong here: counting drift (`drift`), its rows in the database (`drift_log`).
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

_SHOWN = 6  # fields that are named in one sentence
_CONTRACT = "contracts/{source_kind}/{source_name}.yml"


class Difference(NamedTuple):
    """One finding of one source, as it is counted."""

    source_kind: str
    source_name: str
    object_name: str
    field_name: str
    kind: str
    records: int


class _Words(NamedTuple):
    what: str  # with {fields}, {count} and {s}, the plural's
    way_out: str  # with what `_CONTRACT` has, and {fields}


_WORDS = {
    "undeclared_table": _Words(
        "{count} record{s} of a table that no contract declares, kept sealed in raw_cdc.changes",
        f"Declare it in {_CONTRACT}, or name it under ignored_tables.",
    ),
    "undeclared_column": _Words(
        "{fields}: not in the contract, kept sealed in _extra ({count} record{s})",
        f"Declare it in {_CONTRACT}; what is kept follows.",
    ),
    "undecodable_value": _Words(
        "{fields}: {count} value{s} that the declared type cannot hold, kept sealed in _extra; the value before stays",
        f"Correct the type in {_CONTRACT}; what is kept follows.",
    ),
    "missing_column": _Words(
        "{fields}: declared and not sent by {count} record{s}; the value before stays",
        f"Take it out of {_CONTRACT} if it is gone for good.",
    ),
    "contract_disagrees": _Words(
        "{fields}: the schema of {count} record{s} says otherwise than the contract, and was believed",
        f"Correct type or encoding in {_CONTRACT}.",
    ),
    "unsure_decimal": _Words(
        "{fields}: {count} record{s} with a decimal that is base64 too, taken for a text",
        f"Say which it is in {_CONTRACT}: encoding: text, or encoding: base64.",
    ),
    "removed_value": _Words(
        "{fields}: {count} value{s} from which an earlier version took something personal, or sealed with another key",
        "Load them again: tallyhouse reload {source_name}.",
    ),
    "unnamed_schema": _Words(
        "taken to lie in {fields}, for {count} record{s} say so and the contract names none",
        f"Write `schema: {{fields}}` into {_CONTRACT}, or the table's name with its schema.",
    ),
    "stored_address": _Words(
        "{fields}: {count} row{s} of an earlier load whose id holds a person's address, stored as it came",
        "Load them again: tallyhouse reload {source_kind}/{source_name}; the ids become tokens.",
    ),
    "implausible_time": _Words(
        "{fields}: {count} time{s} before 1900, after 2100 or in the first weeks of 1970, as the contract counts",
        f"If they count in another unit, say so in {_CONTRACT} (encoding: seconds, milliseconds, microseconds or"
        " nanoseconds), and load them again: tallyhouse reload {source_name}.",
    ),
    "unplaced_record": _Words(
        "{count} record{s} without a position in the source's log and without an offset, in the order of the files'"
        " names and of the lines in them",
        f"Have the source send a position; or number the files and say in {_CONTRACT} that they stand in"
        " order: ordered_by_files: true.",
    ),
    "log_restarted": _Words(
        "{count} record{s} committed after all before, and lower in the log: the source's log began anew (a new"
        " server?), and rows may stay as they were",
        f"Say in {_CONTRACT} when that was: log_restarts: ['2026-01-31T18:00:00Z'].",
    ),
    "unknown_field": _Words(
        "{fields}: not in the contract, kept in properties ({count} time{s})",
        "Declare it in the contract of {source_name}.",
    ),
    "unlisted_field": _Words(
        "{fields}: in no list of the contract, kept sealed ({count} time{s})",
        "Name them in contracts/webhooks/{source_kind}.yml under keep, token, drop or seal; what is kept so far follows"
        " with tallyhouse reload {source_kind}.",
    ),
    "placeholder_id": _Words(
        "{fields}: {count} time{s} a word for nobody, which identifies nobody", "Mend the source."
    ),
}


def sentences(found: Iterable[Difference]) -> Iterator[str]:
    """One for each kind of difference of each object."""
    ordered = sorted(found)
    by_object = groupby(sorted(ordered, key=_of_object), key=_of_object)
    for (source_kind, source_name, object_name, kind), group in by_object:
        members = list(group)
        yield _sentence(source_kind, source_name, object_name, kind, members)


def _of_object(item: Difference) -> tuple[str, str, str, str]:
    return item.source_kind, item.source_name, item.object_name, item.kind


def _sentence(
    source_kind: str, source_name: str, object_name: str, kind: str, members: list[Difference]
) -> str:
    names = [item.field_name for item in members if item.field_name]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    count = sum(item.records for item in members)
    words = _WORDS.get(kind) or _Words(
        f"{{fields}}: {kind.replace('_', ' ')} ({{count}} time{{s}})", ""
    )
    given = {
        "source_kind": source_kind, "source_name": source_name, "fields": ", ".join(names[:_SHOWN]) + more,
        "count": f"{count:,}", "s": "" if count == 1 else "s",
    }  # fmt: skip
    what = words.what.format(**given).removeprefix(": ")
    return f"Drift in {source_kind}/{source_name}, {object_name}: {what}. {words.way_out.format(**given)}".strip()
