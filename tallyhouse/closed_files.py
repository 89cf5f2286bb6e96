"""Files and folders that only the account of the warehouse may read (0600, 0700).

What sources sent, and what is made of it, is nobody else's on the same machine. Belongs here: making them so.
Folders that are there already keep their mode: whoever made them decided it.
"""

import os
from pathlib import Path
from typing import BinaryIO


def make_closed_folder(folder: Path) -> None:
    """A folder with its parents; those that are made for it are closed."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for new in reversed(missing):
        new.mkdir(mode=0o700, exist_ok=True)


def open_closed(path: Path) -> BinaryIO:
    """A file to be written anew, closed from its first moment on."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(descriptor, 0o600)  # one that was left there may have been open
    return os.fdopen(descriptor, "wb")


def replace_closed(path: Path, text: str) -> None:
    """A closed file with this text in the place of what was there: a reader finds all of one or of the
    other, and so does the machine after it died."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with open_closed(draft) as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def write_closed(path: Path, data: "bytes | bytearray | memoryview") -> None:
    """A file with this content, closed."""
    with open_closed(path) as file:
        file.write(data)
