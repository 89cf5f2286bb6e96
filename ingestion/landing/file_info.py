"""A landed file as parsers see it: whose it is, what it is known by, how it is cut into records.

Belongs here: facts about the file. Does not belong here: its bytes (`blocks`).
"""

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class FileInfo:
    """The file a line comes from; everything a parser may know about it."""

    kind: str
    name: str  # the product, account or project: the folder below the kind's
    path: str  # below the landing folder, with forward slashes
    content_hash: str  # of the uncompressed bytes
    size_bytes: int
    header: bytes = b""  # the first record, for formats that have a header


class RecordList(NamedTuple):
    """Where in a line of JSON a list of records may lie."""

    paths: tuple[str, ...]
    unless: frozenset[str] = frozenset()  # keys of a line that is a record itself
    is_certain: bool = False  # the contract says so; else the first line of the file tells
    is_on_any_line: bool = False  # of a file of single records too
    keeps_beside: bool = True  # what the line says beside the list holds for each record


class Shape(NamedTuple):
    """How a file is cut into records."""

    is_json: bool = True
    records: RecordList | None = None

    has_header: bool = False  # the first record names the columns
    is_quoted: bool = False  # a quoted field may span lines
    identity_from_file: bool = False  # records have no id: (file, line) is theirs
