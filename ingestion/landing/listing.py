"""The landing folder: which files are there, in which order.

Belongs here: what is a source's file and what is passed over, natural order. Does not belong here:
disks and buckets (`tallyhouse.storage`), reading (`blocks`), knowing what was loaded (`ledger`).
"""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from tallyhouse.errors import TallyhouseError
from tallyhouse.storage import Storage, open_storage
from tallyhouse.storage.sealed import Keys, Opening

# The folders of the kinds of source, in the order of loading: change data first, so that people and
# tenants are known to what follows.
KINDS = ("cdc", "events", "revenuecat", "stripe")

UNFINISHED = (".tmp", ".part", ".partial", ".crc", ".swp")
_DIGITS = re.compile(r"(\d+)")
_RECORDS = re.compile(r"\.(csv|tsv|jsonl?|ndjson|parquet)(\.\w+)?$", re.IGNORECASE)


class LandingError(TallyhouseError):
    """The landing folder cannot be read."""


class LandingFile(NamedTuple):
    kind: str
    name: str
    path: str  # below the landing folder
    version: str  # as it was listed, see `tallyhouse.storage`


@dataclass
class Landing:
    """An opened landing folder. `stray` are sentences about files that belong to no source,
    `misnamed` about those whose name nobody can write down. `without_source` has, by kind of source,
    the first of the stray ones that lies in its folder and looks like records."""

    storage: Storage
    stray: list[str] = field(default_factory=list)
    misnamed: list[str] = field(default_factory=list)
    without_source: dict[str, str] = field(default_factory=dict)

    def files(self) -> list[LandingFile]:
        """Every file of a known kind: kind by kind, each in natural order of its path."""
        found: list[LandingFile] = []
        for path, _, version in self.storage.files():
            parts = path.split("/")
            if any(part.startswith((".", "_")) for part in parts) or path.endswith(UNFINISHED):
                continue
            if (shown := printable(path)) != path:
                self.misnamed.append(
                    f"{shown} was not read: its name is not UTF-8. Rename it, and load again."
                )
                continue
            if parts[0] in KINDS and len(parts) > 2:
                found.append(LandingFile(parts[0], parts[1], path, version))
            else:
                self.stray.append(
                    f"{path} belongs to no source: files lie below {'/, '.join(KINDS)}/ in a"
                    " folder that names the product, account or project."
                )
                if parts[0] in KINDS and _RECORDS.search(path):
                    self.without_source.setdefault(parts[0], self.stray[-1])
        return sorted(found, key=lambda file: (KINDS.index(file.kind), natural(file.path)))


def open_landing(place: str, keys: Keys = list) -> Landing:
    """Open the landing folder, of which sealed files are read with `keys`; raises LandingError with what to do."""
    try:
        storage = Opening(open_storage(place), keys)
        storage.check()
    except FileNotFoundError as error:
        raise LandingError(
            f"The landing folder {place} does not exist. Put the sources' files there, or name"
            " another folder with --landing or TALLYHOUSE_LANDING."
        ) from error
    except OSError as error:
        raise _unreadable(place, error) from error
    return Landing(storage)


def _unreadable(place: str, error: OSError) -> LandingError:
    way_out = "Give this account permission to read it."
    return LandingError(
        f"The landing folder {place} cannot be read ({error.strerror or error})."
        f" {getattr(error, 'way_out', way_out)} The landing folder is named by --landing or"
        " TALLYHOUSE_LANDING."
    )


def list_files(landing: Landing, place: str) -> list[LandingFile]:
    """The files of an opened landing folder; raises LandingError when a folder is closed to us."""
    try:
        return landing.files()
    except OSError as error:
        raise _unreadable(getattr(error, "filename", None) or place, error) from error


def printable(path: str) -> str:
    """A path with each byte that is not UTF-8 as an escape."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def natural(path: str) -> list[tuple[int, int, str]]:
    """A sort key in which part-9 comes before part-10."""
    return [
        (0, int(piece), "") if piece.isdigit() and piece.isascii() else (1, 0, piece)
        for piece in _DIGITS.split(path)
        if piece
    ]
