"""What a load did, for people and for the pipeline. No logic beyond adding up."""

from collections import Counter
from dataclasses import dataclass, field

from ingestion.values.drift_words import Difference, sentences

Place = tuple[str, str, str, str, str]  # source kind and name, object, field, kind of drift


@dataclass
class SourceCounts:
    """Records of one source (kind and name) in this load."""

    files: int = 0
    records: int = 0
    stored: int = 0
    duplicates: int = 0
    rejected: int = 0
    ignored: int = 0
    conflicts: int = 0
    reasons: Counter[str] = field(default_factory=Counter)  # of what was rejected
    first: str = ""  # where one of these stands, and its reason in words
    withheld: Counter[str] = field(default_factory=Counter)  # not stored though they could be read


@dataclass
class LoadReport:
    """`unreadable` are sentences about what failed; with one of `failures` the run must not end well.

    `drift` counts where sources and contracts differ. `notes` are for a person's eye and fail nothing.
    `standing` are sentences about sources of which nothing is stored since an earlier load.
    """

    files_seen: int = 0
    files_loaded: int = 0
    bytes_read: int = 0
    seconds: float = 0.0
    lake_files: int = 0
    withdrawn: int = 0  # rows that were taken back, because their files were read again
    sources: dict[tuple[str, str], SourceCounts] = field(default_factory=dict)
    undeclared: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    stray: list[str] = field(default_factory=list)
    standing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    drift: Counter[Place] = field(default_factory=Counter)

    def source(self, kind: str, name: str) -> SourceCounts:
        return self.sources.setdefault((kind, name), SourceCounts())

    @property
    def stored(self) -> int:
        return sum(counts.stored for counts in self.sources.values())

    @property
    def rejected(self) -> int:
        return sum(counts.rejected for counts in self.sources.values())

    @property
    def duplicates(self) -> int:
        return sum(counts.duplicates for counts in self.sources.values())

    @property
    def reasons(self) -> Counter[str]:
        """Code of a rejection → records, over all sources."""
        return sum((counts.reasons for counts in self.sources.values()), Counter())

    @property
    def withheld(self) -> Counter[str]:
        """Why records were counted and not stored → how many, over all sources."""
        return sum((counts.withheld for counts in self.sources.values()), Counter())

    @property
    def empty(self) -> list[tuple[str, str]]:
        """Sources of which this load refused records and stored none."""
        return [
            source
            for source, counts in sorted(self.sources.items())
            if counts.rejected and not counts.stored + counts.duplicates + counts.withheld.total()
        ]

    @property
    def new_failures(self) -> list[str]:
        """What this load itself met: what was unreadable, and sources of which it stored nothing."""
        counted = ((source, self.sources[source]) for source in self.empty)
        nothing = [nothing_stored(*source, found.reasons, found.first) for source, found in counted]
        return [*nothing, *self.unreadable]

    @property
    def failures(self) -> list[str]:
        """What the run must not end well with: also sources of which no load ever stored a row."""
        return [*self.standing, *self.new_failures]

    @property
    def passed_over(self) -> list[str]:
        """What was not read, as far as no failure says so."""
        said = " ".join(self.failures)
        passed = dict.fromkeys((*self.undeclared, *self.stray))
        return [sentence for sentence in passed if sentence not in said]

    def sentences(self) -> list[str]:
        """The report in plain sentences, the bad news last."""
        known = self.files_seen - self.files_loaded
        lines = [
            f"{self.files_loaded} files loaded, {known} known or set aside:"
            f" {self.stored:,} records stored, {self.duplicates:,} duplicates,"
            f" {self.rejected:,} rejected, in {self.seconds:.1f} s."
        ]
        if self.withdrawn:
            lines.append(f"{self.withdrawn:,} rows that these files had brought were replaced.")
        if self.reasons:
            codes = _listed(self.reasons)
            lines.append(f"Rejected: {codes}. Each stands in ops.rejected_records.")
        if self.withheld:
            lines.append(
                f"Counted and not stored: {_listed(self.withheld)} (ops.withheld_records)."
            )
        told = sentences(Difference(*place, count) for place, count in self.drift.items())
        return [*lines, *told, *self.notes, *self.passed_over, *self.failures]


def nothing_stored(kind: str, name: str, reasons: Counter[str], first: str) -> str:
    """That nothing of a source was stored, how often why, and one of the reasons with its way out."""
    shown = f" The first, {first}" if first else ""
    return (
        f"Nothing of {kind}/{name} was stored. Refused: {_listed(reasons)}; each stands in"
        f" ops.rejected_records with its reason.{shown}"
    )


def _listed(reasons: Counter[str]) -> str:
    return ", ".join(f"{count:,} {code}" for code, count in reasons.most_common())
