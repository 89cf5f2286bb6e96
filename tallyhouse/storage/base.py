"""What every place can do, and how it fails.

Belongs here: the promises that callers rely on. Does not belong here: how a disk (`folder`) or a
bucket (`bucket`) keeps them.
"""

import errno
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from tallyhouse.storage.staged import StagedFiles


class StorageError(OSError):
    """A place failed: `strerror` says what, `way_out` is the sentence on what to do."""

    def __init__(self, reason: str, way_out: str) -> None:
        super().__init__(errno.EIO, reason)
        self.way_out = way_out

    def __str__(self) -> str:
        return f"{self.strerror}. {self.way_out}"


class Found(NamedTuple):
    """A listed file; a content that changed has another size or version (-1, "" if unknown)."""

    name: str
    size_bytes: int
    version: str


class Writing(ABC):
    """What a block of `Storage.writing` may do; from several threads if it likes."""

    @abstractmethod
    def put(self, name: str, data: bytes) -> None:
        """Write a file anew, in the place of what stood there."""

    def move(self, made: Path, name: str) -> None:
        """Give a name to a file that was put aside at this place (`Storage.staged_files`)."""
        self.put(name, made.read_bytes())

    @abstractmethod
    def remove(self, name: str) -> None:
        """Remove a file once all others are written; one that is not there is fine."""


class Storage(ABC):
    """Files below one place, known by names relative to it, with slashes. Fails with OSError."""

    place: str  # as the settings name it
    is_local: bool

    @abstractmethod
    def check(self) -> None:
        """Fail unless the place can be listed."""

    @abstractmethod
    def files(self, below: str = "") -> Iterator[Found]:
        """Every file below the place, or below a folder there, in no order.

        The place itself must be there; a folder below it that is not there has no files.
        """

    @abstractmethod
    def open(self, name: str) -> BinaryIO:
        """Read a file from its start. Of a file that is replaced meanwhile it gives the old
        content or fails, never a mixture."""

    @abstractmethod
    def look(self, name: str) -> Found:
        """A file as it lies there now."""

    def staged_files(self) -> StagedFiles | None:
        """Where to put files that get their names later; None where a name costs a copy."""
        return None

    @abstractmethod
    def writing(self) -> AbstractContextManager[Writing]:
        """A block in which many files are put and removed; all is durable when it ends.

        What is put appears in groups on the way (in a folder of 256 MiB) and at the end; of what
        has not appeared when the block raises, nothing stays. No reader ever sees half a file.
        """
