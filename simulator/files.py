"""The landing folder: lines go in with the instant at which they arrive, files come out.

One folder has one cadence: files of a week, gzipped, and for the newest days files of a day, plain.
What belongs here: names, order, compression, and where each planted line ended up. Not what is in it.
"""

from __future__ import annotations

import gzip
import io
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from simulator.timeline import DAY, Window, utc_day
from tallyhouse.closed_files import make_closed_folder, write_closed

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def encode(record: Any) -> bytes:
    """A record as a line of JSON. Copied, because the encoder's own result keeps kilobytes spare."""
    return bytes(memoryview(orjson.dumps(record)))


@dataclass(frozen=True)
class Plant:
    """A planted defect: what it is, on which record, and what a right warehouse does with it."""

    name: str
    expected: str
    record_id: str | None = None
    detail: str = ""


@dataclass
class Folder:
    """One source's folder. `place` decides file and order; it may differ from the arrival.

    Files of lines that are no JSON say so: their `extension`, and a `header` as each one's first line.
    """

    source_kind: str
    source_name: str
    daily_tail: int = 14
    always_plain: bool = False
    byte_order_mark: bool = False
    unterminated: bool = False
    extension: str = "jsonl"
    header: bytes | None = None
    lines: list[tuple[int, int, bytes]] = field(default_factory=list)
    plants: dict[int, list[Plant]] = field(default_factory=lambda: defaultdict(list))
    fixed: dict[str, bytes] = field(default_factory=dict)
    history: list[bytes] = field(default_factory=list)

    def add(self, place: int, line: bytes, plant: Plant | None = None) -> None:
        number = len(self.lines)
        self.lines.append((place, number, line))
        if plant is not None:
            self.plants[number].append(plant)

    def mark(self, plant: Plant) -> None:
        """Plants something on the line added last."""
        self.plants[len(self.lines) - 1].append(plant)

    def write(self, landing: Path, window: Window) -> FolderReport:
        root = landing / self.source_kind / self.source_name
        make_closed_folder(root)
        report = FolderReport(self.source_kind, self.source_name)
        if self.history:
            name = f"history-before-the-window.{self.extension}"
            report.add(root, name, self.history, packed=not self.always_plain)
        buckets: dict[tuple[str, bool], list[tuple[int, bytes]]] = defaultdict(list)
        tail = window.end - self.daily_tail * DAY
        for place, number, line in sorted(self.lines, key=lambda entry: entry[:2]):
            inside = min(max(place, window.start), window.end - 1)
            if inside >= tail:
                key = (f"{utc_day(inside)}.{self.extension}", False)
            else:
                week = window.start + (inside - window.start) // (7 * DAY) * 7 * DAY
                key = (f"{utc_day(week)}-week.{self.extension}", not self.always_plain)
            buckets[key].append((number, line))
        last = max(buckets, default=None)
        for index, ((name, packed), entries) in enumerate(sorted(buckets.items())):
            lines = [line for _, line in entries]
            if self.byte_order_mark and index == 0:
                lines[0] = BYTE_ORDER_MARK + lines[0]
                self.plants[entries[0][0]].append(Plant("byte_order_mark", "stored"))
            end = b"\n"
            if self.unterminated and (name, packed) == last:
                end = b""
                self.plants[entries[-1][0]].append(Plant("no_newline_at_the_end", "stored"))
            first = 1
            if self.header is not None:
                lines.insert(0, self.header)
                first = 2
            path = report.add(root, name, lines, packed, end)
            for position, (number, _) in enumerate(entries, start=first):
                for plant in self.plants.get(number, ()):
                    report.planted.append((path.relative_to(landing), position, plant))
        return report


@dataclass
class FolderReport:
    """What one folder came to hold."""

    source_kind: str
    source_name: str
    files: int = 0
    lines: int = 0
    size_bytes: int = 0
    planted: list[tuple[Path, int, Plant]] = field(default_factory=list)

    def add(
        self, root: Path, name: str, lines: list[bytes], packed: bool, end: bytes = b"\n"
    ) -> Path:
        body = b"\n".join(lines) + end
        path = root / (f"{name}.gz" if packed else name)
        content = _gzip(body) if packed else body
        write_closed(path, content)
        self.files += 1
        self.lines += len(lines)
        self.size_bytes += len(content)
        return path


def _gzip(body: bytes) -> bytes:
    """Gzip without a time or a name inside: equal content, equal bytes."""
    sink = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=4, fileobj=sink, mtime=0) as stream:
        stream.write(body)
    return sink.getvalue()
