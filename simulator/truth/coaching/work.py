"""What people got done, noted while it happens: the raw material of the truth about coaching.

Counts by tenant, user and local day, kept by the simulator itself. Nothing here reads a file.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from simulator.catalogue import Tenant
from simulator.timeline import LocalDays


class Worker(Protocol):
    """Somebody whose work is noted."""

    user_id: str
    tenant: Tenant
    days: LocalDays


@dataclass
class DayOfWork:
    """One user's coaching work on one local day."""

    goals_completed: int = 0
    habits_checked: int = 0
    chat_sessions: int = 0
    tasks_completed: int = 0
    moods: list[int] = field(default_factory=list)


class Work:
    """Coaching work by (tenant, user, local day)."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.days: dict[tuple[str, str, date], DayOfWork] = defaultdict(DayOfWork)

    def _day(self, person: Worker, at: int) -> DayOfWork | None:
        if at >= self.limit:
            return None
        return self.days[person.tenant.source_id, person.user_id, person.days.day(at)]

    def _count(self, what: str, person: Worker, at: int) -> None:
        day = self._day(person, at)
        if day is not None:
            setattr(day, what, getattr(day, what) + 1)

    def goal_completed(self, person: Worker, at: int) -> None:
        self._count("goals_completed", person, at)

    def habit_checked(self, person: Worker, at: int) -> None:
        self._count("habits_checked", person, at)

    def chat_started(self, person: Worker, at: int) -> None:
        self._count("chat_sessions", person, at)

    def task_completed(self, person: Worker, at: int) -> None:
        self._count("tasks_completed", person, at)

    def mood(self, person: Worker, at: int, score: int) -> None:
        day = self._day(person, at)
        if day is not None:
            day.moods.append(score)
