"""The accepted rows of a batch in a form that COPY takes, and which of them to keep.

Belongs here: rows as COPY text, what every form of rows can do. Does not belong here: columns of
events (`event_columns`), keys and duplicates (`sink`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from ingestion.sources import Touch


class Rows(Protocol):
    """Rows of one target, in the order of the batch's keys' positions."""

    copy_format: str  # as COPY names it

    def __len__(self) -> int: ...

    def only(self, places: Sequence[int]) -> "Rows":
        """Some of the rows, by position, ascending."""

    def touches(self) -> set[Touch]:
        """What the incremental models must rebuild because of these rows."""

    def copy_data(self, load_id: int) -> Iterator[bytes]:
        """What COPY reads: the target's columns, then load_id."""


@dataclass(frozen=True)
class TextRows:
    """Rows as lines of COPY text, with what each of them touches."""

    lines: Sequence[str]
    touched: Sequence[Touch | None]
    copy_format = "text"

    def __len__(self) -> int:
        return len(self.lines)

    def only(self, places: Sequence[int]) -> "TextRows":
        return TextRows([self.lines[i] for i in places], [self.touched[i] for i in places])

    def touches(self) -> set[Touch]:
        return {touch for touch in self.touched if touch is not None}

    def copy_data(self, load_id: int) -> Iterator[bytes]:
        end = f"\t{load_id}\n"
        yield (end.join(self.lines) + end).encode()
