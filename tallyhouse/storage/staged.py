"""Finished files that wait beside a folder's others until they get their names.

What is made while it may still be taken back (a load not yet committed) is written here, where it
need not be copied afterwards: only `Writing.move` gives it a name. Each user has a folder of its own
and holds a lock on it as long as it lives; what a killed one left is removed by the next. Belongs
here: putting, tidying up. Does not belong here: names (`folder`).
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tallyhouse.closed_files import make_closed_folder, open_closed

if TYPE_CHECKING:  # who only reads and writes names, like the receiver, need not start it
    from pyarrow import Buffer

_PREFIX = ".aside-"  # readers of the lake pass over names that begin with a dot


class StagedFiles:
    """A folder of files without names. Filled by one thread, read by several; fails with OSError."""

    def __init__(self, root: Path) -> None:
        make_closed_folder(root)
        remove_abandoned(root)
        self._folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=root))
        self._held = os.open(self._folder, os.O_RDONLY)
        fcntl.flock(self._held, fcntl.LOCK_EX)
        self._count = 0

    def put(self, data: "bytes | Buffer") -> Path:
        self._count += 1
        path = self._folder / str(self._count)
        with open_closed(path) as file:
            file.write(data)
            file.flush()
            if hasattr(os, "posix_fadvise"):  # it goes to the disk from now on, not in the end
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return path

    def close(self) -> None:
        """Remove what got no name."""
        shutil.rmtree(self._folder, ignore_errors=True)
        os.close(self._held)


def remove_abandoned(root: Path) -> None:
    """Remove what users that live no more left below a folder."""
    for folder in root.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):  # another user's, or gone already
            held = os.open(folder, os.O_RDONLY)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(held)
