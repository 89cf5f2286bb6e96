"""What a source sent that its contract does not say: how often, from which line to which.

Belongs here: counting it while a file is read. Does not belong here: what each kind means (`quality.drift`),
where it is kept (`ledger`). Names of objects and fields stand here, never a value.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

Found = tuple[str, str, str]  # object, field, kind


class Sighting(NamedTuple):
    """Where in the file something was seen; None where nobody knows."""

    first_line: int | None = None
    last_line: int | None = None
    schema: str | None = None  # of the source's database

    def joined(self, other: "Sighting") -> "Sighting":
        firsts = [line for line in (self.first_line, other.first_line) if line is not None]
        lasts = [line for line in (self.last_line, other.last_line) if line is not None]
        return Sighting(
            min(firsts, default=None), max(lasts, default=None), self.schema or other.schema
        )


class Drift(Counter[Found]):
    """A count of each finding. Set `line` and `schema` before a record is read."""

    def __init__(self, counts: Mapping[Found, int] | None = None) -> None:
        self.line: int | None = None
        self.schema: str | None = None
        self.sightings: dict[Found, Sighting] = {}
        super().__init__(counts or {})

    def __setitem__(self, found: Found, count: int) -> None:
        super().__setitem__(found, count)
        seen = Sighting(self.line, self.line, self.schema)
        held = self.sightings.get(found)
        self.sightings[found] = seen if held is None else held.joined(seen)

    def take(self, other: Mapping[Found, int]) -> None:
        """Add what another count found."""
        sightings = getattr(other, "sightings", {})
        for found, count in other.items():
            seen = sightings.get(found, Sighting())
            held = self.sightings.get(found)
            super().__setitem__(found, self[found] + count)
            self.sightings[found] = seen if held is None else held.joined(seen)

    def handed_over(self) -> "Drift":
        """All that was counted; from here on it is counted anew."""
        taken = Drift()
        taken.take(self)
        self.clear()
        return taken

    def of_kind(self, *kinds: str) -> "Drift":
        """What of it is of these kinds."""
        return Drift({found: count for found, count in self.items() if found[2] in kinds})

    def clear(self) -> None:
        super().clear()
        self.sightings.clear()

    def __reduce__(self) -> Any:
        return _restored, (dict(self), self.sightings)


def _restored(counts: dict[Found, int], sightings: dict[Found, Sighting]) -> Drift:
    drift = Drift(counts)
    drift.sightings = sightings
    return drift
