"""The landing folder: which files are there, in which order.

Belongs here: walking a local path or an object store, natural order, what is passed over.
Does not belong here: reading a file (`reader`), knowing what was loaded (`ledger`).
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from ingestion.registry import KINDS
from tallyhouse.errors import TallyhouseError

_UNFINISHED = (".tmp", ".part", ".partial", ".crc", ".swp")
_DIGITS = re.compile(r"(\d+)")


class LandingError(TallyhouseError):
    """The landing folder cannot be read."""


class LandingFile(NamedTuple):
    kind: str
    name: str
    path: str  # below the landing folder
    location: str  # for the file system


@dataclass
class Landing:
    """An opened landing folder. `stray` are sentences about files that belong to no source."""

    fs: AbstractFileSystem
    root: str
    stray: list[str] = field(default_factory=list)

    def files(self) -> list[LandingFile]:
        """Every file of a known kind: kind by kind, each in natural order of its path."""
        found: list[LandingFile] = []
        for path in self._paths():
            parts = path.split("/")
            if any(part.startswith((".", "_")) for part in parts) or path.endswith(_UNFINISHED):
                continue
            if parts[0] in KINDS and len(parts) > 2:
                location = f"{self.root.rstrip('/')}/{path}"
                found.append(LandingFile(parts[0], parts[1], path, location))
            else:
                self.stray.append(
                    f"{path} belongs to no source: files lie below {'/, '.join(KINDS)}/ in a"
                    " folder that names the product, account or project."
                )
        return sorted(found, key=lambda file: (KINDS.index(file.kind), natural(file.path)))

    def _paths(self) -> Iterator[str]:
        if not isinstance(self.fs, LocalFileSystem):
            prefix = self.root.rstrip("/") + "/"
            yield from (path.removeprefix(prefix) for path in self.fs.find(self.root))
            return

        def refuse(error: OSError) -> None:
            raise error

        for folder, _, names in os.walk(self.root, onerror=refuse, followlinks=True):
            for name in names:
                yield os.path.relpath(os.path.join(folder, name), self.root).replace(os.sep, "/")  # noqa: PTH118


def open_landing(place: str) -> Landing:
    """Open the landing folder; raises LandingError with what to do."""
    try:
        fs, root = url_to_fs(place)
        if isinstance(fs, LocalFileSystem):
            os.listdir(root)  # noqa: PTH208  (exists and may be read)
    except FileNotFoundError as error:
        raise LandingError(
            f"The landing folder {place} does not exist. Put the sources' files there, or name"
            " another folder with --landing or TALLYHOUSE_LANDING."
        ) from error
    except (OSError, ImportError, ValueError) as error:
        raise LandingError(_unreadable(place, error)) from error
    return Landing(fs, root)


def _unreadable(place: str, error: Exception) -> str:
    reason = getattr(error, "strerror", None) or str(error)
    return (
        f"The landing folder {place} cannot be read ({reason}). Give this account permission to"
        " read it, or name another folder with --landing or TALLYHOUSE_LANDING."
    )


def list_files(landing: Landing, place: str) -> list[LandingFile]:
    """The files of an opened landing folder; raises LandingError when a folder is closed to us."""
    try:
        return landing.files()
    except OSError as error:
        raise LandingError(_unreadable(getattr(error, "filename", None) or place, error)) from error


def natural(path: str) -> list[tuple[int, int, str]]:
    """A sort key in which part-9 comes before part-10."""
    return [
        (0, int(piece), "") if piece.isdigit() and piece.isascii() else (1, 0, piece)
        for piece in _DIGITS.split(path)
        if piece
    ]
