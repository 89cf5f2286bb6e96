"""The same records delivered in other files, and the marts that must come of them.

Belongs here: reading, cutting and writing sources, and what is compared. Does not belong here:
how files are split.
"""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

from tests.end_to_end.conftest import Undisturbed
from tests.end_to_end.house import House
from tests.end_to_end.marts import contents


def sources(landing: Path) -> dict[str, list[bytes]]:
    """Every source folder with its lines, files in natural order."""
    found: dict[str, list[bytes]] = {}
    for folder in sorted(path for path in landing.glob("*/*") if path.is_dir()):
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        found[str(folder.relative_to(landing))] = [line for f in files for line in read(f)]
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
