"""What was tried on whom: the raw material of the truth about experiments.

Belongs here: tests, assignments and exposures as they went, noted while their rows and events are written.
Does not belong here: counting (`tables`). Nothing here reads a file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from simulator.sources.events import Event


class Exposure(NamedTuple):
    """An event that showed a variant; `variant` is what was shown, whether the event tells it or not."""

    event: Event
    variant: str | None


@dataclass
class Trial:
    """One A/B test; without a tenant it runs over all of the product's."""

    test_id: int
    tenant: str | None
    first: date
    last: date | None
    exposures: list[Exposure] = field(default_factory=list)
