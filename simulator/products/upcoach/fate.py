"""Why and when a paying client of UpCoach leaves.

Some reasons leave traces (falling engagement, unanswered nudges, failed payments), some leave none.
What follows from a decision, at which provider, is written in `paying` and `store`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from simulator.chance import Chance
from simulator.products.upcoach.people import Person
from simulator.timeline import DAY, HOUR, SECOND, Window

FOREVER = 1 << 60


@dataclass
class Fate:
    """One payer and the failed payments so far: what decisions to leave depend on."""

    person: Person
    failures: list[int] = field(default_factory=list)

    def weekly_hazard(self, window: Window, instant: int) -> float:
        """The chance of deciding to leave within the week: the learnable part and a floor."""
        now = self.person.engaged(instant, window)
        before = self.person.engaged(instant - 28 * DAY, window)
        failed = any(0 <= instant - at < 45 * DAY for at in self.failures)
        odds = (
            -6.9
            - 1.9 * now
            + 0.65 * (before - now)
            + 1.7 * failed
            - 3.0 * (self.person.replies - 0.5)
        )
        return 0.0014 + 1 / (1 + math.exp(-odds))


class Deciding:
    """What both providers' walks share: the window, decisions to leave, decent hours."""

    def __init__(self, window: Window, limit: int) -> None:
        self.window, self.limit = window, limit

    def decision(self, fate: Fate, chance: Chance, begin: int, end: int) -> int | None:
        """The instant at which the person decides to leave within [begin, end), if they do."""
        at = begin
        while at < min(end, self.limit):
            stop = min(at + 7 * DAY, end)
            share = (stop - at) / (7 * DAY)
            if chance.hit(fate.weekly_hazard(self.window, at) * share):
                moment = self.daytime(fate.person, int(chance.between(at, stop)), chance)
                if at + 1 * HOUR < moment < end - 1 * HOUR:
                    return moment
            at = stop
        return None

    def daytime(self, person: Person, instant: int, chance: Chance) -> int:
        """The same local day, between six in the morning and ten in the evening, in whole seconds."""
        day = person.days.index(instant)
        moment = int(person.days.midnights[day]) + int(chance.between(6.0, 21.9) * HOUR)
        return moment // SECOND * SECOND

    def late_place(self, chance: Chance, start: int) -> int | None:
        """Some first webhooks are delivered after the ones that follow them."""
        if start >= self.window.start and chance.hit(0.05):
            return start + int(chance.between(0.2, 60) * HOUR)
        return None
