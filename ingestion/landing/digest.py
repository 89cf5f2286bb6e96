"""What a file's content is known by, and where it may be cut into blocks.

Belongs here: going through a file once, before anything of it is parsed. Does not belong here:
remembering digests (`known_digests`), reading blocks (`blocks`, `byte_ranges`).
"""

import hashlib
from typing import NamedTuple

from ingestion.landing.blocks import BLOCK, MAX_LINE, line_ends
from ingestion.landing.containers import Damaged, Foreign, Unreadable, pieces
from tallyhouse.storage import Storage


class Start(NamedTuple):
    """Where a block may begin."""

    offset: int  # bytes of text before it
    line: int


class Digest(NamedTuple):
    content_hash: str  # SHA-256 of the uncompressed bytes, as far as they could be read
    size_bytes: int  # on disk
    problem: str | None  # why the file cannot be read to its end
    version: str  # of the file when it was hashed, see `tallyhouse.storage`
    is_damaged: bool = False  # nothing of it can be trusted
    starts: tuple[Start, ...] = ()  # of its blocks; none where a line is too long to be a record


def digest(storage: Storage, path: str) -> Digest:
    """Hash a file's content. A broken content is no error; what cannot be read is: OSError."""
    content, cuts, found = hashlib.sha256(), _Cuts(), storage.look(path)
    problem, is_damaged = None, False
    try:
        with storage.open(path) as raw:
            for piece in pieces(raw, path):
                content.update(piece)
                cuts.follow(piece)
    except Unreadable as error:
        problem, is_damaged = str(error), isinstance(error, Damaged)
        content.update(b"\x00unreadable:" + problem.encode())
        if isinstance(error, Foreign):  # nothing was read by which it could be known
            content.update(path.encode("utf-8", "surrogateescape"))
    known = (content.hexdigest(), found.size_bytes, problem, found.version, is_damaged)
    return Digest(*known, cuts.starts())


class _Cuts:
    """Finds the starts of blocks in a text that comes in pieces."""

    def __init__(self) -> None:
        self._starts = [Start(0, 1)]
        self._size = 0
        self._lines = 0
        self._line_start = self._longest = 0

    def follow(self, piece: bytes) -> None:
        end = piece.rfind(b"\n") + 1
        if end:
            first = piece.find(b"\n")
            self._longest = max(self._longest, self._size + first - self._line_start)
            self._lines += line_ends(piece)
            self._line_start = self._size + end
            if self._line_start - self._starts[-1].offset >= BLOCK:
                self._starts.append(Start(self._line_start, self._lines + 1))
        self._size += len(piece)

    def starts(self) -> tuple[Start, ...]:
        """At lines' starts, BLOCK or some more bytes apart; none where a line is too long."""
        longest = max(self._longest, self._size - self._line_start)
        return tuple(self._starts) if longest <= MAX_LINE else ()
