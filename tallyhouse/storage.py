"""Where bytes lie: files below one folder on a disk or one prefix of a bucket.

A file is written whole or not at all, whenever the process, the machine or the line to the bucket
dies. Belongs here: opening a place, listing, reading, writing, removing. Does not belong here: what
the files hold, or which of them are due (`ingestion`).
"""

import contextlib
import ctypes
import os
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

_FEW = 64  # so many files and folders are made durable one by one


class Storage:
    """Files below one place, known by names relative to it, with slashes.

    Raises OSError for what fails, ValueError or ImportError for an address nobody can open.
    """

    def __init__(self, place: str) -> None:
        self.place = place
        self.fs: AbstractFileSystem
        self.fs, root = url_to_fs(place)
        self.root = root.rstrip("/")
        self.is_local = isinstance(self.fs, LocalFileSystem)

    def path(self, name: str) -> str:
        return f"{self.root}/{name}"

    @contextlib.contextmanager
    def writing(self) -> Iterator["Writing"]:
        """Put and remove many files; all is durable when the block ends.

        On a disk nothing changes before the block ends, and nothing at all when it raises. In a
        bucket each object changes by itself. Either way no reader ever sees half a file.
        """
        if not self.is_local:
            yield _BucketWriting(self)
            return
        writing = _FolderWriting(Path(self.root))
        try:
            yield writing
            writing.publish()
        finally:
            writing.discard()


class Writing:
    """What a block of `Storage.writing` may do; from several threads if it likes."""

    def put(self, name: str, data: bytes) -> None:
        """Write a file anew, in the place of what stood there."""
        raise NotImplementedError

    def remove(self, name: str) -> None:
        """Remove a file; one that is not there is fine."""
        raise NotImplementedError


class _BucketWriting(Writing):
    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def put(self, name: str, data: bytes) -> None:
        self._storage.fs.pipe_file(self._storage.path(name), data)

    def remove(self, name: str) -> None:
        path = self._storage.path(name)
        if self._storage.fs.exists(path):
            self._storage.fs.rm_file(path)


class _FolderWriting(Writing):
    """Drafts beside their targets, made durable in one sweep, then renamed.

    A draft's name follows from its target's: one that a killed process left is written over.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._drafts: list[tuple[Path, Path]] = []
        self._removed: list[Path] = []

    def put(self, name: str, data: bytes) -> None:
        target = self._root / name
        draft = _draft(target)
        self._drafts.append((draft, target))
        try:
            draft.write_bytes(data)
        except FileNotFoundError:
            draft.parent.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(data)

    def remove(self, name: str) -> None:
        self._removed.append(self._root / name)

    def publish(self) -> None:
        _sync(self._root, [draft for draft, _ in self._drafts])
        folders: set[Path] = set()
        for draft, target in self._drafts:
            draft.replace(target)
            folders.update(self._upwards(target))
        for target in self._removed:
            _draft(target).unlink(missing_ok=True)
            target.unlink(missing_ok=True)
            folders.update(folder for folder in self._upwards(target) if folder.exists())
        _sync(self._root, folders)
        self._drafts = []

    def discard(self) -> None:
        for draft, _ in self._drafts:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)

    def _upwards(self, target: Path) -> Iterator[Path]:
        """The folders from a file up to the root: each may hold a new name."""
        for folder in target.parents:
            yield folder
            if folder == self._root:
                return


def _draft(target: Path) -> Path:
    return target.with_name(f".{target.name}.tmp")


def _sync(root: Path, paths: Iterable[Path]) -> None:
    """Make files and folders durable: one by one, or many at the price of one, where that exists.

    The latter waits for all else that is on its way to the same disk; for a few files it may cost
    more than it saves.
    """
    paths = list(paths)
    sync: Callable[[int], None] = os.fsync
    if len(paths) > _FEW and _syncfs() is not None:
        paths, sync = [root], _sync_disk
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            sync(descriptor)
        finally:
            os.close(descriptor)


def _sync_disk(descriptor: int) -> None:
    call = _syncfs()
    if call is not None and call(descriptor):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


@cache
def _syncfs() -> Callable[[int], int] | None:
    """syncfs(2) of Linux, which Python's os does not have; None elsewhere."""
    try:
        call: Callable[[int], int] = ctypes.CDLL(None, use_errno=True).syncfs
    except (AttributeError, OSError, TypeError):
        return None
    return call
