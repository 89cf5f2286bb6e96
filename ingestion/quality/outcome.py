"""What came of checking one landed table, as plain data.

Belongs here: the outcome. Does not belong here: checking (`check`), showing (`docs_site`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class LandedCheck:
    """Outcome of one suite: `table` as schema.name, rows looked at, and a sentence per failure."""

    table: str
    success: bool
    expectations: int
    failures: tuple[str, ...]
    page: Path
