"""A bounded sample of a source's files: the first records, read as the loader reads them.

Belongs here: opening, limits, what is no text of records at all. Does not belong here: what the
records mean (`cdc`, `events`, `delimited`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ingestion.landing.blocks import blocks, records
from ingestion.landing.containers import PARQUET, Damaged, Unreadable, pieces
from ingestion.landing.enclosed import BOM
from ingestion.landing.file_info import Shape
from ingestion.landing.listing import UNFINISHED, natural
from tallyhouse.errors import TallyhouseError

MAX_BYTES = 64 << 20  # of text held at once


class DraftError(TallyhouseError):
    """No draft can be made; the text says why and what to do."""


@dataclass(frozen=True)
class FileSample:
    """The first records of one file, each with its line's number."""

    path: Path
    lines: tuple[tuple[int, bytes], ...]
    has_more: bool


def sample_files(places: Iterable[Path]) -> list[Path]:
    """The files that are meant: a folder stands for all below it, in natural order."""
    found: list[Path] = []
    for place in places:
        if not place.exists():
            raise DraftError(f"There is no file {place}. Name a file of the source, or its folder.")
        if not place.is_dir():
            found.append(place)
            continue
        below = [
            path
            for path in place.rglob("*")
            if path.is_file()
            and not path.name.endswith(UNFINISHED)
            and not any(part.startswith((".", "_")) for part in path.relative_to(place).parts)
        ]
        if not below:
            raise DraftError(f"The folder {place} holds no file.")
        found += sorted(below, key=lambda path: natural(path.as_posix()))
    return found


def first_bytes(path: Path) -> bytes:
    """The start of a file's text; raises DraftError where it is none."""
    try:
        with path.open("rb") as raw:
            head = next(pieces(raw, path.name), b"")
    except Unreadable as error:
        raise DraftError(f"{path} cannot be read. {error}") from error
    except OSError as error:
        raise DraftError(f"{path} cannot be read ({error.strerror or error}).") from error
    if head.startswith(PARQUET):
        raise DraftError(
            f"{path} is a Parquet file, which the loader reads and of which no draft is made. Write"
            " some of its rows as JSON lines or CSV, and draft from these."
        )
    head = head.removeprefix(BOM)
    if not head.strip():
        raise DraftError(f"{path} is empty, so it shows nothing of its source.")
    if b"\x00" in head[:4096]:
        raise DraftError(f"{path} is no text: it holds zero bytes. Deliver JSON lines or CSV.")
    return head


def read_sample(path: Path, limit: int, shape: Shape = Shape()) -> FileSample:  # noqa: B008
    """At most `limit` records of a file, and no more than MAX_BYTES of them."""
    lines: list[tuple[int, bytes]] = []
    size = 0
    for number, line in _records(path, shape):
        if len(lines) == limit or size > MAX_BYTES:
            return FileSample(path, tuple(lines), True)
        lines.append((number, line))
        size += len(line)
    if not lines:
        raise DraftError(f"{path} is empty, so it shows nothing of its source.")
    return FileSample(path, tuple(lines), False)


def _records(path: Path, shape: Shape) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as raw:
            for block in blocks(raw, path.name, shape):
                if not block.too_long:
                    yield from records(block, shape)
    except Damaged as error:
        raise DraftError(f"{path} cannot be read. {error}") from error
    except Unreadable:
        return  # cut off at its end: what came before is sample enough
    except OSError as error:
        raise DraftError(f"{path} cannot be read ({error.strerror or error}).") from error
