"""The same records delivered in other files, and the marts that must come of them.

Belongs here: reading, cutting and writing sources, and what is compared. Does not belong here:
how files are split.
"""

from __future__ import annotations

import gzip
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from tests.end_to_end.conftest import Undisturbed
from tests.end_to_end.house import House
from tests.end_to_end.marts import contents


@dataclass
class Source:
    """The lines of one folder; of CSV without the header, which each file begins with."""

    header: list[bytes]
    lines: list[bytes] = field(default_factory=list)

    def file(self, stem: str) -> str:
        return f"{stem}.csv" if self.header else f"{stem}.jsonl"

    def part(self, lines: list[bytes]) -> list[bytes]:
        """What a file of these lines holds."""
        return [*self.header, *lines]


def sources(landing: Path) -> dict[str, Source]:
    """Every folder with files, by its path below the landing folder, files in natural order."""
    found: dict[str, Source] = {}
    for file in sorted(path for path in landing.rglob("*") if path.is_file()):
        lines = read(file)
        headers = 1 if ".csv" in file.suffixes else 0
        name = file.parent.relative_to(landing).as_posix()
        found.setdefault(name, Source(lines[:headers])).lines += lines[headers:]
    return found


def read(path: Path) -> list[bytes]:
    """The lines of a file, plain or gzip, without their ends; a byte order mark is dropped."""
    body = path.read_bytes()
    if path.suffix == ".gz":
        body = gzip.decompress(body)
    lines = body.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    return lines[:-1] if lines[-1] == b"" else lines


def cut(lines: list[bytes], parts: int) -> list[list[bytes]]:
    """Cut into at most `parts` runs of lines, in order."""
    size = max(1, -(-len(lines) // parts))
    return [lines[start : start + size] for start in range(0, len(lines), size)]


def write(path: Path, lines: list[bytes]) -> None:
    """Write lines to a new file, gzip when its name says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    body = b"".join(line + b"\n" for line in lines)
    draft = path.with_name(f".{path.name}")
    draft.write_bytes(gzip.compress(body) if path.suffix == ".gz" else body)
    shutil.move(draft, path)


def assert_same_marts(house: House, undisturbed: Undisturbed) -> None:
    """The registry and the log of predictions tell what was learned when, so they may differ."""
    assert marts_of(contents(house.warehouse())) == marts_of(undisturbed.marts)


def marts_of(tables: dict[str, tuple[int, str]]) -> dict[str, tuple[int, str]]:
    return {name: found for name, found in tables.items() if not name.startswith("ml.")}
