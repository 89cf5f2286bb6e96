"""The truth about what was landed: rows that live in the sources, plants and where they lie, counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson

from simulator.files import FolderReport, Plant
from simulator.sources.debezium import ChangeLog
from simulator.timeline import Window, iso
from simulator.truth.table import Table


def living_rows(logs: Iterable[ChangeLog]) -> Table:
    return Table(
        name="cdc_state",
        grain="product × table",
        meaning="rows that live in the source table at the end",
        header=("product", "table_name", "living_rows"),
        rows=[
            (log.product, table, len(rows))
            for log in logs
            for table, rows in sorted(log.state.items())
        ],
    )


def write_planted(
    root: Path, reports: list[FolderReport], refused: Collection[str] = ()
) -> Counter[str]:
    """Writes `planted.jsonl`; returns how often each kind was planted. `refused` are events that are only counted."""
    kinds: Counter[str] = Counter()
    with (root / "planted.jsonl").open("wb") as stream:
        for report in reports:
            for path, line, plant in report.planted:
                kinds[f"{report.source_kind}.{plant.name}"] += 1
                row = {
                    "plant": plant.name,
                    "source_kind": report.source_kind,
                    "source_name": report.source_name,
                    "file": path.as_posix(),
                    "line": line,
                    "record_id": plant.record_id,
                    "expected": _expected(report, plant, refused),
                    "detail": plant.detail,
                }
                stream.write(orjson.dumps(row) + b"\n")
    return kinds


def _expected(report: FolderReport, plant: Plant, refused: Collection[str]) -> str:
    """Whatever is odd about it, an event of somebody who refused is not stored; it comes twice all the same."""
    is_stored = plant.expected.startswith(("stored", "dated"))
    if report.source_kind == "events" and is_stored and plant.record_id in refused:
        return "counted_not_stored"
    return plant.expected


def write_summary(
    root: Path,
    window: Window,
    as_of: int,
    reports: list[FolderReport],
    counts: Mapping[str, Any],
    planted: Counter[str],
) -> None:
    summary = {
        "as_of": iso(as_of),
        "window": {"start": iso(window.start), "end": iso(window.end), "days": window.days},
        "sources": [
            {
                "source_kind": r.source_kind,
                "source_name": r.source_name,
                "files": r.files,
                "lines": r.lines,
                "size_bytes": r.size_bytes,
            }
            for r in reports
        ],
        **counts,
        "planted": dict(sorted(planted.items())),
    }
    (root / "summary.json").write_bytes(orjson.dumps(summary, option=orjson.OPT_INDENT_2) + b"\n")
