"""Files below a folder of a disk.

A file is written whole or not at all, whenever the process or the machine dies: drafts beside their
targets are synced, then renamed, then the folders are synced. Does not belong here: buckets.
"""

import contextlib
import ctypes
import os
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import BinaryIO

from tallyhouse.storage.base import Found, Storage, Writing

_FEW = 64  # so many files and folders are made durable one by one


class Folder(Storage):
    is_local = True

    def __init__(self, place: str) -> None:
        self.place = place
        self._root = Path(place)

    def check(self) -> None:
        next(self._root.iterdir(), None)

    def files(self) -> Iterator[Found]:
        def refuse(error: OSError) -> None:
            raise error

        for folder, _, names in os.walk(self._root, onerror=refuse, followlinks=True):
            for name in names:
                path = os.path.join(folder, name)  # noqa: PTH118
                below = os.path.relpath(path, self._root).replace(os.sep, "/")
                try:
                    yield _found(below, os.stat(path))  # noqa: PTH116
                except OSError:  # whoever opens it will say why
                    yield Found(below, -1, "")

    def open(self, name: str) -> BinaryIO:
        return (self._root / name).open("rb")

    def look(self, name: str) -> Found:
        return _found(name, (self._root / name).stat())

    @contextlib.contextmanager
    def writing(self) -> Iterator[Writing]:
        writing = _FolderWriting(self._root)
        try:
            yield writing
            writing.publish()
        finally:
            writing.discard()


def _found(name: str, stat: os.stat_result) -> Found:
    return Found(name, stat.st_size, str(stat.st_mtime_ns))


class _FolderWriting(Writing):
    """A draft's name follows from its target's: one that a killed process left is written over."""

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
