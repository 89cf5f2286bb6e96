"""Lines with all their samples, kept as JSON, and the table made of them.

`python -m benchmarks.report` writes `results.md` anew from `results.json`. Belongs here: medians,
ratios, whether a budget is met, Markdown. Does not belong here: measuring.
"""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
UNITS = {"s": 2, "MiB": 0, "rows/s": 0}


@dataclass
class Line:
    """One row of the table.

    `measured` is judged by itself, or against `reference`: its median (memory: its peak), less
    `allowance`, divided by the reference's median. `at_least` turns the comparison round. Without
    a `budget` the line only informs.
    """

    group: str
    what: str
    measured: Sequence[float]
    unit: str = "s"
    reference: Sequence[float] = ()
    reference_name: str = ""
    budget: float | None = None
    at_least: bool = False
    allowance: float = 0.0
    notes: list[str] = field(default_factory=list)

    @property
    def value(self) -> float:
        return max(self.measured) if self.unit == "MiB" else statistics.median(self.measured)

    @property
    def ratio(self) -> float | None:
        if not self.reference:
            return None
        return (self.value - self.allowance) / max(statistics.median(self.reference), 1e-9)

    @property
    def verdict(self) -> str:
        """`met`, `NOT met`, or nothing for a line without a budget."""
        if self.budget is None:
            return ""
        found = self.value - self.allowance if self.ratio is None else self.ratio
        met = found >= self.budget if self.at_least else found <= self.budget
        return "met" if met else "NOT met"


class Report:
    """The results of a run, written to `folder` after every line: an aborted run keeps its part."""

    def __init__(self, folder: Path, about: dict[str, str]) -> None:
        self.folder, self.about = folder, about
        self.lines: list[Line] = []
        self.missing: list[str] = []

    def add(self, line: Line) -> None:
        self.lines.append(line)
        self.write()

    def write(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        content = {
            "about": self.about,
            "missing": self.missing,
            "lines": [asdict(line) for line in self.lines],
        }
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        (self.folder / "results.json").write_text(text, "utf-8")
        (self.folder / "results.md").write_text(table(self), "utf-8")


def read(folder: Path) -> Report:
    """The report that `results.json` holds."""
    content: dict[str, Any] = json.loads((folder / "results.json").read_text("utf-8"))
    report = Report(folder, content["about"])
    report.missing = content["missing"]
    report.lines = [Line(**line) for line in content["lines"]]
    return report


def table(report: Report) -> str:
    """The report as Markdown."""
    judged = [line for line in report.lines if line.verdict]
    met = sum(line.verdict == "met" for line in judged)
    parts = ["# Budgets, measured", ""]
    parts += [f"- {name}: {text}" for name, text in report.about.items()]
    parts += [f"- budgets met: {met} of {len(judged)}", ""]
    parts += [f"Not measured: {text}\n" for text in report.missing]
    for group in dict.fromkeys(line.group for line in report.lines):
        lines = [line for line in report.lines if line.group == group]
        parts += [f"## {group}", ""]
        parts += ["| what | measured | reference | ratio | budget | |", "|---|---|---|---|---|---|"]
        parts += [_row(line) for line in lines] + [""]
        for note in dict.fromkeys(note for line in lines for note in line.notes):
            about = "; ".join(line.what for line in lines if note in line.notes)
            parts.append(f"- *{about}*: {note}")
        parts.append("")
    parts += ["Medians of the samples in brackets; memory is the peak of all samples.", ""]
    return "\n".join(parts)


def _row(line: Line) -> str:
    reference = ""
    if line.reference:
        reference = f"{line.reference_name}: {_samples(line.reference, line.unit)}"
    ratio = "" if line.ratio is None else f"{line.ratio:.2f}"
    cells = [line.what, _samples(line.measured, line.unit), reference, ratio, _budget(line)]
    return f"| {' | '.join(cells)} | {line.verdict} |"


def _samples(samples: Sequence[float], unit: str) -> str:
    middle = max(samples) if unit == "MiB" else statistics.median(samples)
    shown = f"**{_number(middle, unit)} {unit}**"
    if len(samples) > 1:
        shown += f" ({', '.join(_number(sample, unit) for sample in samples)})"
    return shown


def _number(value: float, unit: str) -> str:
    digits = UNITS.get(unit, 2)
    if unit == "s" and value < 1:
        digits = 3
    return f"{value:,.{digits}f}"


def _budget(line: Line) -> str:
    if line.budget is None:
        return ""
    sign = "≥" if line.at_least else "≤"
    amount = f"{line.budget:g} ×" if line.reference else f"{line.budget:g} {line.unit}"
    more = f" + {line.allowance:g} {line.unit}" if line.allowance else ""
    return f"{sign} {amount}{more}"


if __name__ == "__main__":
    report = read(FOLDER)
    report.write()
    print(table(report))
