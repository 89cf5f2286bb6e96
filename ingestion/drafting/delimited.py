"""How a file of delimited text is written: encoding, delimiter, header, words for nothing.

Belongs here: guessing the `format` of a contract, tried with the loader's own reader. Does not
belong here: what the columns mean (`envelope`, `events`).
"""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from charset_normalizer import from_bytes

from ingestion.contracts.mapping import FileFormat
from ingestion.drafting.profiles import FORMS
from ingestion.drafting.sample import DraftError, FileSample, first_bytes, read_sample
from ingestion.events.formats import cells_of, decoder
from ingestion.landing.file_info import Shape
from ingestion.values.outcomes import Rejected

_DELIMITERS = (",", ";", "\t", "|")
_USUAL = "cp1252"  # where several say the same
_ENCODINGS = [_USUAL, "cp1250", "cp1251", "cp1253", "cp1254", "iso8859_15", "mac_roman"]
_TRIED = 1_000  # records that choose the delimiter
_AGREEING = 0.7  # of them that have one number of columns
_NULLS = ("NULL", "null", "\\N")  # words for nothing wherever they stand alone
_NULLS_OF_NUMBERS = ("NA", "N/A", "n/a", "nan", "NaN", "None", "-")  # only where numbers are due
_NAME = re.compile(r"[#%$€£¥(\[]?\s?[^\W\d][^@\r\n]{0,99}\Z")  # "Price (€)", "% off", "Client?"
_NO_NAME = re.compile(r"://|\d:\d\d|\d[/.-]\d\d?[/.-]\d")  # an address, a clock, a date
_COMMA_NUMBER = re.compile(r"-?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?\Z", re.ASCII)
_COMMA_OF_THOUSANDS = re.compile(r"-?\d{1,3}(,\d{3})?\Z", re.ASCII)  # 1,234 may be either
_QUOTED = Shape(is_quoted=True)


@dataclass(frozen=True)
class Delimited:
    """A sample of delimited text as records."""

    format: dict[str, Any]  # as a contract says it
    header: bytes  # the first record, b"" without one
    sample: FileSample  # as the loader parses it: without the header
    records: list[Mapping[str, Any]]
    sentences: list[str]


def read_delimited(path: Path, limit: int) -> Delimited:
    """The records of a file of delimited text; raises DraftError where it is none."""
    encoding, sentences = _encoding(path)
    sample = read_sample(path, limit + 1, _QUOTED)
    texts = [line.decode(encoding, "replace") for _, line in sample.lines]
    form = _form(texts[:_TRIED], path)
    said: dict[str, Any] = {"type": form.type}
    if form.delimiter != ",":
        said["delimiter"] = form.delimiter
    if encoding != "utf-8":
        said["encoding"] = encoding
    first = list(cells_of(form, texts[0]))
    rest = [row for row in (_cells(form, text) for text in texts[1:]) if len(row) == len(first)]
    header, lines, is_record = b"", sample.lines, False
    if _is_header(first, rest):
        if repeated := [name for name, count in Counter(first).items() if count > 1]:
            raise DraftError(
                f"{path}: its first line names {len(repeated)} column{'s' * (len(repeated) > 1)} twice,"
                f" and of two columns of one name only the last would be read. Rename them first."
            )
        lines, header = sample.lines[1:], sample.lines[0][1]
        if form.type == "whitespace":
            said["columns"], header = first, b""
            is_record = True
            sentences.append(
                "Its first line names the columns; the loader has no header in such files and will"
                " reject that line."
            )
    else:
        said["columns"] = [f"column_{number}" for number in range(1, len(first) + 1)]
        sentences.append(
            "The file has no header: give the columns their names in `format.columns`."
        )
        rest.insert(0, first)
    if not lines:
        raise DraftError(f"{path} holds a header and no record, so it shows no types.")
    if nulls := _null_words(rest):
        said["null_text"] = ["", *nulls]
    said |= _number_marks(rest, {"", *nulls})
    if _has_single_quotes(rest):
        sentences.append(
            'Values stand in single quotes, which stay part of them: only " is a quote.'
        )
    records = _records(FileFormat.model_validate(said), header, lines)
    parsed = sample.lines if is_record else lines
    return Delimited(said, header, FileSample(path, parsed, sample.has_more), records, sentences)


def _encoding(path: Path) -> tuple[str, list[str]]:
    head = first_bytes(path)
    whole = head[: head.rfind(b"\n") + 1] or head
    try:
        whole.decode("utf-8")
    except UnicodeDecodeError:
        best = from_bytes(whole, cp_isolation=_ENCODINGS).best()
        name = best.encoding if best is not None else _USUAL
        if whole.decode(name, "replace") == whole.decode(_USUAL, "replace"):
            name = _USUAL
        return name, [
            f"It is not UTF-8; {name} is a guess: look whether its special letters are right."
        ]
    return "utf-8", []


def _form(texts: Sequence[str], path: Path) -> FileFormat:
    """The format under which nearly all records have one number of columns."""
    best: tuple[float, int, FileFormat] | None = None
    forms = [FileFormat(type="csv", delimiter=mark) for mark in _DELIMITERS]
    for form in (*forms, FileFormat(type="whitespace")):
        counts = Counter(len(_cells(form, text)) for text in texts)
        columns, agreeing = max(counts.items(), key=lambda item: (item[1], item[0]))
        share = agreeing / len(texts)
        if columns < 2 or share < _AGREEING or (form.type == "whitespace" and best is not None):
            continue
        if best is None or (share, columns) > best[:2]:
            best = (share, columns, form)
    if best is None:
        raise DraftError(
            f"{path} has a form that is not known: its lines are neither JSON objects nor split into one"
            " number of columns by a comma, semicolon, tab, bar or blanks."
        )
    return best[2]


def _cells(form: FileFormat, text: str) -> list[str]:
    try:
        return cells_of(form, text)
    except csv.Error:
        return []


def _is_header(first: Sequence[str], rest: Sequence[Sequence[str]]) -> bool:
    """Names in every cell, and no cell that is a value of its own column."""
    names = [cell.strip() for cell in first]
    if not all(_NAME.match(name) and not _NO_NAME.search(name) for name in names):
        return False
    if any(FORMS[form](cell) for cell in first for form in ("uuid", "boolean") if len(cell) > 1):
        return False
    return not any(cell in {row[place] for row in rest} for place, cell in enumerate(first))


def _null_words(rows: Sequence[Sequence[str]]) -> list[str]:
    found: dict[str, None] = {}
    for column in zip(*rows, strict=True):
        words = set(column) & {*_NULLS, *_NULLS_OF_NUMBERS}
        if not words:
            continue
        others = set(column) - words - {""}
        numbers = bool(others) and all(FORMS["decimal"](value) for value in others)
        found |= dict.fromkeys(sorted(w for w in words if w in _NULLS or numbers))
    return list(found)


def _number_marks(rows: Sequence[Sequence[str]], nulls: set[str]) -> dict[str, str]:
    """The decimal comma, and the point of thousands, where they are all that the numbers can be
    written with; nothing where a column may have decimal points, or every comma be one of thousands."""
    marks: dict[str, str] = {}
    for column in zip(*rows, strict=True):
        values = [value.strip() for value in column if value not in nulls]
        if not values:
            continue
        has_comma, has_point = ("".join(values).count(mark) > 0 for mark in ",.")
        if not has_comma and has_point and all(map(FORMS["decimal"], values)):
            return {}  # 52.379 is as likely a decimal point as one of thousands
        if has_comma and all(map(_COMMA_NUMBER.match, values)):
            if not all(map(_COMMA_OF_THOUSANDS.match, values)):
                marks["decimal"] = ","
            if has_point:
                marks["thousands"] = "."
    return marks if "decimal" in marks else {}


def _has_single_quotes(rows: Sequence[Sequence[str]]) -> bool:
    cells = [cell for row in rows[:100] for cell in row if cell]
    quoted = sum(len(cell) > 1 and cell[0] == cell[-1] == "'" for cell in cells)
    return bool(cells) and quoted * 4 > len(cells)


def _records(
    form: FileFormat, header: bytes, lines: Sequence[tuple[int, bytes]]
) -> list[Mapping[str, Any]]:
    return list(_decoded(form, header, lines))


def _decoded(
    form: FileFormat, header: bytes, lines: Sequence[tuple[int, bytes]]
) -> Iterator[Mapping[str, Any]]:
    decode = decoder(form, header)
    for _, line in lines:
        record = decode(line)
        if not isinstance(record, Rejected):
            yield record
