"""A landing file as blocks of whole records, in bounded memory whatever its size.

Belongs here: byte-order marks, line ends, lines too long to be records, files that cannot be read to
their end. Lines end at \\n only. Does not belong here: how a file is packed (`containers`), records
that are no lines (`enclosed`), what a line means.
"""

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import numpy as np

from ingestion.landing.containers import Unreadable, pieces
from ingestion.landing.enclosed import BOM, one_a_line
from ingestion.landing.file_info import Shape

BLOCK = 6 << 20  # bytes of text handed on at once
MAX_LINE = 16 << 20  # a longer line is no record
QUOTED_LIMIT = 1 << 20  # a quoted field that goes on for longer is a stray quote
_LINE_END = ord("\n")


class Block(NamedTuple):
    """Consecutive whole lines; or, with `too_long`, the start of one line beyond MAX_LINE."""

    first_line: int
    data: bytes
    too_long: bool = False

    @property
    def size(self) -> int:
        return len(self.data)


def blocks(raw: BinaryIO, path: str, shape: Shape) -> Iterator[Block]:
    """The file's lines in blocks that end where a record ends. Raises Unreadable at the end."""
    kept: list[bytes] = []  # text not yet handed on; the last line in it may be incomplete
    size, line = 0, 1
    skipping = False
    failure: Unreadable | None = None
    stream = one_a_line(pieces(raw, path), shape)
    while True:
        try:
            piece = next(stream, b"")
        except Unreadable as error:
            failure, piece = error, b""
        if not piece:
            break
        if skipping:  # the rest of a line that is too long
            cut = piece.find(b"\n")
            if cut < 0:
                continue
            piece, skipping, line = piece[cut + 1 :], False, line + 1
        kept.append(piece)
        size += len(piece)
        if size < BLOCK:
            continue
        data = b"".join(kept)
        end = _record_end(data, shape)
        if end:
            whole = data[:end]
            yield _block(line, whole)
            line += line_ends(whole)
        elif len(data) > MAX_LINE:
            yield Block(line, data[:4096], too_long=True)
            cut = data.find(b"\n")
            skipping = cut < 0
            end = len(data) if skipping else cut + 1
            line += 0 if skipping else 1
        kept = [data[end:]]
        size = len(kept[0])
    data = b"".join(kept)
    if failure is not None:  # a line that the break cut off is not a record
        data = data[: data.rfind(b"\n") + 1]
    if data and not skipping:
        yield _block(line, data)
    if failure is not None:
        raise failure


def line_ends(text: bytes) -> int:
    """How many lines end in a text; numpy takes a third of what `bytes.count` takes for so many."""
    return int(np.count_nonzero(np.frombuffer(text, np.uint8) == _LINE_END))


def _block(line: int, data: bytes) -> Block:
    return Block(line, data.removeprefix(BOM) if line == 1 else data)


def _record_end(data: bytes, shape: Shape) -> int:
    """Where the last whole record of a block ends; 0 when there is none yet."""
    end = data.rfind(b"\n") + 1
    if shape.is_quoted and len(data) < BLOCK + QUOTED_LIMIT:
        is_open = data.count(b'"', 0, end) % 2
        while end and is_open:
            start = data.rfind(b"\n", 0, end - 1) + 1
            is_open ^= data.count(b'"', start, end) % 2
            end = start
    return end


def records(block: Block, shape: Shape) -> Iterator[tuple[int, bytes]]:
    """(line number, record) of a block, without line ends and blank lines."""
    lines = block.data.split(b"\n")
    if lines and not lines[-1]:
        lines.pop()
    number = block.first_line
    if not shape.is_quoted and _is_plain(block.data, lines):
        yield from enumerate(lines, number)
        return
    if not shape.is_quoted:
        for line in lines:
            stripped = line[:-1] if line[-1:] == b"\r" else line
            if stripped and not stripped.isspace():
                yield number, stripped
            number += 1
        return
    position = 0
    while position < len(lines):
        taken = _quoted_lines(lines, position)
        record = b"\n".join(lines[position : position + taken]).removesuffix(b"\r")
        if record.strip():
            yield number + position, record
        position += taken


def _is_plain(data: bytes, lines: list[bytes]) -> bool:
    """Whether every line is a record as it stands."""
    return b"\r" not in data and all(lines) and not any(map(bytes.isspace, lines))


def _quoted_lines(lines: list[bytes], position: int) -> int:
    """How many lines the record at a position spans: until its quotes are even."""
    quotes = size = 0
    for index in range(position, len(lines)):
        quotes += lines[index].count(b'"')
        size += len(lines[index])
        if quotes % 2 == 0:
            return index - position + 1
        if size > QUOTED_LIMIT:
            break
    return 1
