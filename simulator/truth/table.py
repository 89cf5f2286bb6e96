"""One file of the truth: its rows, and the sentence by which `truth/README.md` explains it.

What belongs here: the form. What does not: any content, which is the domains' (`truth/<domain>/`).
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Table:
    """A CSV file: `grain` completes "one row per …", `meaning` says what stands in it."""

    name: str
    grain: str
    meaning: str
    header: tuple[str, ...]
    rows: Iterable[tuple[Any, ...]]

    @property
    def file(self) -> str:
        return f"{self.name}.csv"

    def write(self, root: Path) -> None:
        with (root / self.file).open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(self.header)
            writer.writerows(self.rows)


def entity_uuid(product: str, kind: str, source_id: str) -> str:
    """The identity convention: a UUID stays itself, any other id becomes one of its name."""
    if _UUID.fullmatch(source_id):
        return source_id
    digest = hashlib.md5(
        f"{product}|{kind}|{source_id}".encode(), usedforsecurity=False
    ).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"


def exact(value: Decimal) -> str:
    return f"{value:.8f}"
