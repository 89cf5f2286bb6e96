"""Files below a folder of a disk.

A file is written whole or not at all, whenever the process or the machine dies: drafts beside their
targets are synced, then renamed, then the folders are synced. All are closed to other accounts.
Does not belong here: buckets.
"""

import contextlib
import ctypes
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import BinaryIO

from tallyhouse.closed_files import make_closed_folder, write_closed
from tallyhouse.storage.base import Found, Storage, Writing
from tallyhouse.storage.staged import StagedFiles, remove_abandoned

_FEW = 64  # so many files and folders are made durable one by one
_GROUP = 256 << 20  # bytes of drafts


class Folder(Storage):
    is_local = True

    def __init__(self, place: str) -> None:
        self.place = place
        self._root = Path(place)

    def check(self) -> None:
        next(self._root.iterdir(), None)

    def files(self, below: str = "") -> Iterator[Found]:
        def refuse(error: OSError) -> None:
            if not (below and isinstance(error, FileNotFoundError)):
                raise error

        for folder, _, names in os.walk(self._root / below, onerror=refuse, followlinks=True):
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

    def staged_files(self) -> StagedFiles:
        return StagedFiles(self._root)

    @contextlib.contextmanager
    def writing(self) -> Iterator[Writing]:
        remove_abandoned(self._root)
        writing = _FolderWriting(self._root)
        try:
            yield writing
            writing.publish()
        finally:
            writing.discard()


def _found(name: str, stat: os.stat_result) -> Found:
    return Found(name, stat.st_size, str(stat.st_mtime_ns))


class _FolderWriting(Writing):
    """A draft's name follows from its target's: one that a killed process left is written over.

    Drafts take their names at the end, or whenever they fill _GROUP: the disk need not hold old
    and new of everything.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()
        self._drafts: set[Path] = set()  # begun and not yet renamed
        self._due: list[tuple[Path, Path]] = []  # what is written, and its target
        self._size = 0
        self._removed: list[Path] = []
        self._folders: set[Path] = set()  # that hold new names

    def put(self, name: str, data: bytes) -> None:
        target = self._root / name
        draft = _draft(target)
        self._drafts.add(draft)
        try:
            write_closed(draft, data)
        except FileNotFoundError:
            make_closed_folder(draft.parent)
            write_closed(draft, data)
        with self._lock:
            self._due.append((draft, target))
            self._size += len(data)
            if self._size >= _GROUP:
                self._rename()

    def move(self, made: Path, name: str) -> None:
        target = self._root / name
        make_closed_folder(target.parent)
        with self._lock:
            self._due.append((made, target))

    def remove(self, name: str) -> None:
        self._removed.append(self._root / name)

    def publish(self) -> None:
        self._rename()
        for target in self._removed:
            _draft(target).unlink(missing_ok=True)
            target.unlink(missing_ok=True)
            self._folders.update(folder for folder in self._upwards(target) if folder.exists())
        _sync(self._root, self._folders)

    def _rename(self) -> None:
        due, self._due, self._size = self._due, [], 0
        _sync(self._root, [made for made, _ in due])
        for made, target in due:
            made.replace(target)
            self._drafts.discard(made)
            self._folders.update(self._upwards(target))

    def discard(self) -> None:
        for draft in self._drafts:
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
