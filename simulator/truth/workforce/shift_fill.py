"""Shifts as they went: what the filling depended on, and whether it came about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from simulator.timeline import iso
from simulator.truth.table import Table, entity_uuid


@dataclass
class Outcome:
    """A shift as it went: how likely it was to be filled, and by how many it was."""

    shift_id: int
    tenant_id: str
    starts: int
    chance: float
    required: int
    filled: int
    taken: int


def shift_fill(product: str, outcomes: Iterable[Outcome]) -> Table:
    return Table(
        name="shift_fill",
        grain="shift that was not cancelled",
        meaning=(
            "the hidden chance of being filled; guards who have accepted by `as_of` "
            "(`filled_count`) and who will have by its start (`final_count`)"
        ),
        header=(
            "shift_id",
            "tenant_id",
            "starts_at",
            "fill_chance",
            "required_count",
            "filled_count",
            "final_count",
        ),
        rows=(
            (
                entity_uuid(product, "shift", str(s.shift_id)),
                entity_uuid(product, "tenant", s.tenant_id),
                iso(s.starts),
                f"{s.chance:.4f}",
                s.required,
                s.taken,
                s.filled,
            )
            for s in outcomes
        ),
    )
