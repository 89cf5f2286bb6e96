"""File formats of event sources: how a line becomes a record of named fields.

Belongs here: JSON lines, delimited text, columns separated by blanks. Does not belong here: what
the fields mean (`parser`), splitting a file into lines (`blocks`).
"""

import csv
from collections.abc import Callable
from typing import Any

from ingestion.contracts.mapping import FileFormat, doubled
from ingestion.values.json_lines import decode_object
from ingestion.values.outcomes import Rejected

Decoder = Callable[[bytes], dict[str, Any] | Rejected]
csv.field_size_limit(1 << 25)


def decoder(form: FileFormat, header: bytes) -> Decoder:
    """The function that reads one line of a file of this format."""
    if form.type == "jsonl":
        return decode_object
    try:
        columns = form.columns or tuple(cells_of(form, header.decode(form.encoding, "replace")))
    except csv.Error:
        return _refuse_header
    if doubled(columns):
        return _refuse_doubled
    nulls = frozenset(form.null_text)

    def decode(line: bytes) -> dict[str, Any] | Rejected:
        try:
            text = line.decode(form.encoding)
        except UnicodeDecodeError as error:
            return Rejected("invalid_encoding", f"Byte {error.start + 1} is not {form.encoding}.")
        if "\x00" in text:
            text = text.replace("\x00", "\ufffd")
        try:
            cells = cells_of(form, text)
        except csv.Error as error:
            return Rejected("invalid_csv", f"The line cannot be read: {error}.")
        if len(cells) != len(columns):
            reason = f"The line has {len(cells)} columns; {len(columns)} are declared."
            return Rejected("wrong_column_count", reason)
        return {
            column: None if cell in nulls else cell
            for column, cell in zip(columns, cells, strict=True)
        }

    return decode


def _refuse_doubled(line: bytes) -> Rejected:
    """Of two columns with one name nobody knows which is meant."""
    reason = (
        "The header names a column twice. Name all columns in `format.columns` of the contract, with"
        " `header: true`, and run `tallyhouse replay`."
    )
    return Rejected("doubled_column", reason)


def _refuse_header(line: bytes) -> Rejected:
    """Nobody knows what the columns are."""
    reason = "The header, the first line of the file, cannot be read as delimited text."
    return Rejected("invalid_csv", reason)


def cells_of(form: FileFormat, text: str) -> list[str]:
    if form.type == "whitespace":
        return text.split()
    return next(csv.reader([text], delimiter=form.delimiter, strict=True), [])
